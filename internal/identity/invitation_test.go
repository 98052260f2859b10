package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// An invitation that is sent has its code when it is sent, known to its reader alone; sent again it
// has another, revoked none.
func TestSentInvitations(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	m := identity.NewMembers(d.DB, tenancy.NewRegister(d.DB), fixture.Secret)
	c := &clock{}
	c.set(time.Now())
	m.Now = c.now
	shop := fixture.Shop(t, d, fixture.ShopOpts{Name: "Chez Ève"})
	agent := fixture.Viewer(t, d, identity.Agent, lorient)
	over := identity.RoleScope{Role: identity.Merchant, Shop: &shop}
	invite := func(email, phone *string) *identity.InviteMemberPayload {
		t.Helper()
		made, err := m.Invite(t.Context(), agent, identity.InviteMemberInput{RoleScope: over, Email: email, Phone: phone})
		if err != nil || made.Code != nil {
			t.Fatalf("%v %+v", err, made)
		}
		return made
	}
	accept := func(code string) error {
		_, err := m.Accept(t.Context(), fixture.Viewer(t, d, identity.Customer), identity.AcceptInvitationInput{Code: code})
		return err
	}
	letter := func(i *identity.Invitation) *identity.InvitationLetter {
		t.Helper()
		l, err := m.MakeCode(t.Context(), i.Row)
		if err != nil || l.Over != "Chez Ève" || l.InvitedBy != "Camille Le Test" || l.Role != identity.Merchant {
			t.Fatalf("%v %+v", err, l)
		}
		return l
	}
	waiting := func() int {
		t.Helper()
		list, err := m.Invitations(t.Context(), agent, nil, &shop)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	jobs := func() int {
		return pgtest.Scan[int](t, d, `select count(*) from river.river_job where kind = 'mail' and args->>'template' = 'invitation'`)
	}
	mailed, texted := invite(some("anna@example.org"), nil).Invitation, invite(nil, some("06 39 98 12 34")).Invitation
	if jobs() != 2 || waiting() != 2 {
		t.Errorf("%d messages, %d wait", jobs(), waiting())
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from river.river_job where args::text like '%anna%' or args::text like '%98%12%34%'`); n != 0 {
		t.Error("a job names the person")
	}
	l := letter(mailed)
	if l.Email != "anna@example.org" || l.Phone != "" || letter(texted).Phone != "+33639981234" {
		t.Errorf("%+v", l)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from invitations where position(convert_to($1, 'UTF8') in digest) > 0`, l.Code); n != 0 {
		t.Error("the code is stored")
	}
	second := letter(mailed) // the first could not be sent
	if err := accept(l.Code); kindOf(err) != fault.NotFound {
		t.Errorf("a code that another took over from: %v", err)
	}
	c.advance(6 * 24 * time.Hour)
	again, err := m.Resend(t.Context(), agent, identity.InvitationInput{Invitation: mailed.ID()})
	if err != nil || again.Code != nil || again.Invitation.ExpiresAt.Sub(c.now()).Round(time.Hour) != 7*24*time.Hour || jobs() != 3 {
		t.Errorf("sent again: %v %+v", err, again)
	}
	if err := accept(second.Code); kindOf(err) != fault.NotFound {
		t.Errorf("the code before: %v", err)
	}
	c.advance(2 * 24 * time.Hour) // the first seven days are over
	if err := accept(strings.ToLower(letter(mailed).Code)); err != nil {
		t.Errorf("accepted: %v", err)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from invitations where email is not null`); n != 0 {
		t.Error("the address is kept")
	}
	if _, err := m.MakeCode(t.Context(), mailed.Row); !errors.Is(err, identity.ErrOver) {
		t.Errorf("a code for what served: %v", err)
	}
	for what, do := range map[string]func() error{
		"resend": func() error {
			_, err := m.Resend(t.Context(), agent, identity.InvitationInput{Invitation: mailed.ID()})
			return err
		},
		"revoke": func() error {
			_, err := m.RevokeInvitation(t.Context(), agent, identity.InvitationInput{Invitation: mailed.ID()})
			return err
		},
	} {
		if err := do(); kindOf(err) != fault.Conflict || strings.Join(fault.Of(err).Path, " ") != "input invitation" {
			t.Errorf("%s what served: %v", what, err)
		}
	}
	// Expired it may be sent again; revoked it may not.
	if _, err := m.MakeCode(t.Context(), texted.Row); !errors.Is(err, identity.ErrOver) {
		t.Errorf("a code for what expired: %v", err)
	}
	if _, err := m.Resend(t.Context(), agent, identity.InvitationInput{Invitation: texted.ID()}); err != nil {
		t.Errorf("sent again: %v", err)
	}
	code := letter(texted).Code
	if _, err := m.RevokeInvitation(t.Context(), agent, identity.InvitationInput{Invitation: texted.ID()}); err != nil || waiting() != 0 {
		t.Errorf("revoked: %v, %d wait", err, waiting())
	}
	if err := accept(code); kindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "retirée") {
		t.Errorf("a revoked one: %v", err)
	}
	// Handed over, it is shown again with another code.
	made, err := m.Invite(t.Context(), agent, identity.InviteMemberInput{RoleScope: over})
	if err != nil || made.Code == nil {
		t.Fatalf("%v %+v", err, made)
	}
	shown, err := m.Resend(t.Context(), agent, identity.InvitationInput{Invitation: made.Invitation.ID()})
	if err != nil || shown.Code == nil || *shown.Code == *made.Code || accept(*made.Code) == nil || accept(*shown.Code) != nil {
		t.Errorf("%v %+v", err, shown)
	}
	if n, err := (&identity.Audit{DB: d.DB, Cursors: page.NewSealer(fixture.Secret)}).Broken(t.Context(), fixture.Lorient); n != 0 || err != nil {
		t.Errorf("the log is broken at %d, %v", n, err)
	}
}

// Invitations are the business of those who decide on the role; an address is one.
func TestWhoseInvitations(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	m := identity.NewMembers(d.DB, tenancy.NewRegister(d.DB), fixture.Secret)
	agent, admin := fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Admin)
	ours, err := m.Invite(t.Context(), agent, identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Agent, Commune: &lorient}})
	if err != nil {
		t.Fatal(err)
	}
	platform, err := m.Invite(t.Context(), admin, identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Hotline}})
	if err != nil {
		t.Fatal(err)
	}
	unknown := tenancy.ID{Kind: tenancy.KindInvitation, Row: tenancy.NewRow()}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		of   tenancy.ID
		want fault.Kind
	}{
		"AgentElsewhere": {fixture.Viewer(t, d, identity.Agent, groix), ours.Invitation.ID(), fault.NotFound}, "AgentOnThePlatforms": {agent, platform.Invitation.ID(), fault.NotFound},
		"Hotline": {fixture.Viewer(t, d, identity.Hotline), ours.Invitation.ID(), fault.NotFound}, "Visitor": {fixture.Viewer(t, d, identity.Visitor), ours.Invitation.ID(), fault.Unauthenticated},
		"Unknown": {admin, unknown, fault.NotFound}, "NotAnInvitation": {admin, lorient, fault.Invalid},
	} {
		_, resend := m.Resend(t.Context(), c.v, identity.InvitationInput{Invitation: c.of})
		_, revoke := m.RevokeInvitation(t.Context(), c.v, identity.InvitationInput{Invitation: c.of})
		if kindOf(resend) != c.want || kindOf(revoke) != c.want {
			t.Errorf("%s: %v, %v", name, resend, revoke)
		}
	}
	if list, err := m.Invitations(t.Context(), admin, nil, nil); err != nil || len(list) != 1 || list[0].ID() != platform.Invitation.ID() {
		t.Errorf("the platform's: %v %v", err, list)
	}
	if _, err := m.Invitations(t.Context(), agent, nil, nil); kindOf(err) != fault.Forbidden {
		t.Errorf("an agent lists the platform's: %v", err)
	}
	for name, c := range map[string]struct {
		email, phone *string
		at           string
	}{
		"NotAnAddress": {some("anna"), nil, "input email"}, "Header": {some("a@b.fr\nBcc: x@y.fr"), nil, "input email"}, "Named": {some("Anna <a@b.fr>"), nil, "input email"},
		"NotANumber": {nil, some("36"), "input phone"}, "Both": {some("a@b.fr"), some("0639981234"), "input phone"},
	} {
		_, err := m.Invite(t.Context(), agent, identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Agent, Commune: &lorient}, Email: c.email, Phone: c.phone})
		if kindOf(err) != fault.Invalid || strings.Join(fault.Of(err).Path, " ") != c.at {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever guesses is stopped after ten wrong codes, for an hour; others are not.
func TestGuessingInvitations(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	m := identity.NewMembers(d.DB, tenancy.NewRegister(d.DB), fixture.Secret)
	c := &clock{}
	c.set(time.Now())
	m.Now = c.now
	made, err := m.Invite(t.Context(), fixture.Viewer(t, d, identity.Agent, lorient), identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Agent, Commune: &lorient}})
	if err != nil {
		t.Fatal(err)
	}
	guesser, other := fixture.Viewer(t, d, identity.Customer), fixture.Viewer(t, d, identity.Customer)
	give := func(v *identity.Viewer, code string) fault.Kind {
		_, err := m.Accept(t.Context(), v, identity.AcceptInvitationInput{Code: code})
		return kindOf(err)
	}
	for i := range 10 {
		if got := give(guesser, "AAAA-AAAA-AAA"+string(rune('0'+i))); got != fault.NotFound {
			t.Errorf("guess %d: %s", i, got)
		}
	}
	if got := give(guesser, *made.Code); got != fault.Limited {
		t.Errorf("after ten: %q", got)
	}
	if got := give(other, "AAAA-AAAA-AAAA"); got != fault.NotFound {
		t.Errorf("another: %s", got)
	}
	c.advance(time.Hour)
	if got := give(guesser, *made.Code); got != "" {
		t.Errorf("an hour later: %s", got)
	}
	if got := give(guesser, "AAAA-AAAA-AAAA"); got != fault.NotFound {
		t.Errorf("a guess, an hour later: %s", got)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from code_failures where account_id = $1`, guesser.Account); n != 1 {
		t.Errorf("%d wrong codes are kept", n)
	}
}
