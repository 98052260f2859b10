package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

const auditCall identity.AuditAction = "CALL_LOG"

// CallReason says what a call was about.
type CallReason string

// The reasons.
const (
	CallRegistration CallReason = "REGISTRATION"
	CallShopHelp     CallReason = "SHOP_HELP"
	CallPhoneOrder   CallReason = "PHONE_ORDER"
	CallOrder        CallReason = "ORDER_QUESTION"
	CallRules        CallReason = "RULES"
	CallOther        CallReason = "OTHER"
)

// Valid tells whether r is one of the reasons.
func (r CallReason) Valid() bool {
	switch r {
	case CallRegistration, CallShopHelp, CallPhoneOrder, CallOrder, CallRules, CallOther:
		return true
	}
	return false
}

// CallOutcome says how a call ended.
type CallOutcome string

// The outcomes.
const (
	CallDone       CallOutcome = "DONE"
	CallCallBack   CallOutcome = "CALL_BACK"
	CallHandedOver CallOutcome = "HANDED_OVER"
	CallNoAnswer   CallOutcome = "NO_ANSWER"
)

// Valid tells whether o is one of the outcomes.
func (o CallOutcome) Valid() bool {
	switch o {
	case CallDone, CallCallBack, CallHandedOver, CallNoAnswer:
		return true
	}
	return false
}

// HotlineCall is a call to or from the hotline. Who called is not in it: counts need no names.
type HotlineCall struct {
	CommuneID    string
	Row          uuid.UUID `db:"id"`
	At           time.Time
	Reason       CallReason
	Outcome      CallOutcome
	Seconds      int
	Registration *uuid.UUID `db:"registration_id"`
	Order        *uuid.UUID `db:"order_id"`
}

const callColumns = `c.commune_id, c.id, c.at, c.reason, c.outcome, c.seconds, c.registration_id, c.order_id`

// ID is the call's global ID.
func (c *HotlineCall) ID() tenancy.ID { return tenancy.RowID(tenancy.KindCall, c.CommuneID, c.Row) }

// RegistrationID is the dossier that it was about; nil for none.
func (c *HotlineCall) RegistrationID() *tenancy.ID {
	return c.about(tenancy.KindRegistration, c.Registration)
}

// OrderID is the order that it was about; nil for none.
func (c *HotlineCall) OrderID() *tenancy.ID { return c.about(tenancy.KindOrder, c.Order) }

func (c *HotlineCall) about(kind tenancy.Kind, row *uuid.UUID) *tenancy.ID {
	if row == nil {
		return nil
	}
	id := tenancy.RowID(kind, c.CommuneID, *row)
	return &id
}

// LogCallInput is a call that has ended.
type LogCallInput struct {
	Commune      tenancy.ID
	Reason       CallReason
	Outcome      CallOutcome
	Seconds      int
	Registration *tenancy.ID
	Order        *tenancy.ID
}

// LogCallPayload is the call as it was written down.
type LogCallPayload struct{ Call *HotlineCall }

// maxCall bounds a call, in seconds.
const maxCall = 14_400

func (in *LogCallInput) check() error {
	at := func(name string) []string { return []string{"input", name} }
	switch {
	case !in.Reason.Valid():
		return fault.At(at("reason"), "Ce motif n'existe pas.")
	case !in.Outcome.Valid():
		return fault.At(at("outcome"), "Cette issue n'existe pas.")
	case in.Seconds < 0 || in.Seconds > maxCall:
		return fault.At(at("seconds"), "Il faut une durée de 0 à %d secondes.", maxCall)
	}
	if err := in.Commune.Want(tenancy.KindCommune, at("commune")...); err != nil {
		return err
	}
	for _, about := range []struct {
		id   *tenancy.ID
		kind tenancy.Kind
		name string
	}{{in.Registration, tenancy.KindRegistration, "registration"}, {in.Order, tenancy.KindOrder, "order"}} {
		if about.id == nil {
			continue
		}
		if err := about.id.Want(about.kind, at(about.name)...); err != nil {
			return err
		}
		if about.id.Commune != in.Commune.Commune {
			return about.id.NotFound()
		}
	}
	return nil
}

// answers refuses all but those who answer the telephone for all communes.
func answers(v *identity.Viewer) error {
	if err := v.SignedIn(); err != nil {
		return err
	}
	if v.Kind != identity.Hotline && v.Kind != identity.Admin {
		return fault.Errorf(fault.Forbidden, "Seuls le numéro vert et les administrateurs tiennent le journal des appels.")
	}
	return nil
}

