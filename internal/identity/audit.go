package identity

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// AuditAction is what somebody did in a capacity that others trust it to have.
type AuditAction string

// The actions of identity itself; those on orders are named after the order's action.
const (
	CreatedWidgetKey AuditAction = "WIDGET_KEY_CREATE"
	RotatedWidgetKey AuditAction = "WIDGET_KEY_ROTATE"
	RevokedWidgetKey AuditAction = "WIDGET_KEY_REVOKE"
)

// AuditEntry is a privileged change, to be written down in the transaction that makes it.
type AuditEntry struct {
	By      *Viewer
	At      time.Time
	Action  AuditAction
	Object  tenancy.ID // what was changed
	Commune string     // whose log has the entry; the object's own when empty
	Before  any        // the object's state, as JSON; nil when it was made
	After   any        // nil when it is no more
}

// appendAudit locks the commune's head of the log until commit and writes at the place after it.
// The lock comes after all others of a transaction, but for that of the orders' own log.
const appendAudit = `
	with head as (
		insert into audit_heads as h (commune_id, seq, hash)
		values ($1::text, 1, audit_hash('', $1::text, 1, $2::timestamptz, $3::uuid, $4::text, $5::text, $6::text, $7::bytea, $8::bytea))
		on conflict (commune_id) do update set seq = h.seq + 1,
			hash = audit_hash(h.hash, $1::text, h.seq + 1, $2::timestamptz, $3::uuid, $4::text, $5::text, $6::text, $7::bytea, $8::bytea)
		returning seq, hash)
	insert into audit_events (commune_id, seq, at, account_id, kind, action, object, before_hash, after_hash, hash)
	select $1::text, head.seq, $2::timestamptz, $3::uuid, $4::text, $5::text, $6::text, $7::bytea, $8::bytea, head.hash from head`

func (e *AuditEntry) args() []any {
	var account *uuid.UUID
	if e.By.Account != uuid.Nil {
		account = &e.By.Account
	}
	kind := e.By.Kind
	if e.By.Delegated() {
		kind = Agent
	}
	return []any{cmp.Or(e.Commune, e.Object.Commune), e.At, account, string(kind), string(e.Action), e.Object.String(), stateHash(e.Before), stateHash(e.After)}
}

// QueueAudit queues the writing of an entry. The scope of the transaction must be the viewer's,
// and what it changes must be in it.
func QueueAudit(b *pgx.Batch, e AuditEntry) { b.Queue(appendAudit, e.args()...) }

// auditTx is QueueAudit at once.
func auditTx(ctx context.Context, tx pgx.Tx, e AuditEntry) error {
	_, err := tx.Exec(ctx, appendAudit, e.args()...)
	return err
}

