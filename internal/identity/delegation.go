package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to delegations, and under them.
const (
	AskedDelegation AuditAction = "DELEGATION_ASK"
	DelegatedShop   AuditAction = "SHOP_DELEGATE"
	EndedDelegation AuditAction = "DELEGATION_END"

	// DelegatedAct is any change that an agent made for a merchant. In the log the action goes on
	// with what was asked for: DELEGATED_ACCEPT_ORDER.
	DelegatedAct AuditAction = "DELEGATED_ACT"

	delegatedPrefix = "DELEGATED_"
)

// Delegations let an agent act for a merchant: an agent asks, the merchant consents, and it ends by
// itself, or when either says so.
//
// The agent then asks as a merchant of that shop and of no other, with the merchant's rights and no
// more; each of its changes stands in the commune's audit log as the agent's, in the transaction
// that makes it (see pg.Scope.Witness).
type Delegations struct {
	DB     *pg.DB
	Now    func() time.Time
	pepper []byte
}

// NewDelegations derives its key from the deployment's secret, as NewGuests does.
func NewDelegations(db *pg.DB, secret []byte) *Delegations {
	return &Delegations{DB: db, Now: time.Now, pepper: derive(secret, "halles delegation")}
}

// Delegation is an agent's leave to act for a shop.
type Delegation struct {
	CommuneID   string
	Row         uuid.UUID `db:"id"`
	ShopRow     uuid.UUID `db:"shop_id"`
	AgentID     uuid.UUID
	AgentName   *string // nil once the account was erased
	Reason      string  // why, as the agent told the merchant
	Days        int
	AskedAt     time.Time
	ConsentedAt *time.Time
	EndsAt      *time.Time
	EndedAt     *time.Time // before its day
	Attempts    int

	now time.Time // when it was read
}

const delegationColumns = `d.commune_id, d.id, d.shop_id, d.agent_id, (select a.name from accounts a where a.id = d.agent_id) as agent_name,
	d.reason, d.days, d.asked_at, d.consented_at, d.ends_at, d.ended_at, d.attempts`

// ID is the delegation's global ID.
func (d *Delegation) ID() tenancy.ID {
	return tenancy.RowID(tenancy.KindDelegation, d.CommuneID, d.Row)
}

// ShopID is the shop that it is for.
func (d *Delegation) ShopID() tenancy.ID {
	return tenancy.RowID(tenancy.KindShop, d.CommuneID, d.ShopRow)
}

// DelegationStatus is how a delegation stands.
type DelegationStatus string

// How a delegation stands.
const (
	Asked  DelegationStatus = "ASKED"  // waits for the merchant
	Active DelegationStatus = "ACTIVE" // the agent may act
	Ended  DelegationStatus = "ENDED"
)

// askLife is how long a request waits for the merchant.
const askLife = 7 * 24 * time.Hour

// Status is how it stood when it was read.
func (d *Delegation) Status() DelegationStatus {
	switch {
	case d.EndedAt != nil:
	case d.ConsentedAt == nil && d.now.Before(d.AskedAt.Add(askLife)):
		return Asked
	case d.ConsentedAt != nil && d.now.Before(*d.EndsAt):
		return Active
	}
	return Ended
}

// maxDelegations bounds the list of a shop's.
const maxDelegations = 50

// Of lists the delegations of shops, the latest first, in one statement: for a shop's merchants, and
// the agents and admins of its commune. Others find none.
func (s *Delegations) Of(ctx context.Context, v *Viewer, shops []tenancy.ID) (map[tenancy.ID][]*Delegation, error) {
	found := make(map[tenancy.ID][]*Delegation, len(shops))
	var mine []tenancy.ID
	for _, shop := range shops {
		found[shop] = []*Delegation{}
		if v.concerned(shop) {
			mine = append(mine, shop)
		}
	}
	if len(mine) == 0 {
		return found, nil
	}
	communes, rows := tenancy.Columns(mine)
	list, err := pg.Select[Delegation](ctx, s.DB, v.ruling(communes...), `
		select `+delegationColumns+` from unnest($1::text[], $2::uuid[]) w (commune_id, shop_id) cross join lateral (
			select * from delegations d where d.commune_id = w.commune_id and d.shop_id = w.shop_id order by d.asked_at desc, d.id desc limit $3) d
		order by d.asked_at desc, d.id desc`, communes, rows, maxDelegations)
	for i := range list {
		d := &list[i]
		d.now = s.now()
		found[d.ShopID()] = append(found[d.ShopID()], d)
	}
	return found, err
}

