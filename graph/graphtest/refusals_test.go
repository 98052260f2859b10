package graphtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// Whoever administers and errs is told what is wrong, of which argument, and what to do.
func TestAdministrationRefuses(t *testing.T) {
	t.Parallel()
	h := graphtest.New(t)
	d := h.Database
	lorient, groix := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}
	foreign := fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	agent, admin := fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Admin)
	_, customer := fixture.Account(t, d, identity.Customer)
	const invite = `mutation { inviteMember(input: {role: AGENT, commune: "commune_56121"}) { code } }`
	code := func(ago time.Duration) string {
		h.Resolver.Members.Now = func() time.Time { return time.Now().Add(-ago) }
		defer func() { h.Resolver.Members.Now = time.Now }()
		return h.As(agent).Query(t, invite, nil).OK(t).Get("inviteMember.code").String()
	}
	const accept = `mutation ($code: String!) { acceptInvitation(input: {code: $code}) { role { name } } }`
	used := code(0)
	h.As(fixture.Viewer(t, d, identity.Customer)).Query(t, accept, graphtest.Vars{"code": used}).OK(t)
	const grant = `mutation ($in: ChangeRoleInput!) { grantRole(input: $in) { member { name } } }`
	role := func(role string, over ...string) graphtest.Vars {
		in := map[string]any{"account": tenancy.AccountID(customer).String(), "role": role}
		if len(over) == 2 {
			in[over[0]] = over[1]
		}
		return graphtest.Vars{"in": in}
	}
	const create = `mutation ($o: String!) { createWidgetKey(input: {commune: "commune_56121", name: "Site", origins: ["https://lorient.bzh", $o]}) { key { id } } }`
	for name, c := range map[string]struct {
		v        *identity.Viewer
		document string
		vars     graphtest.Vars
		code     fault.Kind
		argument string
		says     string
	}{
		"InvitationExpired":      {agent, accept, graphtest.Vars{"code": code(8 * 24 * time.Hour)}, fault.Conflict, "input code", "a expiré"},
		"InvitationUsed":         {agent, accept, graphtest.Vars{"code": used}, fault.Conflict, "input code", "déjà servi"},
		"InvitationUnknown":      {agent, accept, graphtest.Vars{"code": "AAAA-AAAA-AAAA"}, fault.NotFound, "input code", "Aucune invitation"},
		"LastAdminRemovesItself": {admin, `mutation ($a: ID!) { revokeRole(input: {account: $a, role: ADMIN}) { member { name } } }`, graphtest.Vars{"a": tenancy.AccountID(admin.Account).String()}, fault.Conflict, "input role", "dernier administrateur"},
		"AgentOfAnotherCommune":  {agent, grant, role("AGENT", "commune", groix.String()), fault.Forbidden, "input commune", "ne servez pas cette commune"},
		"MerchantElsewhere":      {agent, grant, role("MERCHANT", "shop", foreign.String()), fault.Forbidden, "input shop", "ne servez pas cette commune"},
		"RoleOverThePlatform":    {agent, grant, role("HOTLINE"), fault.Forbidden, "input role", "administrateurs de la plateforme"},
		"RoleOverNothing":        {agent, grant, role("AGENT"), fault.Invalid, "input commune", "donnez commune"},
		"OriginWithAPath":        {agent, create, graphtest.Vars{"o": "https://lorient.bzh/boutiques"}, fault.Invalid, "input origins 1", "un chemin n'en fait pas partie"},
		"OriginWithAWildcard":    {agent, create, graphtest.Vars{"o": "https://*.lorient.bzh"}, fault.Invalid, "input origins 1", "joker"},
	} {
		a := h.As(c.v).Query(t, c.document, c.vars)
		if a.Code() != c.code || strings.Join(a.Errors[0].Extensions.Argument, " ") != c.argument || !strings.Contains(a.Errors[0].Message, c.says) {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
}
