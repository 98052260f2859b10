package identity_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// resolver is one over a database of the test's own, with an issuer that signs by key.
func resolver(t *testing.T) (r *identity.Resolver, d *pgtest.Database, key *signer, c *clock) {
	t.Helper()
	d = pgtest.New(t)
	key = edKey("ed")
	a := &party{url: "https://a.test"}
	a.publish(key)
	issuers, c := trust([]identity.Issuer{{URL: a.url, Audience: "halles", Name: fixture.Issuer}}, a)
	return &identity.Resolver{DB: d.DB, Communes: tenancy.NewRegister(d.DB), Issuers: issuers, Now: c.now}, d, key, c
}

// Twenty requests of somebody who signs in for the first time make one account.
func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	r, d, key, _ := resolver(t)
	token := key.token(said{"sub": "nouvelle", "name": "Anna Le Goff", "email": "anna@example.org", "email_verified": true})
	accounts := make([]uuid.UUID, 20)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range accounts {
		done.Go(func() {
			start.Wait()
			v, until, err := r.FromToken(t.Context(), token)
			if err != nil {
				t.Error(err)
				return
			}
			if v.Kind != identity.Customer || v.Name != "Anna Le Goff" || !until.Equal(noon.Add(time.Hour)) {
				t.Errorf("%+v until %s", v, until)
			}
			accounts[i] = v.Account
		})
	}
	start.Done()
	done.Wait()
	for _, account := range accounts {
		if account == uuid.Nil || account != accounts[0] {
			t.Errorf("%s is not %s", account, accounts[0])
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from accounts where issuer = $1 and subject = 'nouvelle' and id = $2 and name = 'Anna Le Goff' and email = 'anna@example.org'`, fixture.Issuer, accounts[0]); n != 1 {
		t.Errorf("%d accounts as the token tells", n)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from accounts where subject = 'nouvelle'`); n != 1 {
		t.Errorf("%d accounts", n)
	}

	// The same subject of another issuer is another person.
	v, _, err := r.FromToken(t.Context(), key.token(said{"sub": "other"}))
	if err != nil || v.Account == accounts[0] || v.Name != "" {
		t.Errorf("%v %+v", err, v)
	}
}

// What a token claims to be counts for nothing; what our tables grant does.
func TestRolesComeFromOurTables(t *testing.T) {
	t.Parallel()
	r, d, key, _ := resolver(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	v, _, err := r.FromToken(t.Context(), key.token(said{
		"sub": "proud", "kind": "ADMIN", "role": "ADMIN", "roles": []string{"ADMIN", "HOTLINE"}, "groups": []string{"admin"},
		"realm_access": map[string]any{"roles": []string{"admin"}}, "shops": []string{shop.String()},
	}))
	if err != nil || v.Kind != identity.Customer || v.Shops != nil || v.Communes != nil {
		t.Errorf("%v %+v", err, v)
	}
	subject, _ := fixture.Account(t, d, identity.Merchant, shop)
	v, _, err = r.FromToken(t.Context(), key.token(said{"sub": subject}))
	if err != nil || v.Kind != identity.Merchant || !cmp.Equal(v.Shops, []tenancy.ID{shop}) {
		t.Errorf("%v %+v", err, v)
	}
}

// A right that is taken away is gone when what was remembered is 25 s old, by token and for
// whoever holds on to a viewer; Forget makes it so at once. Until then no statement is sent.
func TestRevokedGrant(t *testing.T) {
	t.Parallel()
	r, d, key, c := resolver(t)
	shop, second := fixture.Shop(t, d, fixture.ShopOpts{}), fixture.Shop(t, d, fixture.ShopOpts{})
	subject, account := fixture.Account(t, d, identity.Merchant, shop, second)
	token := key.token(said{"sub": subject})
	ask := func() *identity.Viewer {
		t.Helper()
		v, _, err := r.FromToken(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	held := ask()
	if !held.Runs(shop) || !held.Runs(second) {
		t.Fatalf("%+v", held)
	}
	sent := d.Statements()
	for range 100 {
		if _, err := r.Again(t.Context(), ask()); err != nil {
			t.Fatal(err)
		}
	}
	if n := sent(); n != 0 {
		t.Errorf("%d statements for what is remembered", n)
	}
	d.Exec(t, `delete from grants where account_id = $1 and shop_id = $2`, account, shop.Row)
	c.advance(25 * time.Second)
	if v := ask(); v.Runs(shop) || !v.Runs(second) {
		t.Errorf("after 25 s: %+v", v)
	}
	d.Exec(t, `delete from grants where account_id = $1`, account)
	c.advance(25 * time.Second)
	if v, err := r.Again(t.Context(), held); err != nil || v.Kind != identity.Customer || v.Runs(second) {
		t.Errorf("after 25 s, of a viewer held on to: %v %+v", err, v)
	}
	if v := ask(); v.Kind != identity.Customer {
		t.Errorf("by token: %+v", v)
	}

	d.Exec(t, `insert into grants (account_id, role, granted_at) values ($1, 'HOTLINE', now())`, account)
	r.Forget(account)
	if v := ask(); v.Kind != identity.Hotline || !v.Serves(fixture.Groix) {
		t.Errorf("forgotten: %+v", v)
	}

	d.Exec(t, `delete from grants where account_id = $1`, account)
	d.Exec(t, `delete from accounts where id = $1`, account)
	r.Forget(account)
	if v, err := r.Again(t.Context(), held); !errors.Is(err, fault.Unauthenticated) || v != nil {
		t.Errorf("of an account that is gone: %v %v", v, err)
	}
}

func TestAgainOfSomebodyWithoutAnAccount(t *testing.T) {
	t.Parallel()
	r, _, _, _ := resolver(t)
	visitor, err := r.Visitor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v, err := r.Again(t.Context(), visitor); err != nil || v != visitor {
		t.Errorf("%v %v", v, err)
	}
}