// concerned tells whether a shop's delegations are the viewer's business.
func (v *Viewer) concerned(shop tenancy.ID) bool {
	return v.Kind == Merchant && v.Runs(shop) || (v.Kind == Agent || v.Kind == Admin) && v.Serves(shop.Commune)
}

// AskDelegationInput is an agent's request.
type AskDelegationInput struct {
	Shop   tenancy.ID
	Days   int
	Reason string
}

// DelegationPayload is the delegation as it stands now.
type DelegationPayload struct{ Delegation *Delegation }

// Bounds of a delegation.
const (
	maxDelegationDays   = 30
	maxDelegationReason = 300 // characters
)

// Ask asks a shop's merchant to let the agent act for it. Asked again while a request waits, it
// returns that one.
//
// Faults: FORBIDDEN for who is no agent of the shop's commune, NOT_FOUND for a shop that is not
// there, INVALID for days or a reason out of bounds.
func (s *Delegations) Ask(ctx context.Context, v *Viewer, in AskDelegationInput) (_ *DelegationPayload, err error) {
	defer fault.Wrap(&err, "Ask(%s)", in.Shop)
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	if err := v.administers(in.Shop.Commune); err != nil {
		return nil, refused(fault.Of(err).Kind, []string{"input", "shop"}, "%s", fault.Of(err).Message)
	}
	reason := kept(&in.Reason)
	switch {
	case v.Kind != Agent:
		return nil, refused(fault.Forbidden, []string{"input", "shop"}, "Seul un agent de la commune agit pour un commerçant.")
	case in.Days < 1 || in.Days > maxDelegationDays:
		return nil, fault.At([]string{"input", "days"}, "La délégation durerait %d jours ; il en faut de 1 à %d.", in.Days, maxDelegationDays)
	case reason == nil:
		return nil, fault.At([]string{"input", "reason"}, "Dites au commerçant pourquoi, en une phrase.")
	}
	if err := checkText(*reason, maxDelegationReason, "input", "reason"); err != nil {
		return nil, err
	}
	n, err := pg.SelectScalars[int](ctx, s.DB, v.Scope().In(in.Shop.Commune), `select count(*) from shops where commune_id = $1 and id = $2`, in.Shop.Commune, in.Shop.Row)
	if err != nil {
		return nil, err
	}
	if n[0] == 0 {
		return nil, in.Shop.NotFound()
	}
	id := tenancy.NewID(tenancy.KindDelegation, in.Shop.Commune)
	err = s.DB.Write(ctx, v.ruling(id.Commune), func(ctx context.Context, tx pgx.Tx) error {
		now := s.now()
		e := AuditEntry{By: v, At: now, Action: AskedDelegation, Object: in.Shop, After: []any{v.Account, in.Days, *reason}}
		if err := auditTx(ctx, tx, e); err != nil { // first: its lock makes two requests wait for one another
			return err
		}
		var waits uuid.UUID
		err := tx.QueryRow(ctx, `select id from delegations where commune_id = $1 and shop_id = $2 and agent_id = $3
			and ended_at is null and consented_at is null and asked_at > $4 limit 1`, id.Commune, in.Shop.Row, v.Account, now.Add(-askLife)).Scan(&waits)
		if err == nil {
			id.Row = waits
			return errUnchanged
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, `insert into delegations (commune_id, id, shop_id, agent_id, reason, days, asked_at) values ($1, $2, $3, $4, $5, $6, $7)`,
			id.Commune, id.Row, in.Shop.Row, v.Account, *reason, in.Days, now)
		if err != nil {
			return err
		}
		// The shop hears of it, with the code, by mail or else by telephone: its merchant may have no account.
		return job.QueueTx(ctx, tx, job.Mail{Template: "delegation_code", Commune: id.Commune, ID: id.Row}, time.Time{})
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
	return s.payload(ctx, v, id)
}

func (s *Delegations) payload(ctx context.Context, v *Viewer, id tenancy.ID) (*DelegationPayload, error) {
	d, err := s.byID(ctx, v, id)
	return &DelegationPayload{d}, err
}

// byID finds a delegation for those whom it concerns; for others there is none.
func (s *Delegations) byID(ctx context.Context, v *Viewer, id tenancy.ID) (*Delegation, error) {
	if v.Account == uuid.Nil {
		return nil, id.NotFound()
	}
	list, err := pg.Select[Delegation](ctx, s.DB, v.ruling(id.Commune), `select `+delegationColumns+` from delegations d where d.commune_id = $1 and d.id = $2`, id.Commune, id.Row)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || !v.concerned(list[0].ShopID()) {
		return nil, id.NotFound()
	}
	list[0].now = s.now()
	return &list[0], nil
}

// DelegateShopInput is a merchant's consent.
type DelegateShopInput struct {
	Delegation tenancy.ID
	Code       *string // that the merchant read out to the agent
}

// maxAttempts is how many wrong codes a request survives: of a million codes one in 200,000.
const maxAttempts = 5

// Delegate is the merchant's consent: its own, signed in, or the code that was sent to the shop and
// that it read out to the agent. The days begin.
//
// Faults: NOT_FOUND for a delegation that does not concern the viewer, CONFLICT for one that waits
// for no consent, INVALID for a wrong code, LIMITED after five, FORBIDDEN for an agent without one.
func (s *Delegations) Delegate(ctx context.Context, v *Viewer, in DelegateShopInput) (_ *DelegationPayload, err error) {
	defer fault.Wrap(&err, "Delegate(%s)", in.Delegation)
	d, err := s.concerning(ctx, v, in.Delegation)
	if err != nil {
		return nil, err
	}
	var consents *uuid.UUID
	switch {
	case v.Kind == Merchant && !v.Delegated():
		consents = &v.Account
	case in.Code == nil || v.Account != d.AgentID:
		return nil, refused(fault.Forbidden, delegationPath, "Le commerçant consent lui-même : connecté à son compte, ou par le code envoyé à la boutique.")
	}
	id, wrong := d.ID(), false
	err = s.DB.Write(ctx, v.ruling(d.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		now := s.now()
		if consents == nil {
			var digest []byte
			var attempts int
			err := tx.QueryRow(ctx, `select coalesce(code_digest, ''), attempts from delegations where commune_id = $1 and id = $2 and (code_until > $3 or code_until is null) for update`,
				id.Commune, id.Row, now).Scan(&digest, &attempts)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				return refused(fault.Conflict, codePath, "Ce code a expiré. Demandez une nouvelle délégation.")
			case err != nil:
				return err
			case attempts >= maxAttempts:
				return refused(fault.Limited, codePath, "Trop de codes erronés. Demandez une nouvelle délégation, ou que le commerçant se connecte.")
			}
			if wrong = !hmac.Equal(digest, s.digest(id, *in.Code)); wrong {
				_, err := tx.Exec(ctx, `update delegations set attempts = attempts + 1 where commune_id = $1 and id = $2`, id.Commune, id.Row)
				return err
			}
		}
		done, err := tx.Exec(ctx, `update delegations set consented_at = $3, consented_by = $4, ends_at = $3::timestamptz + make_interval(days => days)
			where commune_id = $1 and id = $2 and consented_at is null and ended_at is null and asked_at > $5`, id.Commune, id.Row, now, consents, now.Add(-askLife))
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return refused(fault.Conflict, delegationPath, "Cette demande n'attend plus de consentement : elle en a un, elle a été retirée ou elle est trop ancienne.")
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: now, Action: DelegatedShop, Object: d.ShopID(), After: []any{d.AgentID, d.Days}})
	})
	if err != nil {
		return nil, err
	}
	if wrong {
		return nil, refused(fault.Invalid, codePath, "Ce code n'est pas celui qui a été envoyé à la boutique. Faites-le répéter.")
	}
	return s.payload(ctx, v, id)
}

