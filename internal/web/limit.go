package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/rate"
)

// Limits say how often somebody may ask. The zero Limits are none.
//
// A question costs a point for itself and one for each object that it may answer, as
// `extensions.cost` tells: 25 communes are 26 points, a page of shops with products some hundreds.
type Limits struct {
	Account rate.Limit // points of one account, wherever it asks from
	Network rate.Limit // points of visitors and guests of one network, and of a widget's there, each widget apart
	Pages   rate.Limit // pages and files, of one network
	SignIns rate.Limit // credentials that do not hold, of one address
	Guesses rate.Limit // secrets of guests' links and invitations that are none, of one address

	Proxies []netip.Prefix   // whose X-Forwarded-For is believed
	Now     func() time.Time // time.Now when nil
}

// The networks of visitors. An address of its own for each attack is what any hoster sells by
// 256: counted by address, one customer with a /24 would have 256 limits. In IPv6 a home has a
// /56, so that a /48 is as many homes as a /24 has addresses. What honest visitors lose by it is
// little: a limit that 256 homes share is set for 256 homes.
const networkIPv4, networkIPv6 = 24, 48

// The addresses that tries at a secret are counted by: one, in IPv6 one home's network. Here it is
// the other way round. A neighbour who guesses must not keep anybody from an order's link; and with
// 60 bits to find, 256 times as many tries find nothing either.
const addressIPv4, addressIPv6 = 32, 64

// callers is how many each limiter remembers: some 10 MB.
const callers = 100_000

// caller is whom points are counted for.
type caller struct {
	account uuid.UUID    // else zero
	key     uuid.UUID    // of the widget; else zero
	network netip.Prefix // else the zero Prefix
}

// limiters are the limits at work.
type limiters struct {
	proxies  []netip.Prefix
	accounts *rate.Limiter[caller]
	networks *rate.Limiter[caller]
	pages    *rate.Limiter[caller]
	signIns  *rate.Limiter[caller]
	guesses  *rate.Limiter[caller]
}

func newLimiters(l Limits) *limiters {
	limiter := func(limit rate.Limit) *rate.Limiter[caller] { return rate.New[caller](limit, callers, l.Now) }
	return &limiters{
		proxies: l.Proxies, accounts: limiter(l.Account), networks: limiter(l.Network),
		pages: limiter(l.Pages), signIns: limiter(l.SignIns), guesses: limiter(l.Guesses),
	}
}

// whence is where a request comes from, and whether it has paid for itself.
type whence struct {
	network netip.Prefix // zero: nobody knows
	address netip.Prefix
	mark    string // address and browser
	paid    bool
}

func whenceOf(ctx context.Context) whence { return requestOf(ctx).from }

// located finds out where a request comes from.
func (s *Server) located(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, known := s.limits.client(r, s.fromRouter(r.Header.Get(routerHeader)))
		if known {
			from := &requestOf(r.Context()).from
			from.network, from.address = network(client, networkIPv4, networkIPv6), network(client, addressIPv4, addressIPv6)
			from.mark = from.address.String() + " " + r.UserAgent()
			note(r.Context(), slog.Any("network", from.network)) // written when the line is; of an address only this goes to the log
		}
		next.ServeHTTP(w, r)
	})
}

func network(a netip.Addr, bits4, bits6 int) netip.Prefix {
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, _ := a.Prefix(bits) // zero for the zero Addr
	return p
}

// client is the address that asks: of the hops that a request came by the last one that is not a
// proxy of ours, since all before it is hearsay. Of X-Forwarded-For each of our proxies added one
// entry at the right end, the address that it saw; what a client wrote there itself stands to the
// left of these and is never looked at. An entry that is no address ends the search at the proxy
// that let it pass.
//
// The federation's router is a proxy by its credential. Where it does not pass on whom it asks
// for, nobody is known: then it must limit its callers itself.
func (l *limiters) client(r *http.Request, router bool) (client netip.Addr, known bool) {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	client = plain(peer.Addr())
	var hops []string
	for _, line := range r.Header.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(line, ",")...)
	}
	trusted := router || l.trusts(client)
	for _, hop := range slices.Backward(hops) {
		if !trusted {
			break
		}
		address, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		client, router = address, false
		trusted = l.trusts(client)
	}
	return client, !router
}

