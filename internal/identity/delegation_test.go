package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// delegating is a shop with its merchant, an agent of its commune, and a clock.
type delegating struct {
	*identity.Delegations
	r               *identity.Resolver
	d               *pgtest.Database
	shop            tenancy.ID
	merchant, agent *identity.Viewer
	clock           *clock
}

func delegations(t *testing.T) *delegating {
	t.Helper()
	d, c := pgtest.New(t), &clock{}
	c.set(noon)
	s := &delegating{Delegations: identity.NewDelegations(d.DB, fixture.Secret), d: d, clock: c, shop: fixture.Shop(t, d, fixture.ShopOpts{Name: "Chez Ève"})}
	s.r = &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Now: c.now}
	s.Now = c.now
	s.merchant, s.agent = fixture.Viewer(t, d, identity.Merchant, s.shop), fixture.Viewer(t, d, identity.Agent, lorient)
	return s
}

func (s *delegating) ask(t *testing.T, days int) tenancy.ID {
	t.Helper()
	got, err := s.Ask(t.Context(), s.agent, identity.AskDelegationInput{Shop: s.shop, Days: days, Reason: "Inventaire avec vous"})
	if err != nil {
		t.Fatal(err)
	}
	return got.Delegation.ID()
}

func (s *delegating) may(t *testing.T, want fault.Kind) *identity.Viewer {
	t.Helper()
	v, _, err := s.r.ActFor(t.Context(), s.agent, s.shop)
	if kindOf(err) != want {
		t.Errorf("at %s the agent may act: %v %+v", s.clock.now(), err, v)
	}
	return v
}