var delegationPath = []string{"input", "delegation"}

func (s *Delegations) concerning(ctx context.Context, v *Viewer, id tenancy.ID) (*Delegation, error) {
	if err := id.Want(tenancy.KindDelegation, delegationPath...); err != nil {
		return nil, err
	}
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	return s.byID(ctx, v, id)
}

// digest binds a code to its delegation, so that equal codes are not equal in the table.
func (s *Delegations) digest(id tenancy.ID, code string) []byte {
	mac := hmac.New(sha256.New, s.pepper)
	mac.Write([]byte(id.String() + " " + spoken.Replace(strings.ToUpper(code))))
	return mac.Sum(nil)
}

// EndDelegationInput names a delegation to end.
type EndDelegationInput struct{ Delegation tenancy.ID }

// End ends a delegation, or withdraws or declines the request: the merchant, the agent, and whoever
// else administers the commune. What the agent has open ends with it; one that has ended stays so.
//
// Faults: NOT_FOUND for a delegation that does not concern the viewer.
func (s *Delegations) End(ctx context.Context, v *Viewer, in EndDelegationInput) (_ *DelegationPayload, err error) {
	defer fault.Wrap(&err, "End(%s)", in.Delegation)
	d, err := s.concerning(ctx, v, in.Delegation)
	if err != nil {
		return nil, err
	}
	id := d.ID()
	err = s.DB.Write(ctx, v.ruling(id.Commune), func(ctx context.Context, tx pgx.Tx) error {
		now := s.now()
		done, err := tx.Exec(ctx, `update delegations set ended_at = $3, ended_by = $4
			where commune_id = $1 and id = $2 and ended_at is null and (ends_at is null or ends_at > $3)`, id.Commune, id.Row, now, v.Account)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return errUnchanged
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: now, Action: EndedDelegation, Object: d.ShopID(), Before: []any{d.AgentID, d.Days}})
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
	return s.payload(ctx, v, id)
}