// stateHash stands for a state in the log: it shows whether two are the same, and what a person
// wrote stays out of it.
func stateHash(state any) []byte {
	if state == nil {
		return nil
	}
	text, err := json.Marshal(state)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// Audit reads the log of privileged changes.
type Audit struct {
	DB      *pg.DB
	Cursors *page.Sealer
}

// AuditEvent is an entry of a commune's log.
type AuditEvent struct {
	CommuneID  string
	Number     int `db:"seq"` // from 1, gap-free in the commune
	At         time.Time
	Kind       Kind        // the capacity in which it was done
	Name       *string     // of the person; null for the platform itself, and after the account was erased
	RawAction  AuditAction `db:"action"`
	Object     string      // the global ID of what was changed
	BeforeHash []byte
	AfterHash  []byte
	RowHash    []byte `db:"hash"`
}

// Hash is what the next event's builds on.
func (e *AuditEvent) Hash() string { return hex.EncodeToString(e.RowHash) }

// Action is what was done.
func (e *AuditEvent) Action() AuditAction {
	if strings.HasPrefix(string(e.RawAction), delegatedPrefix) {
		return DelegatedAct
	}
	return e.RawAction
}

// Act is the mutation that an agent asked for in a merchant's name; nil for what was done in
// one's own.
func (e *AuditEvent) Act() *string {
	act, delegated := strings.CutPrefix(string(e.RawAction), delegatedPrefix)
	if !delegated || e.RawAction == DelegatedAct {
		return nil
	}
	act = camel(act)
	return &act
}

// Before stands for the object's state before: equal hashes are equal states. Null when it was made.
func (e *AuditEvent) Before() *string { return hexOf(e.BeforeHash) }

// After stands for the object's state after; null when it is no more.
func (e *AuditEvent) After() *string { return hexOf(e.AfterHash) }

func hexOf(hash []byte) *string {
	if hash == nil {
		return nil
	}
	text := hex.EncodeToString(hash)
	return &text
}

// AuditConnection is a page of a commune's log.
type AuditConnection struct {
	Edges    []AuditEdge
	PageInfo page.Info
}

// AuditEdge is an entry at its place in the log.
type AuditEdge struct {
	Cursor string
	Node   *AuditEvent
}

// Nodes are the entries of the page.
func (c *AuditConnection) Nodes() []*AuditEvent {
	nodes := make([]*AuditEvent, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// Trail is one page of the log of a commune, the latest first.
//
// Faults: FORBIDDEN for a commune that the viewer does not administer.
func (a *Audit) Trail(ctx context.Context, v *Viewer, commune tenancy.ID, first int, after *string) (*AuditConnection, error) {
	if err := commune.Want(tenancy.KindCommune, "commune"); err != nil {
		return nil, err
	}
	if err := v.administers(commune.Commune); err != nil {
		return nil, err
	}
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	list := "audit of " + commune.String()
	var before *int
	if after != nil {
		before = new(int)
		if err := a.Cursors.Open(list, *after, before); err != nil {
			return nil, err
		}
	}
	events, err := pg.Select[AuditEvent](ctx, a.DB, v.ruling(commune.Commune), `
		select e.commune_id, e.seq, e.at, e.kind, a.name, e.action, e.object, e.before_hash, e.after_hash, e.hash
		from audit_events e left join accounts a on a.id = e.account_id
		where e.commune_id = $1 and (e.seq < $3::bigint or $3::bigint is null) order by e.seq desc limit $2`, commune.Commune, first+1, before)
	if err != nil {
		return nil, fmt.Errorf("audit trail of %s: %w", commune.Commune, err)
	}
	c := &AuditConnection{}
	c.PageInfo.HasPreviousPage = after != nil
	if len(events) > first {
		events, c.PageInfo.HasNextPage = events[:first], true
	}
	c.Edges = make([]AuditEdge, len(events))
	for i := range events {
		c.Edges[i] = AuditEdge{Node: &events[i], Cursor: a.Cursors.Seal(list, events[i].Number)}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
}

// Broken is the number of the first event of a commune's log that is not as it was written, or
// that is missing; 0 when all are there as they were.
func (a *Audit) Broken(ctx context.Context, commune string) (int, error) {
	found, err := pg.SelectScalars[int](ctx, a.DB, pg.Scope{Role: pg.Worker, Communes: []string{commune}}, `
		with log as (
			select e.*, row_number() over w as place, lag(e.hash) over w as previous
			from audit_events e where e.commune_id = $1 window w as (order by e.seq))
		select coalesce(min(place), 0)::int from (
			select place from log where seq <> place or hash <> audit_hash(coalesce(previous, ''), commune_id, seq, at, account_id, kind, action, object, before_hash, after_hash)
			union all
			select (select count(*) from log) + 1 from audit_heads h where h.commune_id = $1
				and not exists (select from log where seq = h.seq and hash = h.hash and seq = (select max(seq) from log))
			union all
			select 1 from log where not exists (select from audit_heads h where h.commune_id = $1)) wrong`, commune)
	if err != nil {
		return 0, fmt.Errorf("check the audit log of %s: %w", commune, err)
	}
	return found[0], nil
}
