// Package identity says who is asking: the viewer, from a token, and the roles and shops
// that our own tables grant it. What a viewer may do is decided by the features.
package identity

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Kind is the capacity in which a viewer asks.
type Kind string

// The kinds of viewers. A person with several roles asks as the first of AGENT, MERCHANT…
// that it holds; see Resolver.
const (
	Visitor  Kind = "VISITOR"  // nobody in particular: reads what is published, orders as a guest
	Widget   Kind = "WIDGET"   // a visitor of a commune's website: reads and orders in that commune only
	Guest    Kind = "GUEST"    // holds the link to the orders of one basket
	Customer Kind = "CUSTOMER" // has an account
	Merchant Kind = "MERCHANT" // runs one or several shops
	Agent    Kind = "AGENT"    // works for one or several communes
	Hotline  Kind = "HOTLINE"  // answers the numéro vert, for all communes
	Analyst  Kind = "ANALYST"  // reads aggregates only
	Admin    Kind = "ADMIN"    // runs the platform
)

// Viewer is who asks. It is made once per request by the Resolver and never from the text of
// a request.
type Viewer struct {
	Kind     Kind
	Account  uuid.UUID    // zero for a visitor and a guest
	Name     string       // how to greet the person; empty for a visitor and a guest
	all      []string     // every commune: the catalogue is public; with a widget's key, its own
	key      *WidgetKey   // that the request came with; see Through
	acting   *acting      // an agent in the place of a merchant; see Delegations
	session  []byte       // digest of the cookie that the request came with; see Sessions
	Communes []string     // an agent's own; all of them for hotline and admin
	Shops    []tenancy.ID // a merchant's
	Orders   []tenancy.ID // a guest's
	link     []byte       // digest of the guest's link, which must go on to hold; nil without one
	read     time.Time    // when the link was
	mark     string       // what the request came by; see CameBy
}

// CameBy tells a visitor from others of the day: by its address and browser, as the request has
// them. They stay in memory.
func (v *Viewer) CameBy(mark string) { v.mark = mark }

// Mark is the same for what one session asks within a day, and differs between most: an account's,
// a link's, else what a visitor came by. It is personal data: whoever counts distinct sessions keeps
// a digest under a secret that is deleted.
func (v *Viewer) Mark() string {
	switch {
	case v.Account != uuid.Nil:
		return "account " + v.Account.String()
	case v.link != nil:
		return "link " + string(v.link)
	}
	return "visitor " + v.mark
}

// Scope is the viewer for row-level security.
func (v *Viewer) Scope() pg.Scope {
	s := pg.Scope{Role: pg.App, Viewer: v.Account, Communes: v.all, Staff: v.Communes}
	switch v.Kind {
	case Customer:
		s.Kind = "customer"
	case Merchant:
		s.Kind, s.Shops = "merchant", rows(v.Shops)
		if v.acting != nil { // the log lets such a merchant write, see audit_events
			s.Staff, s.Witness = []string{v.acting.shop.Commune}, v.witness
		}
	case Guest:
		s.Kind, s.Orders = "guest", rows(v.Orders)
	case Agent:
		s.Kind = "agent"
	case Hotline:
		s.Kind = "hotline"
	case Admin:
		s.Kind = "admin"
	default: // visitor, widget, analyst: the published catalogue and nothing else
		return pg.Scope{Role: pg.Public, Kind: "visitor", Communes: v.all}
	}
	return s
}

// IsAnybody tells a visitor who comes with nothing of his own, neither a link nor a widget's key: what one
// of them reads is what all of them read.
func (v *Viewer) IsAnybody() bool {
	return v.Kind == Visitor && v.Account == uuid.Nil && v.key == nil && v.acting == nil && v.link == nil &&
		len(v.Communes)+len(v.Shops)+len(v.Orders) == 0
}

// PublicScope is the scope of what everybody may read, whoever asks.
func (v *Viewer) PublicScope() pg.Scope {
	return pg.Scope{Role: pg.Public, Kind: "visitor", Communes: v.all}
}

