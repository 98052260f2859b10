package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A link opens its order for a day; with a letter changed, or made with another secret, nothing.
func TestShopLinks(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	links := identity.NewShopLinks(tenancy.NewRegister(d.DB), fixture.Secret)
	now := time.Now().Truncate(time.Second)
	links.Now = func() time.Time { return now }
	shop, order := tenancy.NewID(tenancy.KindShop, fixture.Lorient), tenancy.NewID(tenancy.KindOrder, fixture.Lorient)
	link := links.New(shop, order)
	for _, as := range []string{link, " https://halles.bzh/comptoir/commande#" + link + "\n"} {
		open, err := links.Open(t.Context(), as)
		if err != nil || open.Order != order || !open.Merchant.Runs(shop) || len(open.Merchant.Shops) != 1 || !open.EndsAt.Equal(now.Add(24*time.Hour)) {
			t.Fatalf("%q: %v %+v", as, err, open)
		}
	}
	refused := func(name, link string) {
		t.Helper()
		if open, err := links.Open(t.Context(), link); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v %+v", name, err, open)
		}
	}
	for i := range link[:len(link)-1] { // the last letter carries bits that are not read
		other := "A"
		if link[i] == 'A' {
			other = "B"
		}
		refused("a letter changed", link[:i]+other+link[i+1:])
	}
	refused("empty", "")
	refused("shortened", link[:40])
	refused("lengthened", link+strings.Repeat("A", 4))
	refused("another secret's", identity.NewShopLinks(tenancy.NewRegister(d.DB), []byte(strings.Repeat("x", 32))).New(shop, order))
	now = now.Add(24 * time.Hour)
	refused("a day later", link)
}