// LogCall writes a call down.
//
// Faults: FORBIDDEN for all but the hotline and admins, NOT_FOUND for a dossier or an order that
// is not there, or of another commune than the call.
func (r *Registrations) LogCall(ctx context.Context, v *identity.Viewer, in LogCallInput) (_ *LogCallPayload, err error) {
	defer fault.Wrap(&err, "LogCall(%s)", in.Commune)
	if err := answers(v); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if _, err := r.Communes.ByInsee(ctx, in.Commune.Commune); err != nil {
		return nil, err
	}
	c := &HotlineCall{CommuneID: in.Commune.Commune, Row: tenancy.NewRow(), At: r.now(), Reason: in.Reason, Outcome: in.Outcome, Seconds: in.Seconds}
	if in.Registration != nil {
		c.Registration = &in.Registration.Row
	}
	if in.Order != nil {
		c.Order = &in.Order.Row
	}
	err = r.DB.Write(ctx, v.Scope().In(c.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`insert into calls (commune_id, id, at, operator_id, reason, outcome, seconds, registration_id, order_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			c.CommuneID, c.Row, c.At, v.Account, string(c.Reason), string(c.Outcome), c.Seconds, c.Registration, c.Order)
		identity.QueueAudit(b, identity.AuditEntry{By: v, At: c.At, Action: auditCall, Object: c.ID(), After: c})
		return tx.SendBatch(ctx, b).Close()
	})
	switch pg.Constraint(err) {
	case "calls_registration_fkey":
		return nil, in.Registration.NotFound()
	case "calls_order_fkey":
		return nil, in.Order.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return &LogCallPayload{c}, nil
}

// CallFilter narrows a list of calls; what is absent does not narrow.
type CallFilter struct {
	Communes []string // INSEE codes; empty but not nil: none
	Reason   *CallReason
	Outcome  *CallOutcome
}

// CallConnection is a page of a list of calls.
type CallConnection struct {
	Edges    []CallEdge
	PageInfo page.Info
}

// CallEdge is a call at its place in a list.
type CallEdge struct {
	Cursor string
	Node   *HotlineCall
}

// Nodes are the calls of the page.
func (c *CallConnection) Nodes() []*HotlineCall {
	nodes := make([]*HotlineCall, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// Calls is one page of the calls, the latest first.
//
// Faults: FORBIDDEN for all but the hotline and admins.
func (r *Registrations) Calls(ctx context.Context, v *identity.Viewer, filter *CallFilter, first int, after *string) (*CallConnection, error) {
	if err := answers(v); err != nil {
		return nil, err
	}
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	f := CallFilter{}
	if filter != nil {
		f = *filter
	}
	communes, err := r.Communes.Filter(ctx, f.Communes, "filter", "communes")
	if err != nil {
		return nil, err
	}
	if communes == nil {
		communes = v.Communes
	}
	var a pg.Args
	where := "c.commune_id = any (" + a.Add(communes) + ")"
	if f.Reason != nil {
		where += " and c.reason = " + a.Add(string(*f.Reason))
	}
	if f.Outcome != nil {
		where += " and c.outcome = " + a.Add(string(*f.Outcome))
	}
	type position struct {
		At  time.Time `json:"t"`
		Row uuid.UUID `json:"i"`
	}
	list := fmt.Sprint("calls ", where, a)
	if after != nil {
		var at position
		if err := r.Cursors.Open(list, *after, &at); err != nil {
			return nil, err
		}
		where += " and (c.at, c.id) < (" + a.Add(at.At) + "::timestamptz, " + a.Add(at.Row) + "::uuid)"
	}
	rows, err := pg.Select[HotlineCall](ctx, r.DB, v.Scope().In(communes...),
		`select `+callColumns+` from calls c where `+where+` order by c.at desc, c.id desc limit `+a.Add(first+1), a...)
	if err != nil {
		return nil, fmt.Errorf("list calls: %w", err)
	}
	c := &CallConnection{}
	c.PageInfo.HasPreviousPage = after != nil
	if len(rows) > first {
		rows, c.PageInfo.HasNextPage = rows[:first], true
	}
	c.Edges = make([]CallEdge, len(rows))
	for i := range rows {
		c.Edges[i] = CallEdge{Node: &rows[i], Cursor: r.Cursors.Seal(list, position{rows[i].At, rows[i].Row})}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
}
