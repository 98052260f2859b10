package directory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ShopStepKind is what happened to a dossier or to the shop that was made of it.
type ShopStepKind string

// The steps, in the order of a shop's life.
const (
	StepStarted    ShopStepKind = "STARTED"
	StepSubmitted  ShopStepKind = "SUBMITTED"
	StepCallBack   ShopStepKind = "CALL_BACK" // a call back was asked for
	StepCalled     ShopStepKind = "CALLED"    // and made
	StepMoved      ShopStepKind = "MOVED"
	StepVerified   ShopStepKind = "VERIFIED"
	StepRejected   ShopStepKind = "REJECTED"
	StepPublished  ShopStepKind = "PUBLISHED"
	StepSuspended  ShopStepKind = "SUSPENDED"
	StepReinstated ShopStepKind = "REINSTATED"
)

// ShopStep is a step of a shop's life, from its dossier on.
type ShopStep struct {
	CommuneID  string
	ShopID     uuid.UUID
	Kind       ShopStepKind
	At         time.Time
	By         identity.Kind `db:"actor"` // the capacity in which it was done
	Reason     *string       // a code, of a rejection or a suspension
	ReasonText *string
}

// StepsOf lists what happened to shops and to their dossiers, the oldest first: to those who run
// them or serve their commune.
func (d *Directory) StepsOf(ctx context.Context, v *identity.Viewer, shops []tenancy.ID) (map[tenancy.ID][]*ShopStep, error) {
	of := map[tenancy.ID][]*ShopStep{}
	communes, rows := tenancy.Columns(insiders(v, shops))
	if len(rows) == 0 {
		return of, nil
	}
	all, err := pg.Select[ShopStep](ctx, d.DB, v.Scope().In(communes...), `
		select s.commune_id, s.shop_id, s.kind, s.at, s.actor, s.reason, s.reason_text
		from unnest($1::text[], $2::uuid[]) k (commune_id, shop_id) join shop_steps s using (commune_id, shop_id)
		order by s.at, s.id`, communes, rows)
	for i := range all {
		s := &all[i]
		id := tenancy.RowID(tenancy.KindShop, s.CommuneID, s.ShopID)
		of[id] = append(of[id], s)
	}
	return of, err
}