// AllCommunes lists every commune that the published catalogue spans for the viewer: all of the
// platform's, or the one of its widget.
func (v *Viewer) AllCommunes() []string { return v.all }

// Spans keeps of communes those that are there for the viewer: a widget's own, else all.
func (v *Viewer) Spans(communes []string) []string {
	if !Checked || v.key == nil {
		return communes
	}
	return within(communes, func(c string) bool { return slices.Contains(v.all, c) })
}

// Within keeps of ids those of things in such communes; the others exist for somebody else. What
// a commune is and says is for all.
func (v *Viewer) Within(ids []tenancy.ID) []tenancy.ID {
	if !Checked || v.key == nil {
		return ids
	}
	return within(ids, func(id tenancy.ID) bool { return id.Kind == tenancy.KindCommune || slices.Contains(v.all, id.Commune) })
}

func within[T any](list []T, there func(T) bool) []T {
	kept := make([]T, 0, len(list))
	for _, x := range list {
		if there(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

// GuestOf is the viewer bound to orders, as which a visitor's own orders are written and read.
func (v *Viewer) GuestOf(orders ...tenancy.ID) *Viewer {
	return &Viewer{Kind: Guest, all: v.all, Orders: orders}
}

// AsCustomer is the viewer as a private person: merchants and staff buy too.
func (v *Viewer) AsCustomer() *Viewer {
	return &Viewer{Kind: Customer, all: v.all, Account: v.Account, Name: v.Name}
}

// Runs tells whether the viewer is a merchant of the shop.
func (v *Viewer) Runs(shop tenancy.ID) bool {
	return !Checked || v.Kind == Merchant && slices.Contains(v.Shops, shop)
}

// Serves tells whether the viewer is staff of the commune.
func (v *Viewer) Serves(commune string) bool {
	return !Checked || (v.Kind == Agent || v.Kind == Hotline || v.Kind == Admin) && slices.Contains(v.Communes, commune)
}

// administers refuses a viewer that may not say who reaches a commune: its agents and the
// platform's admins may. Communes are public, and one that does not exist is served by nobody.
func (v *Viewer) administers(commune string) error {
	if err := v.SignedIn(); err != nil && !v.IsPlatform() {
		return err
	}
	switch {
	case v.Kind != Agent && v.Kind != Admin:
		return fault.Errorf(fault.Forbidden, "Seuls les agents d'une commune et les administrateurs de la plateforme peuvent faire cela.")
	case !v.Serves(commune):
		return fault.Errorf(fault.Forbidden, "Vous ne servez pas cette commune ; viewer { communes } donne celles que vous servez.")
	}
	return nil
}

// ruling is the scope in which identity changes its own tables in the viewer's name.
func (v *Viewer) ruling(communes ...string) pg.Scope {
	s := v.Scope()
	s.Role = pg.Identity
	return s.In(communes...)
}

// SignedIn refuses a viewer without an account.
func (v *Viewer) SignedIn() error {
	if v.Account == uuid.Nil {
		return fault.Errorf(fault.Unauthenticated, "Connectez-vous pour continuer.")
	}
	return nil
}

func rows(ids []tenancy.ID) []uuid.UUID {
	list := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		list[i] = id.Row
	}
	return list
}

type contextKey struct{}

// With puts the viewer in a context: the only thing of ours that travels there.
func With(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, contextKey{}, v)
}

// From returns the viewer of a context. Every request has one; to lack it is a mistake in the
// wiring, and panics rather than to guess.
func From(ctx context.Context) *Viewer { return ctx.Value(contextKey{}).(*Viewer) }

type expiryKey struct{}

// WithExpiry tells a context when the viewer's credential ends: what streams must not outlive.
func WithExpiry(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, expiryKey{}, at)
}

// Expiry is when the viewer's credential ends; false for one that does not, a visitor's.
func Expiry(ctx context.Context) (time.Time, bool) {
	at, ok := ctx.Value(expiryKey{}).(time.Time)
	return at, ok && !at.IsZero()
}
