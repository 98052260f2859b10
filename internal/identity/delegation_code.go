package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// codeLife is how long a code that was sent to a shop is good for: the agent is there, or
// calls again the next day.
const codeLife = 24 * time.Hour

// ErrOver says that what a message was to tell of is over.
var ErrOver = errors.New("over before it was told")

// DelegationCode is what a shop is told of a request.
type DelegationCode struct {
	Shop   string
	Email  string // empty where the shop has none
	Phone  string // E.164; empty where the shop has none
	Agent  string
	Reason string
	Days   int
	Code   string // six digits, "048 213"
}

// MakeCode makes the code of a request that waits, at the moment when it is sent: only its digest is
// kept. Made again, for a message that was not sent, it takes the place of the one before.
// ErrOver for a request that waits no more.
func (s *Delegations) MakeCode(ctx context.Context, commune string, row uuid.UUID) (*DelegationCode, error) {
	id, now := tenancy.RowID(tenancy.KindDelegation, commune, row), s.now()
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	code := fmt.Sprintf("%06d", n)
	type request struct {
		AgentID      uuid.UUID
		Shop         string
		Email, Phone string
		Reason, Code string
		Days         int
	}
	found, err := pg.Select[request](ctx, s.DB, pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{commune}}, `
		update delegations d set code_digest = $3, code_until = $4 from shops s
		where d.commune_id = $1 and d.id = $2 and d.consented_at is null and d.ended_at is null and d.asked_at > $5
		and s.commune_id = d.commune_id and s.id = d.shop_id
		returning d.agent_id, s.name as shop, coalesce(s.email, '') as email, coalesce(s.phone, '') as phone, d.reason, d.days, $6::text as code`,
		commune, row, s.digest(id, code), now.Add(codeLife), now.Add(-askLife), code[:3]+" "+code[3:])
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrOver
	}
	r := found[0]
	names, err := pg.SelectScalars[string](ctx, s.DB, pg.Scope{Role: pg.Identity}, `select name from accounts where id = $1`, r.AgentID)
	if err != nil {
		return nil, err
	}
	made := &DelegationCode{Shop: r.Shop, Email: r.Email, Phone: r.Phone, Reason: r.Reason, Days: r.Days, Code: r.Code}
	if len(names) == 1 {
		made.Agent = names[0]
	}
	return made, nil
}
