package notice_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// A code that was sent works: an invitation's by mail or telephone, and the one with which a
// merchant lets an agent act for the shop.
func TestCodesThatAreSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.notices.Members = identity.NewMembers(b.DB, tenancy.NewRegister(b.DB), fixture.Secret)
	b.notices.Delegations = identity.NewDelegations(b.DB, fixture.Secret)
	commune := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	agent := fixture.Viewer(t, b.Database, identity.Agent, commune)
	email, phone := "anna@example.bzh", "06 39 98 12 34"
	invite := func(in identity.InviteMemberInput) {
		t.Helper()
		if _, err := b.notices.Members.Invite(t.Context(), agent, in); err != nil {
			t.Fatal(err)
		}
	}
	invite(identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Merchant, Shop: &b.shop}, Email: &email})
	invite(identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Agent, Commune: &commune}, Phone: &phone})
	if _, err := b.notices.Delegations.Ask(t.Context(), agent, identity.AskDelegationInput{Shop: b.shop, Days: 2, Reason: "Préparer\r\nBcc: x@example.org"}); err == nil {
		t.Fatal("a reason with a line of a header in it")
	}
	asked, err := b.notices.Delegations.Ask(t.Context(), agent, identity.AskDelegationInput{Shop: b.shop, Days: 2, Reason: "Préparer les commandes avec vous"})
	if err != nil {
		t.Fatal(err)
	}
	b.run(t)
	eventually(t, "all are sent", func() bool { return b.jobs(t, "completed") == 3 })
	mails := map[string]string{}
	for _, m := range b.sink.Mails() {
		subject, text := saidBy(t, m)
		mails[strings.Join(m.To, " ")] = subject + "\n" + text
	}
	code := regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}`)
	text := b.texts.last.Load()
	if len(mails) != 2 || text == nil || text[0] != "+33639981234" || !strings.Contains(text[1], "Camille Le Test vous invite à agir au nom de la commune : Lorient") {
		t.Fatalf("%v, %v", mails, text)
	}
	if got := mails[email]; !strings.Contains(got, "gérer la boutique L’Épicerie du Port") || !strings.Contains(got, "https://halles.bzh/") {
		t.Error(got)
	}
	for _, sent := range []string{mails[email], text[1]} {
		if _, err := b.notices.Members.Accept(t.Context(), fixture.Viewer(t, b.Database, identity.Customer), identity.AcceptInvitationInput{Code: code.FindString(sent)}); err != nil {
			t.Errorf("%v of %s", err, sent)
		}
	}
	told := mails["epicerie@example.bzh"]
	digits := regexp.MustCompile(`[0-9]{3} [0-9]{3}`).FindString(told)
	if !strings.Contains(told, "« Préparer les commandes avec vous »") || !strings.Contains(told, "2 jours") {
		t.Error(told)
	}
	got, err := b.notices.Delegations.Delegate(t.Context(), agent, identity.DelegateShopInput{Delegation: asked.Delegation.ID(), Code: &digits})
	if err != nil || got.Delegation.Status() != identity.Active {
		t.Errorf("%v of %s", err, told)
	}
}