func (l *limiters) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(l.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseHop reads an entry of X-Forwarded-For: an address, with or without a port.
func parseHop(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		var with netip.AddrPort
		with, err = netip.ParseAddrPort(text)
		a = with.Addr()
	}
	return plain(a), err
}

// plain is an address in the one form that it is compared in.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// asking is whom the points of ctx are counted for; nil when for nobody.
func (l *limiters) asking(ctx context.Context) (*rate.Limiter[caller], caller) {
	v, from := identity.From(ctx), whenceOf(ctx)
	switch {
	case v.Account != uuid.Nil:
		return l.accounts, caller{account: v.Account}
	case from.network == netip.Prefix{}:
		return nil, caller{}
	}
	return l.networks, caller{key: v.KeyID(), network: from.network}
}

// meter counts what is asked of the schema.
func (s *Server) meter() graph.Meter {
	take := func(ctx context.Context, points int) error {
		limiter, who := s.limits.asking(ctx)
		if limiter == nil {
			return nil
		}
		return refusal(limiter, who, points, "Vous demandez trop à la fois.")
	}
	return graph.Meter{
		Message: func(ctx context.Context) error {
			if whenceOf(ctx).paid {
				return nil
			}
			return take(ctx, 1)
		},
		Operation: take,
		Guess: func(ctx context.Context, tries int) error {
			if from := whenceOf(ctx); from.address.IsValid() {
				return refusal(s.limits.guesses, caller{network: from.address}, tries, "Trop d'essais n'étaient pas les bons.")
			}
			return nil
		},
		Guessed: func(ctx context.Context) { s.limits.guesses.Return(caller{network: whenceOf(ctx).address}, 1) },
	}
}

// refusal takes points, or is the fault that says when to come back.
func refusal(l *rate.Limiter[caller], who caller, points int, why string) error {
	wait, ok := l.Take(who, points)
	if ok {
		return nil
	}
	f := &fault.Error{Kind: fault.Limited, Wait: wait}
	f.Message = why + " Réessayez dans " + told(f.WaitSeconds()) + "."
	return f
}

func told(seconds int) string {
	switch {
	case seconds == 1:
		return "une seconde"
	case seconds < 120:
		return strconv.Itoa(seconds) + " secondes"
	}
	return strconv.Itoa((seconds+59)/60) + " minutes"
}

// paying lets a request pass that has a point left of those of its network, before anything is
// read of it. A socket's messages pay one by one.
func (s *Server) paying(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := &requestOf(r.Context()).from
		if from.network.IsValid() {
			if err := refusal(s.limits.networks, caller{network: from.network}, 1, "Trop de requêtes viennent de votre réseau."); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		from.paid = r.Header.Get("Upgrade") == "" // before anything that reads it begins
		next.ServeHTTP(w, r)
	})
}

// leafing lets pages and files pass that are not asked for too often.
func (s *Server) leafing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from := whenceOf(r.Context()); from.network.IsValid() {
			if err := refusal(s.limits.pages, caller{network: from.network}, 1, "Trop de pages sont demandées depuis votre réseau."); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// unproved counts a credential that did not hold. Whoever tries too many is told that in place of
// what was wrong with the next one; one that holds is never counted.
func (s *Server) unproved(ctx context.Context, err error) error {
	from := whenceOf(ctx)
	if !errors.Is(err, fault.Unauthenticated) || !from.address.IsValid() {
		return err
	}
	if limited := refusal(s.limits.signIns, caller{network: from.address}, 1, "Trop d'identifications ont échoué."); limited != nil {
		return limited
	}
	return err
}
