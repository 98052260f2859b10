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
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestGuestLinks(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	communes := tenancy.NewRegister(d.DB)
	start := time.Date(2020, 11, 3, 9, 0, 0, 0, time.UTC)
	now := start
	guests := identity.NewGuests(d.DB, communes, fixture.Secret)
	guests.Now = func() time.Time { return now }
	other := identity.NewGuests(d.DB, communes, []byte("another deployment's secret, of 32 bytes or more"))
	r := &identity.Resolver{DB: d.DB, Communes: communes, Guests: guests}
	link := func(g *identity.Guests, until time.Time, orders ...tenancy.ID) string {
		secret, digest := g.NewSecret()
		for _, id := range orders {
			d.Exec(t, `insert into guest_links (digest, commune_id, order_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
				digest, id.Commune, id.Row, start, until)
		}
		return secret
	}
	groix, lorient := tenancy.NewID(tenancy.KindOrder, fixture.Groix), tenancy.NewID(tenancy.KindOrder, fixture.Lorient)
	good := link(guests, start.Add(time.Hour), lorient, groix)

	said := map[string]bool{}
	for name, secret := range map[string]string{
		"Empty": "", "Wrong": strings.Repeat("A", 43), "Long": strings.Repeat("A", 100_000), "CutShort": good[:42], "Nul": "\x00",
		"Expired":            link(guests, start, lorient),
		"AnotherDeployments": link(other, start.Add(time.Hour), lorient),
	} {
		_, err := guests.Exchange(t.Context(), identity.LinkInput{Secret: secret})
		if !errors.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said[err.Error()] = true
	}
	if len(said) != 1 {
		t.Errorf("answers differ: %v", said)
	}

	session, err := guests.Exchange(t.Context(), identity.LinkInput{Secret: good})
	if err != nil {
		t.Fatal(err)
	}
	if !session.ExpiresAt.Equal(start.Add(30*time.Minute)) || strings.Contains(session.Token, good) {
		t.Fatalf("%+v", session)
	}
	v, until, err := r.FromToken(t.Context(), session.Token)
	if err != nil || v.Kind != identity.Guest || !until.Equal(session.ExpiresAt) || !cmp.Equal(v.Orders, []tenancy.ID{groix, lorient}) {
		t.Fatalf("%v %v %+v", err, until, v)
	}

	refused := func(name, token string) {
		t.Helper()
		if v, _, err := r.FromToken(t.Context(), token); !errors.Is(err, fault.Unauthenticated) || v != nil {
			t.Errorf("%s: %v %v", name, v, err)
		}
	}
	foreign, err := other.Exchange(t.Context(), identity.LinkInput{Secret: link(other, start.Add(100*365*24*time.Hour), lorient)})
	if err != nil {
		t.Fatal(err)
	}
	refused("another deployment's", foreign.Token)
	refused("the prefix alone", "hg_")
	refused("the secret itself", "hg_"+good)
	refused("cut short", session.Token[:len(session.Token)-4])
	for i := len("hg_"); i < len(session.Token); i += 7 {
		forged := []byte(session.Token)
		forged[i] ^= 1
		refused("forged", string(forged))
	}
	refused("without an issuer, a JWT", "eyJhbGciOiJub25lIn0.e30.")

	now = start.Add(30*time.Minute - time.Second)
	if _, _, err := r.FromToken(t.Context(), session.Token); err != nil {
		t.Errorf("before its end: %v", err)
	}
	now = start.Add(30 * time.Minute)
	refused("at its end", session.Token)
	now = start.Add(45 * time.Minute)
	last, err := guests.Exchange(t.Context(), identity.LinkInput{Secret: good})
	if err != nil || !last.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Fatalf("a session outlives its link: %v %+v", err, last)
	}
	d.Exec(t, `delete from guest_links where order_id = $1`, groix.Row)
	if v, _, err := r.FromToken(t.Context(), last.Token); err != nil || !cmp.Equal(v.Orders, []tenancy.ID{lorient}) {
		t.Errorf("a link that lost an order: %v %v", v, err)
	}
	d.Exec(t, `delete from guest_links`)
	refused("a link that is gone", last.Token)
	if n := pgtest.Scan[int](t, d, `select count(*) from guest_links where position(convert_to($1, 'UTF8') in digest) > 0`, good); n != 0 {
		t.Error("the secret itself is stored")
	}
}
