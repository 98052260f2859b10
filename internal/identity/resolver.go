package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Resolver finds the viewer behind a credential.
type Resolver struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Issuers  *Issuers // nil: nobody can sign in
	Guests   *Guests
	Sessions *Sessions        // nil: our pages know no cookie
	Now      func() time.Time // time.Now when nil
	Keep     time.Duration    // how long what an account may do is remembered; rightsKept when zero

	mu        sync.Mutex
	bySubject map[subject]*standing
	byAccount map[uuid.UUID]*standing
	forgets   int // how often Forget was called: what was being read then may be from before
}

const (
	// rightsKept is how long a request may go on with what our tables said before: within twice
	// that a right that was taken away is gone everywhere, on sockets and subscriptions too.
	rightsKept = 25 * time.Second
	// maxRemembered bounds the memory, at half a kilobyte an account.
	maxRemembered = 10_000
)

// subject is a person as an issuer names it.
type subject struct{ issuer, subject string }

// standing is an account and what it may act for, as our tables had it at an instant.
type standing struct {
	subject  subject
	account  uuid.UUID
	name     string
	kind     Kind
	shops    []tenancy.ID // a merchant's
	communes []string     // an agent's
	at       time.Time
}

// Visitor is the viewer without a credential.
func (r *Resolver) Visitor(ctx context.Context) (*Viewer, error) {
	codes, err := r.Communes.Codes(ctx)
	return &Viewer{Kind: Visitor, all: codes}, err
}

// FromToken is the viewer that a token names, with the roles and shops granted to it, and the
// instant at which the token stops being good. Who signs in for the first time gets an account
// here. A guest's session is a token too.
func (r *Resolver) FromToken(ctx context.Context, token string) (*Viewer, time.Time, error) {
	if strings.HasPrefix(token, guestPrefix) {
		return r.Guests.fromToken(ctx, token)
	}
	if r.Issuers == nil {
		return nil, time.Time{}, fault.Errorf(fault.Unauthenticated, "Ce serveur ne reconnaît aucun jeton de connexion.")
	}
	person, expires, err := r.Issuers.Check(ctx, token)
	if err != nil {
		return nil, time.Time{}, err
	}
	s, err := r.standingOf(ctx, person)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("account of %q at %s: %w", person.Subject, person.Issuer, err)
	}
	v, err := r.viewer(ctx, s)
	return v, expires, err
}

// Again is the viewer as our tables have it now, for whoever holds on to one: a socket, a
// subscription. UNAUTHENTICATED when its account is gone, its session, or the link of a guest;
// FORBIDDEN when its delegation is.
func (r *Resolver) Again(ctx context.Context, v *Viewer) (*Viewer, error) {
	switch {
	case v.link != nil:
		return r.Guests.again(ctx, v, cmp.Or(r.Keep, rightsKept))
	case v.Account == uuid.Nil:
		return v, nil
	}
	if v.acting != nil {
		agent, err := r.Again(ctx, &Viewer{Account: v.Account, session: v.session})
		if err != nil {
			return nil, err
		}
		agent, _, err = r.ActFor(ctx, agent, v.acting.shop)
		return agent, err
	}
	if v.session != nil {
		if _, err := r.Sessions.use(ctx, v.session); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	s := r.byAccount[v.Account]
	r.mu.Unlock()
	if !r.fresh(s) {
		var err error
		if s, err = r.read(ctx, `a.id = $1`, v.Account); err != nil {
			return nil, err
		}
	}
	if s == nil {
		return nil, fault.Errorf(fault.Unauthenticated, "Ce compte n'existe plus. Reconnectez-vous.")
	}
	again, err := r.viewer(ctx, s)
	if err == nil {
		again.session = v.session
	}
	return again, err
}

// Forget makes a change of what an account may do hold at once in this process; in others it
// does after rightsKept.
func (r *Resolver) Forget(account uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgets++
	if s := r.byAccount[account]; s != nil {
		delete(r.byAccount, account)
		delete(r.bySubject, s.subject)
	}
}

func (r *Resolver) viewer(ctx context.Context, s *standing) (*Viewer, error) {
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return nil, err
	}
	v := &Viewer{Kind: s.kind, Account: s.account, Name: s.name, all: codes, Communes: s.communes, Shops: s.shops}
	if v.Kind == Hotline || v.Kind == Admin {
		v.Communes = codes
	}
	return v, nil
}