// An agent acts for a shop from the merchant's consent until the last day, or until either ends it.
func TestDelegation(t *testing.T) {
	t.Parallel()
	s := delegations(t)
	id := s.ask(t, 3)
	if again := s.ask(t, 9); again != id {
		t.Errorf("asked again: %s, not %s", again, id)
	}
	if n := pgtest.Scan[int](t, s.d, `select count(*) from river.river_job where kind = 'mail' and args->>'template' = 'delegation_code' and args->>'id' = $1::text`, id.Row); n != 1 {
		t.Errorf("%d messages to the shop", n)
	}
	s.may(t, fault.Forbidden)
	seen, err := s.Of(t.Context(), s.merchant, []tenancy.ID{s.shop})
	if err != nil || len(seen[s.shop]) != 1 || seen[s.shop][0].Status() != identity.Asked || *seen[s.shop][0].AgentName != "Camille Le Test" || seen[s.shop][0].Days != 3 {
		t.Fatalf("the merchant sees %v %+v", err, seen)
	}
	got, err := s.Delegate(t.Context(), s.merchant, identity.DelegateShopInput{Delegation: id})
	if err != nil || got.Delegation.Status() != identity.Active || !got.Delegation.EndsAt.Equal(noon.Add(3*24*time.Hour)) {
		t.Fatalf("%v %+v", err, got)
	}
	if _, err := s.Delegate(t.Context(), s.merchant, identity.DelegateShopInput{Delegation: id}); kindOf(err) != fault.Conflict {
		t.Errorf("consented twice: %v", err)
	}
	v := s.may(t, "")
	if v.Kind != identity.Merchant || !cmp.Equal(v.Shops, []tenancy.ID{s.shop}) || v.Account != s.agent.Account || !v.Delegated() || v.Serves(fixture.Lorient) {
		t.Errorf("acts as %+v", v)
	}
	if _, _, err := s.r.ActFor(t.Context(), s.agent, fixture.Shop(t, s.d, fixture.ShopOpts{})); kindOf(err) != fault.Forbidden {
		t.Errorf("for another shop: %v", err)
	}
	if _, _, err := s.r.ActFor(t.Context(), fixture.Viewer(t, s.d, identity.Agent, lorient), s.shop); kindOf(err) != fault.Forbidden {
		t.Errorf("another agent: %v", err)
	}
	if held, err := s.r.Again(t.Context(), v); err != nil || !held.Runs(s.shop) || !held.Delegated() {
		t.Errorf("a viewer held on to: %v %+v", err, held)
	}
	s.clock.set(noon.Add(3*24*time.Hour - time.Second))
	s.may(t, "")
	s.clock.advance(time.Second)
	s.may(t, fault.Forbidden)
	if _, err := s.r.Again(t.Context(), v); kindOf(err) != fault.Forbidden {
		t.Errorf("a viewer held on to: %v", err)
	}
	for name, by := range map[string]*identity.Viewer{"Merchant": s.merchant, "Agent": s.agent, "Colleague": fixture.Viewer(t, s.d, identity.Agent, lorient), "Admin": fixture.Viewer(t, s.d, identity.Admin)} {
		id := s.ask(t, 30)
		if _, err := s.Delegate(t.Context(), s.merchant, identity.DelegateShopInput{Delegation: id}); err != nil {
			t.Fatal(err)
		}
		s.may(t, "")
		for range 2 {
			if got, err := s.End(t.Context(), by, identity.EndDelegationInput{Delegation: id}); err != nil || got.Delegation.Status() != identity.Ended || got.Delegation.EndedAt == nil {
				t.Errorf("%s ends it: %v %+v", name, err, got)
			}
		}
		s.may(t, fault.Forbidden)
	}
	// Declined, withdrawn or too old, a request gets no consent.
	declined := s.ask(t, 1)
	if _, err := s.End(t.Context(), s.merchant, identity.EndDelegationInput{Delegation: declined}); err != nil {
		t.Error(err)
	}
	old := s.ask(t, 1)
	s.clock.advance(7 * 24 * time.Hour)
	for name, id := range map[string]tenancy.ID{"Declined": declined, "TooOld": old} {
		if _, err := s.Delegate(t.Context(), s.merchant, identity.DelegateShopInput{Delegation: id}); kindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	// With the role goes what was delegated.
	last := s.ask(t, 30)
	if _, err := s.Delegate(t.Context(), s.merchant, identity.DelegateShopInput{Delegation: last}); err != nil {
		t.Fatal(err)
	}
	v = s.may(t, "")
	s.d.Exec(t, `delete from grants where account_id = $1`, s.agent.Account)
	s.r.Forget(s.agent.Account)
	if _, err := s.r.Again(t.Context(), v); kindOf(err) != fault.Forbidden {
		t.Errorf("after the role: %v", err)
	}
	if n, err := (&identity.Audit{DB: s.d.DB, Cursors: page.NewSealer(fixture.Secret)}).Broken(t.Context(), fixture.Lorient); n != 0 || err != nil {
		t.Errorf("the log is broken at %d, %v", n, err)
	}
}

// Nobody delegates a shop but its merchant, and nobody else learns of it.
func TestWhoDelegates(t *testing.T) {
	t.Parallel()
	s := delegations(t)
	id := s.ask(t, 3)
	foreign := fixture.Shop(t, s.d, fixture.ShopOpts{})
	unknown := tenancy.NewID(tenancy.KindDelegation, fixture.Lorient)
	for name, c := range map[string]struct {
		v                   *identity.Viewer
		ask, delegate, list fault.Kind // list: "" sees it
	}{
		"Visitor":         {fixture.Viewer(t, s.d, identity.Visitor), fault.Unauthenticated, fault.Unauthenticated, fault.NotFound},
		"Customer":        {fixture.Viewer(t, s.d, identity.Customer), fault.Forbidden, fault.NotFound, fault.NotFound},
		"AnotherMerchant": {fixture.Viewer(t, s.d, identity.Merchant, foreign), fault.Forbidden, fault.NotFound, fault.NotFound},
		"Hotline":         {fixture.Viewer(t, s.d, identity.Hotline), fault.Forbidden, fault.NotFound, fault.NotFound},
		"Analyst":         {fixture.Viewer(t, s.d, identity.Analyst), fault.Forbidden, fault.NotFound, fault.NotFound},
		"AgentElsewhere":  {fixture.Viewer(t, s.d, identity.Agent, groix), fault.Forbidden, fault.NotFound, fault.NotFound},
		"Admin":           {fixture.Viewer(t, s.d, identity.Admin), fault.Forbidden, fault.Forbidden, ""},
		"TheAgentItself":  {s.agent, "", fault.Forbidden, ""},
	} {
		_, ask := s.Ask(t.Context(), c.v, identity.AskDelegationInput{Shop: s.shop, Days: 1, Reason: "x"})
		_, delegate := s.Delegate(t.Context(), c.v, identity.DelegateShopInput{Delegation: id})
		_, none := s.Delegate(t.Context(), c.v, identity.DelegateShopInput{Delegation: unknown})
		list, err := s.Of(t.Context(), c.v, []tenancy.ID{s.shop})
		if err != nil {
			t.Fatal(err)
		}
		if kindOf(ask) != c.ask || kindOf(delegate) != c.delegate || (len(list[s.shop]) > 0) != (c.list == "") {
			t.Errorf("%s: asks %v, delegates %v, sees %v", name, ask, delegate, list)
		}
		if c.list != "" && (delegate == nil || none == nil || fault.Of(delegate).Message != fault.Of(none).Message) {
			t.Errorf("%s: %v, and of one that is none %v", name, delegate, none)
		}
		if c.list != "" {
			if _, err := s.End(t.Context(), c.v, identity.EndDelegationInput{Delegation: id}); kindOf(err) != c.delegate {
				t.Errorf("%s ends it: %v", name, err)
			}
		}
	}
	for name, c := range map[string]struct {
		in identity.AskDelegationInput
		at string
	}{
		"NoDays": {identity.AskDelegationInput{Shop: s.shop, Reason: "x"}, "input days"}, "ThirtyOneDays": {identity.AskDelegationInput{Shop: s.shop, Days: 31, Reason: "x"}, "input days"},
		"NoReason": {identity.AskDelegationInput{Shop: s.shop, Days: 1, Reason: " "}, "input reason"}, "LongReason": {identity.AskDelegationInput{Shop: s.shop, Days: 1, Reason: strings.Repeat("a", 301)}, "input reason"},
		"NotAShop": {identity.AskDelegationInput{Shop: lorient, Days: 1, Reason: "x"}, "input shop"},
	} {
		if _, err := s.Ask(t.Context(), s.agent, c.in); kindOf(err) != fault.Invalid || strings.Join(fault.Of(err).Path, " ") != c.at {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Ask(t.Context(), s.agent, identity.AskDelegationInput{Shop: tenancy.NewID(tenancy.KindShop, fixture.Lorient), Days: 1, Reason: "x"}); kindOf(err) != fault.NotFound {
		t.Errorf("a shop that is not there: %v", err)
	}
}

// Without an account: the code that the shop was sent consents, within a day and five tries.
func TestDelegationByCode(t *testing.T) {
	t.Parallel()
	s := delegations(t)
	give := func(id tenancy.ID, code string) error {
		_, err := s.Delegate(t.Context(), s.agent, identity.DelegateShopInput{Delegation: id, Code: &code})
		return err
	}
	send := func(id tenancy.ID) *identity.DelegationCode {
		t.Helper()
		made, err := s.MakeCode(t.Context(), id.Commune, id.Row)
		if err != nil || made == nil || made.Shop != "Chez Ève" || made.Phone != "+33261910000" || made.Agent != "Camille Le Test" || made.Days != 3 || len(made.Code) != 7 {
			t.Fatalf("%v %+v", err, made)
		}
		return made
	}
	end := func(id tenancy.ID) {
		t.Helper()
		if _, err := s.End(t.Context(), s.agent, identity.EndDelegationInput{Delegation: id}); err != nil {
			t.Fatal(err)
		}
	}
	id := s.ask(t, 3)
	if err := give(id, ""); kindOf(err) != fault.Invalid {
		t.Errorf("before a code was sent: %v", err)
	}
	first, second := send(id), send(id)
	if n := pgtest.Scan[int](t, s.d, `select count(*) from delegations where position(convert_to($1, 'UTF8') in code_digest) > 0`, strings.ReplaceAll(second.Code, " ", "")); n != 0 {
		t.Error("the code is stored")
	}
	if first.Code != second.Code {
		if err := give(id, first.Code); kindOf(err) != fault.Invalid {
			t.Errorf("a code that another took over from: %v", err)
		}
	}
	colleague := fixture.Viewer(t, s.d, identity.Agent, lorient)
	if _, err := s.Delegate(t.Context(), colleague, identity.DelegateShopInput{Delegation: id, Code: &second.Code}); kindOf(err) != fault.Forbidden {
		t.Errorf("a colleague's: %v", err)
	}
	if err := give(id, strings.ReplaceAll(second.Code, " ", "-")); err != nil {
		t.Fatal(err)
	}
	s.may(t, "")
	if made, err := s.MakeCode(t.Context(), id.Commune, id.Row); made != nil || !errors.Is(err, identity.ErrOver) {
		t.Errorf("a code for what has its consent: %v %v", made, err)
	}
	end(id)

	guessed := s.ask(t, 3)
	right := send(guessed).Code
	for i := range 5 {
		wrong := "000 00" + string(rune('0'+i))
		if wrong == right {
			wrong = "999 999"
		}
		if err := give(guessed, wrong); kindOf(err) != fault.Invalid {
			t.Errorf("wrong code %d: %v", i, err)
		}
	}
	if err := give(guessed, right); kindOf(err) != fault.Limited {
		t.Errorf("the right code after five wrong ones: %v", err)
	}
	s.may(t, fault.Forbidden)
	end(guessed)

	late := s.ask(t, 3)
	code := send(late).Code
	s.clock.advance(24 * time.Hour)
	if err := give(late, code); kindOf(err) != fault.Conflict {
		t.Errorf("a day later: %v", err)
	}
	s.may(t, fault.Forbidden)
}
