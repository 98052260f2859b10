package identity_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
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

func kindOf(err error) fault.Kind {
	if f := fault.Of(err); f != nil {
		return f.Kind
	}
	if err != nil {
		return fault.Internal
	}
	return ""
}

// Who decides on which role, over what: everybody else is told why not, and nothing changes.
func TestWhoDecidesOnRoles(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	members := identity.NewMembers(d.DB, tenancy.NewRegister(d.DB), fixture.Secret)
	shop, foreign := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	_, account := fixture.Account(t, d, identity.Customer)
	somebody := tenancy.AccountID(account)
	scopes := map[string]identity.RoleScope{
		"MerchantHere": {Role: identity.Merchant, Shop: &shop}, "AgentHere": {Role: identity.Agent, Commune: &lorient},
		"MerchantThere": {Role: identity.Merchant, Shop: &foreign}, "AgentThere": {Role: identity.Agent, Commune: &groix},
		"Hotline": {Role: identity.Hotline}, "Analyst": {Role: identity.Analyst}, "Admin": {Role: identity.Admin},
	}
	visitor := fixture.Viewer(t, d, identity.Visitor)
	for name, c := range map[string]struct {
		v   *identity.Viewer
		may []string
	}{
		"Visitor": {visitor, nil}, "Guest": {visitor.GuestOf(), nil}, "Customer": {fixture.Viewer(t, d, identity.Customer), nil},
		"Merchant": {fixture.Viewer(t, d, identity.Merchant, shop), nil}, "Hotline": {fixture.Viewer(t, d, identity.Hotline), nil},
		"Analyst": {fixture.Viewer(t, d, identity.Analyst), nil},
		"Agent":   {fixture.Viewer(t, d, identity.Agent, lorient), []string{"MerchantHere", "AgentHere"}},
		"Admin":   {fixture.Viewer(t, d, identity.Admin), []string{"MerchantHere", "AgentHere", "MerchantThere", "AgentThere", "Hotline", "Analyst", "Admin"}},
	} {
		for over, scope := range scopes {
			want := fault.Forbidden
			if c.v.Account == visitor.Account {
				want = fault.Unauthenticated
			}
			for _, m := range c.may {
				if m == over {
					want = ""
				}
			}
			_, invite := members.Invite(t.Context(), c.v, identity.InviteMemberInput{RoleScope: scope})
			_, grant := members.Grant(t.Context(), c.v, identity.ChangeRoleInput{RoleScope: scope, Account: somebody})
			_, list := members.List(t.Context(), c.v, scope.Commune, scope.Shop)
			held := pgtest.Scan[int](t, d, `select count(*) from grants where account_id = $1`, account)
			_, revoke := members.Revoke(t.Context(), c.v, identity.ChangeRoleInput{RoleScope: scope, Account: somebody})
			if left := pgtest.Scan[int](t, d, `select count(*) from grants where account_id = $1`, account); left != 0 || held != map[bool]int{true: 1}[want == ""] {
				t.Errorf("%s, %s: %d roles, then %d", name, over, held, left)
			}
			for what, err := range map[string]error{"invite": invite, "grant": grant, "list": list, "revoke": revoke} {
				if got := kindOf(err); got != want {
					t.Errorf("%s may %s %s: %v", name, what, over, err)
				}
			}
		}
	}
	agent, admin := fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Admin)
	unknownShop, unknownAccount := tenancy.NewID(tenancy.KindShop, fixture.Lorient), tenancy.AccountID(tenancy.NewRow())
	for name, c := range map[string]struct {
		v    *identity.Viewer
		in   identity.ChangeRoleInput
		want fault.Kind
	}{
		"UnknownShop":       {agent, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Merchant, Shop: &unknownShop}, Account: somebody}, fault.NotFound},
		"UnknownAccount":    {agent, identity.ChangeRoleInput{RoleScope: scopes["AgentHere"], Account: unknownAccount}, fault.NotFound},
		"NotAnAccount":      {agent, identity.ChangeRoleInput{RoleScope: scopes["AgentHere"], Account: shop}, fault.Invalid},
		"NoShop":            {agent, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Merchant}, Account: somebody}, fault.Invalid},
		"ShopIsACommune":    {agent, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Merchant, Shop: &lorient}, Account: somebody}, fault.Invalid},
		"CommuneAndShop":    {agent, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Merchant, Shop: &shop, Commune: &lorient}, Account: somebody}, fault.Invalid},
		"NoCommune":         {agent, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Agent}, Account: somebody}, fault.Invalid},
		"AdminOfACommune":   {admin, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Admin, Commune: &lorient}, Account: somebody}, fault.Invalid},
		"RoleThatIsNone":    {admin, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Guest}, Account: somebody}, fault.Invalid},
		"CommuneThatIsNone": {admin, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Agent, Commune: &tenancy.ID{Kind: tenancy.KindCommune, Commune: "99999"}}, Account: somebody}, fault.Forbidden},
	} {
		if _, err := members.Grant(t.Context(), c.v, c.in); kindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A code gives its role once, to the first account that has it, until it expires.
func TestInvitations(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	communes := tenancy.NewRegister(d.DB)
	members := identity.NewMembers(d.DB, communes, fixture.Secret)
	now := time.Now()
	members.Now = func() time.Time { return now }
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	agent := fixture.Viewer(t, d, identity.Agent, lorient)
	invite := func(scope identity.RoleScope, v *identity.Viewer) string {
		t.Helper()
		made, err := members.Invite(t.Context(), v, identity.InviteMemberInput{RoleScope: scope})
		if err != nil || !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$`).MatchString(*made.Code) || made.ExpiresAt.Sub(now).Round(time.Hour) != 7*24*time.Hour {
			t.Fatalf("%v %+v", err, made)
		}
		return *made.Code
	}
	again := func(subject string) *identity.Viewer {
		t.Helper()
		r := &identity.Resolver{DB: d.DB, Communes: communes, Issuers: fixture.Issuers()}
		token, err := fixture.NewIssuer().Sign(subject, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := r.FromToken(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	subject, _ := fixture.Account(t, d, identity.Customer)
	code := invite(identity.RoleScope{Role: identity.Merchant, Shop: &shop}, agent)
	if n := pgtest.Scan[int](t, d, `select count(*) from invitations where position(convert_to($1, 'UTF8') in digest) > 0`, code); n != 0 {
		t.Error("the code is stored")
	}
	other := identity.NewMembers(d.DB, communes, []byte("another deployment's secret, of 32 bytes or more"))
	for name, c := range map[string]struct {
		m    *identity.Members
		code string
		v    *identity.Viewer
		want fault.Kind
	}{
		"Wrong":              {members, "AAAA-AAAA-AAAA", again(subject), fault.NotFound},
		"Empty":              {members, "", again(subject), fault.NotFound},
		"CutShort":           {members, code[:13], again(subject), fault.NotFound},
		"AnotherDeployments": {other, code, again(subject), fault.NotFound},
		"NotSignedIn":        {members, code, fixture.Viewer(t, d, identity.Visitor), fault.Unauthenticated},
	} {
		if _, err := c.m.Accept(t.Context(), c.v, identity.AcceptInvitationInput{Code: c.code}); kindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// As it is said on the telephone.
	said := strings.ToLower(strings.NewReplacer("-", " ", "0", "o", "1", "l").Replace(code))
	got, err := members.Accept(t.Context(), again(subject), identity.AcceptInvitationInput{Code: said})
	if err != nil || got.Role.Role != identity.Merchant || *got.Role.ShopID() != shop {
		t.Fatalf("%v %+v", err, got)
	}
	if v := again(subject); v.Kind != identity.Merchant || !cmp.Equal(v.Shops, []tenancy.ID{shop}) {
		t.Errorf("after it: %+v", v)
	}
	if _, err := members.Accept(t.Context(), again(subject), identity.AcceptInvitationInput{Code: code}); err != nil {
		t.Errorf("accepted twice: %v", err)
	}
	if _, err := members.Accept(t.Context(), fixture.Viewer(t, d, identity.Customer), identity.AcceptInvitationInput{Code: code}); !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "déjà servi") {
		t.Errorf("accepted by another: %v", err)
	}
	// Of many at once one has it.
	raced := invite(identity.RoleScope{Role: identity.Agent, Commune: &lorient}, agent)
	var wait sync.WaitGroup
	kinds := make([]fault.Kind, 8)
	viewers := make([]*identity.Viewer, len(kinds))
	for i := range viewers {
		viewers[i] = fixture.Viewer(t, d, identity.Customer)
	}
	for i, v := range viewers {
		wait.Go(func() {
			_, err := members.Accept(t.Context(), v, identity.AcceptInvitationInput{Code: raced})
			kinds[i] = kindOf(err)
		})
	}
	wait.Wait()
	won := 0
	for _, k := range kinds {
		if k == "" {
			won++
		} else if k != fault.Conflict {
			t.Errorf("raced: %s", k)
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from grants where role = 'AGENT'`); won != 1 || n != 2 {
		t.Errorf("%d have the code's role, %d agents", won, n)
	}
	late := invite(identity.RoleScope{Role: identity.Agent, Commune: &lorient}, agent)
	now = now.Add(7*24*time.Hour + time.Second)
	if _, err := members.Accept(t.Context(), again(subject), identity.AcceptInvitationInput{Code: late}); !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "a expiré") {
		t.Errorf("expired: %v", err)
	}
	audit := &identity.Audit{DB: d.DB, Cursors: page.NewSealer(fixture.Secret)}
	trail, err := audit.Trail(t.Context(), agent, lorient, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	var actions []identity.AuditAction
	for _, e := range trail.Nodes() {
		actions = append(actions, e.Action())
	}
	if want := []identity.AuditAction{"MEMBER_INVITE", "INVITATION_ACCEPT", "MEMBER_INVITE", "INVITATION_ACCEPT", "MEMBER_INVITE"}; !cmp.Equal(actions, want) {
		t.Errorf("the log has %q", actions)
	}
}

// A role is held from its grant to its end; there is always an admin, also when two take each
// other's role away at the same moment; a role over the platform stands in every commune's log.
func TestGrantAndRevoke(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	members := identity.NewMembers(d.DB, tenancy.NewRegister(d.DB), fixture.Secret)
	first := fixture.Viewer(t, d, identity.Admin)
	_, account := fixture.Account(t, d, identity.Customer)
	somebody := tenancy.AccountID(account)
	admin := func(v *identity.Viewer, whose tenancy.ID) identity.ChangeRoleInput {
		return identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Admin}, Account: whose}
	}
	if _, err := members.Revoke(t.Context(), first, admin(first, tenancy.AccountID(first.Account))); !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "dernier administrateur") {
		t.Errorf("the last admin leaves: %v", err)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from audit_events`); n != 0 {
		t.Errorf("what was refused left %d events", n)
	}
	for range 2 { // the second changes nothing
		got, err := members.Grant(t.Context(), first, admin(first, somebody))
		if err != nil || len(got.Member.Roles) != 1 || got.Member.Roles[0].Role != identity.Admin || got.Member.Account() != somebody {
			t.Fatalf("%v %+v", err, got)
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(distinct commune_id) from audit_events where action = 'ROLE_GRANT'`); n != 25 {
		t.Errorf("%d communes know of the admin", n)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from audit_events`); n != 25 {
		t.Errorf("%d events", n)
	}
	list, err := members.List(t.Context(), first, nil, nil)
	if err != nil || len(list) != 2 {
		t.Errorf("the platform's members: %+v, %v", list, err)
	}
	second := *first
	second.Account = account
	for range 5 {
		var wait sync.WaitGroup
		errs := make([]error, 2)
		wait.Go(func() {
			_, errs[0] = members.Revoke(t.Context(), first, admin(first, somebody))
		})
		wait.Go(func() {
			_, errs[1] = members.Revoke(t.Context(), &second, admin(&second, tenancy.AccountID(first.Account)))
		})
		wait.Wait()
		if n := pgtest.Scan[int](t, d, `select count(*) from grants where role = 'ADMIN'`); n != 1 || (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("%d admins are left: %v", n, errs)
		}
		d.Exec(t, `delete from grants`)
		d.Exec(t, `insert into grants (account_id, role, granted_at) values ($1, 'ADMIN', now()), ($2, 'ADMIN', now())`, first.Account, account)
	}
	// An agent of the commune takes its last agent away, itself: the admins make another.
	agent := fixture.Viewer(t, d, identity.Agent, lorient)
	got, err := members.Revoke(t.Context(), agent, identity.ChangeRoleInput{RoleScope: identity.RoleScope{Role: identity.Agent, Commune: &lorient}, Account: tenancy.AccountID(agent.Account)})
	if err != nil || len(got.Member.Roles) != 0 || got.Member.Name == "" {
		t.Errorf("%v %+v", err, got)
	}
	audit := &identity.Audit{DB: d.DB, Cursors: page.NewSealer(fixture.Secret)}
	for _, commune := range []string{fixture.Lorient, fixture.Groix} {
		if n, err := audit.Broken(t.Context(), commune); n != 0 || err != nil {
			t.Errorf("the log of %s is broken at %d, %v", commune, n, err)
		}
	}
}