// standingOf is what the person's account may do; the account is made when there is none.
func (r *Resolver) standingOf(ctx context.Context, p *Person) (*standing, error) {
	r.mu.Lock()
	s := r.bySubject[subject{p.Issuer, p.Subject}]
	r.mu.Unlock()
	if r.fresh(s) {
		return s, nil
	}
	const which = `a.issuer = $1 and a.subject = $2`
	s, err := r.read(ctx, which, p.Issuer, p.Subject)
	if s != nil || err != nil {
		return s, err
	}
	// Of requests that come side by side one makes the account, and all read the same.
	_, err = r.DB.Pool(pg.Identity).Exec(ctx, `
		insert into accounts (id, issuer, subject, name, email, created_at) values ($1, $2, $3, $4, nullif($5, ''), $6)
		on conflict (issuer, subject) do nothing`, tenancy.NewRow(), p.Issuer, p.Subject, p.Name, p.Email, r.now())
	if err != nil {
		return nil, err
	}
	s, err = r.read(ctx, which, p.Issuer, p.Subject)
	if s == nil && err == nil {
		err = errors.New("gone as soon as made")
	}
	return s, err
}

// rank orders roles: who holds several asks as the one that reaches furthest.
var rank = []Kind{Admin, Hotline, Agent, Analyst, Merchant}

// read asks our tables, in one statement, and remembers; nil for no account.
func (r *Resolver) read(ctx context.Context, which string, args ...any) (*standing, error) {
	type row struct {
		ID        uuid.UUID
		Issuer    string
		Subject   string
		Name      string
		Role      *Kind
		CommuneID *string
		ShopID    *uuid.UUID
	}
	at := r.now() // before it is read: what is remembered is never older than it says
	r.mu.Lock()
	forgets := r.forgets
	r.mu.Unlock()
	rows, err := r.DB.Pool(pg.Identity).Query(ctx, `
		select a.id, a.issuer, a.subject, a.name, g.role, g.commune_id, g.shop_id
		from accounts a left join grants g on g.account_id = a.id
		where `+which+` order by g.commune_id, g.shop_id`, args...)
	if err != nil {
		return nil, err
	}
	grants, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	own := grants[0]
	s := &standing{subject: subject{own.Issuer, own.Subject}, account: own.ID, name: own.Name, kind: Customer, at: at}
	held := map[Kind]bool{}
	for _, g := range grants {
		if g.Role != nil {
			held[*g.Role] = true
		}
	}
	for _, kind := range rank {
		if held[kind] {
			s.kind = kind
			break
		}
	}
	for _, g := range grants {
		switch {
		case g.Role == nil || *g.Role != s.kind:
		case s.kind == Merchant:
			s.shops = append(s.shops, tenancy.RowID(tenancy.KindShop, *g.CommuneID, *g.ShopID))
		case s.kind == Agent:
			s.communes = append(s.communes, *g.CommuneID)
		}
	}
	r.remember(s, forgets)
	return s, nil
}

// remember keeps what was read, unless somebody's rights changed meanwhile.
func (r *Resolver) remember(s *standing, forgets int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgets != forgets {
		return
	}
	if r.byAccount == nil || len(r.byAccount) >= maxRemembered {
		r.byAccount, r.bySubject = map[uuid.UUID]*standing{}, map[subject]*standing{}
	}
	r.byAccount[s.account], r.bySubject[s.subject] = s, s
}

func (r *Resolver) fresh(s *standing) bool {
	return s != nil && r.now().Sub(s.at) < cmp.Or(r.Keep, rightsKept)
}

func (r *Resolver) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}