func (s *Delegations) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// acting is what a delegated viewer acts under.
type acting struct {
	shop tenancy.ID
	act  string // the mutation that it asks for: "acceptOrder"
}

// Delegated tells whether the viewer is an agent who acts for a merchant.
func (v *Viewer) Delegated() bool { return v.acting != nil }

// ActFor is the agent as a merchant of a shop that was delegated to it, and until when. It is asked
// of the table each time: a delegation that was ended is over at once, everywhere.
//
// Faults: FORBIDDEN without one.
func (r *Resolver) ActFor(ctx context.Context, v *Viewer, shop tenancy.ID) (*Viewer, time.Time, error) {
	if err := shop.Want(tenancy.KindShop); err != nil {
		return nil, time.Time{}, err
	}
	if err := v.SignedIn(); err != nil {
		return nil, time.Time{}, err
	}
	none := fault.Errorf(fault.Forbidden, "Aucune délégation en cours ne vous permet d'agir pour cette boutique. askDelegation en demande une.")
	if v.Kind != Agent || !v.Serves(shop.Commune) {
		return nil, time.Time{}, none
	}
	ends, err := pg.SelectScalars[time.Time](ctx, r.DB, v.ruling(shop.Commune), `
		select d.ends_at from delegations d where d.commune_id = $1 and d.shop_id = $2 and d.agent_id = $3 and d.ended_at is null and d.ends_at > $4
		order by d.ends_at desc limit 1`, shop.Commune, shop.Row, v.Account, r.now())
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(ends) == 0 {
		return nil, time.Time{}, none
	}
	return &Viewer{
		Kind: Merchant, Account: v.Account, Name: v.Name, all: v.all, session: v.session, Shops: []tenancy.ID{shop}, acting: &acting{shop: shop},
	}, ends[0], nil
}

// Doing is the viewer who asks for a mutation: what the log tells of a delegated one.
func (v *Viewer) Doing(mutation string) *Viewer {
	if v.acting == nil {
		return v
	}
	does := *v
	does.acting = &acting{shop: v.acting.shop, act: mutation}
	return &does
}

// maxAction is audit_events_action's bound.
const maxAction = 40

// witness leaves the entry of a delegated change.
func (v *Viewer) witness(b *pgx.Batch) {
	action := string(DelegatedAct)
	if v.acting.act != "" {
		action = delegatedPrefix + screaming(v.acting.act)
	}
	QueueAudit(b, AuditEntry{By: v, At: time.Now().UTC(), Action: AuditAction(action[:min(len(action), maxAction)]), Object: v.acting.shop})
}

// screaming writes acceptOrder as ACCEPT_ORDER.
func screaming(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// camel undoes screaming.
func camel(name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	for i, w := range words {
		if i > 0 && w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
