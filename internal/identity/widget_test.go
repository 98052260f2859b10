package identity_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
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

var lorient = tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}

const site = "https://www.lorient.test"

func TestOriginsOfAKey(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	keys := identity.NewWidgetKeys(d.DB, tenancy.NewRegister(d.DB))
	agent := fixture.Viewer(t, d, identity.Agent, lorient)
	good := []string{
		site, "https://xn--caf-dma.test", "https://a.test:8443", "http://localhost", "http://localhost:8080", "http://mairie.localhost:3000",
		"http://127.0.0.1:8080", "http://[::1]:8080", "https://192.0.2.7",
	}
	made, err := keys.Create(t.Context(), agent, identity.CreateWidgetKeyInput{Commune: lorient, Name: " Site ", Origins: good})
	if err != nil || !cmp.Equal(made.Key.Origins, good) || made.Key.Name != "Site" {
		t.Fatalf("%v %+v", err, made)
	}
	for origin, says := range map[string]string{
		"": "écrivez https://", "null": "écrivez https://", "*": "joker", "https://*.lorient.test": "joker", "www.lorient.test": "écrivez https://",
		"https://": "écrivez https://", "https:www.lorient.test": "écrivez https://", "//www.lorient.test": "protocole",
		site + "/": "chemin", site + "/page": "chemin", site + "?": "chemin", site + "?a=1": "chemin", site + "#": "chemin", site + "#a": "chemin",
		"http://www.lorient.test": "http n'est permis que sur la machine elle-même", "http://192.168.1.4": "localhost", "http://localhost.lorient.test": "localhost",
		"ftp://www.lorient.test": "protocole", "javascript://www.lorient.test": "protocole", "file:///etc": "écrivez https://",
		"https://moi@www.lorient.test": "utilisateur", "https://moi:mdp@www.lorient.test": "utilisateur", "https://@www.lorient.test": "utilisateur",
		"https://www.lorient.test.": "point", "https://WWW.lorient.test": "minuscules", "HTTPS://www.lorient.test": "minuscules",
		"https://café.test": "punycode", "https://www.lorient.test:443": "port", "http://localhost:80": "port", "https://www.lorient.test:": "port",
		"https://www.lorient.test:0": "port", "https://www.lorient.test:65536": "port", "https://www.lorient.test:08443": "port",
		"https://www.lorient.test:x": "écrivez https://", " " + site: "espace", site + " ": "espace", site + "\n": "espace", site + "\x00": "espace",
		"https://www..lorient.test": "écrivez https://", "https://-a.test": "écrivez https://", "https://a_b.test": "écrivez https://",
		"https://127.0.0.01": "écrivez https://", "https://a.test,https://b.test": "écrivez https://", "https://[fe80::1%25eth0]": "écrivez https://",
	} {
		_, err := keys.Create(t.Context(), agent, identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site", Origins: []string{site, origin}})
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Invalid || !cmp.Equal(f.Path, []string{"input", "origins", "1"}) || !strings.Contains(f.Message, says) {
			t.Errorf("%q: %v", origin, err)
		}
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = "https://a.test:" + strconv.Itoa(8000+i)
	}
	for name, c := range map[string]struct {
		in   identity.CreateWidgetKeyInput
		path []string
	}{
		"NoOrigin":    {identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site"}, []string{"input", "origins"}},
		"ManyOrigins": {identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site", Origins: many}, []string{"input", "origins"}},
		"Twice":       {identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site", Origins: []string{site, site}}, []string{"input", "origins", "1"}},
		"NoName":      {identity.CreateWidgetKeyInput{Commune: lorient, Name: "  ", Origins: []string{site}}, []string{"input", "name"}},
		"LongName":    {identity.CreateWidgetKeyInput{Commune: lorient, Name: strings.Repeat("é", 101), Origins: []string{site}}, []string{"input", "name"}},
		"NotACommune": {identity.CreateWidgetKeyInput{Commune: made.Key.ID(), Name: "Site", Origins: []string{site}}, []string{"input", "commune"}},
	} {
		_, err := keys.Create(t.Context(), agent, c.in)
		if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || !cmp.Equal(f.Path, c.path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := pgtest.Scan[int](t, d, "select count(*) from widget_keys"); n != 1 {
		t.Errorf("%d keys were made", n)
	}
}

// A key is good from when it is made until it is revoked, or a while after another took over; a
// second process knows within KeysAge.
func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	communes := tenancy.NewRegister(d.DB)
	keys, elsewhere := identity.NewWidgetKeys(d.DB, communes), identity.NewWidgetKeys(d.DB, communes)
	now := time.Now()
	keys.Now = func() time.Time { return now }
	elsewhere.Now = keys.Now
	wait := 50 * time.Millisecond
	if os.Getenv("HALLES_LONG") != "" {
		wait = identity.KeysAge
	} else {
		elsewhere.ReadAgainAfter(wait)
	}
	if identity.KeysAge > 30*time.Second {
		t.Error("a key that is revoked may be good elsewhere for longer than 30 s")
	}
	agent := fixture.Viewer(t, d, identity.Agent, lorient)
	use := func(w *identity.WidgetKeys, k *identity.WidgetKey, origin string) fault.Kind {
		t.Helper()
		got, err := w.Use(t.Context(), k.Key, origin)
		if err == nil && !cmp.Equal(got.Origins, k.Origins) {
			t.Errorf("found %+v for %+v", got, k)
		}
		if f := fault.Of(err); f != nil {
			return f.Kind
		}
		return ""
	}
	create := func(origins ...string) *identity.WidgetKey {
		t.Helper()
		made, err := keys.Create(t.Context(), agent, identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site", Origins: origins})
		if err != nil {
			t.Fatal(err)
		}
		return made.Key
	}
	if _, err := elsewhere.Use(t.Context(), "pk_lorient_AAAAAAAAAAAAAAAAAAAAAA", ""); !errors.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	first := create(site)
	if !regexp.MustCompile(`^pk_lorient_[\w-]{22}$`).MatchString(first.Key) || create(site).Key == first.Key {
		t.Errorf("the key is %s", first.Key)
	}
	for origin, want := range map[string]fault.Kind{site: "", "": "", "https://www.lorient.test.evil.test": fault.Forbidden, "null": fault.Forbidden} {
		if got := use(keys, first, origin); got != want {
			t.Errorf("used from %q: %q", origin, got)
		}
	}
	if !keys.Known(t.Context(), site) || keys.Known(t.Context(), site+".evil.test") || keys.Known(t.Context(), "") {
		t.Error("the known origins are not those of the keys")
	}
	time.Sleep(wait)
	if use(elsewhere, first, site) != "" {
		t.Error("a second process does not learn of a key")
	}

	two := 2
	turned, err := keys.Rotate(t.Context(), agent, identity.RotateWidgetKeyInput{Key: first.ID(), OverlapHours: &two})
	if err != nil {
		t.Fatal(err)
	}
	next := turned.Key
	if next.Key == first.Key || !cmp.Equal(next.Origins, first.Origins) || next.Name != first.Name || turned.Previous.Key != first.Key ||
		!turned.Previous.ValidUntil.Equal(next.CreatedAt.Add(2*time.Hour)) {
		t.Errorf("turned into %+v and %+v", turned.Key, turned.Previous)
	}
	for name, over := range map[string]int{"Negative": -1, "Long": 721} {
		if _, err := keys.Rotate(t.Context(), agent, identity.RotateWidgetKeyInput{Key: next.ID(), OverlapHours: &over}); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keys.Rotate(t.Context(), agent, identity.RotateWidgetKeyInput{Key: first.ID()}); !errors.Is(err, fault.Conflict) {
		t.Errorf("turned twice: %v", err)
	}
	now = now.Add(2*time.Hour - time.Second)
	if use(keys, first, site) != "" || use(keys, next, site) != "" {
		t.Error("one of the two is not good in the overlap")
	}
	now = now.Add(2 * time.Second)
	if use(keys, first, site) != fault.Unauthenticated || use(keys, next, site) != "" {
		t.Error("the old one is good after the overlap, or the new one is not")
	}

	other := create("https://other.lorient.test")
	time.Sleep(wait)
	if use(elsewhere, other, "") != "" || !elsewhere.Known(t.Context(), "https://other.lorient.test") {
		t.Error("a second process does not learn of a key")
	}
	if use(keys, other, "") != "" { // this process has it in memory now
		t.Error("a key is not good at once")
	}
	ended, err := keys.Revoke(t.Context(), agent, identity.RevokeWidgetKeyInput{Key: other.ID()})
	if err != nil || ended.Key.RevokedAt == nil {
		t.Fatal(err, ended)
	}
	if use(keys, other, "") != fault.Unauthenticated || keys.Known(t.Context(), "https://other.lorient.test") {
		t.Error("a revoked key is good")
	}
	time.Sleep(wait)
	if use(elsewhere, other, "") != fault.Unauthenticated || elsewhere.Known(t.Context(), "https://other.lorient.test") {
		t.Error("a revoked key is good elsewhere")
	}
	again, err := keys.Revoke(t.Context(), agent, identity.RevokeWidgetKeyInput{Key: other.ID()})
	if err != nil || !again.Key.RevokedAt.Equal(*ended.Key.RevokedAt) {
		t.Errorf("revoked again: %v %+v", err, again)
	}
	if _, err := keys.Rotate(t.Context(), agent, identity.RotateWidgetKeyInput{Key: other.ID()}); !errors.Is(err, fault.Conflict) {
		t.Errorf("a revoked one is replaced: %v", err)
	}
	list, err := keys.List(t.Context(), agent, lorient)
	if err != nil || len(list) != 4 || list[0].Key != other.Key || list[0].RevokedAt == nil || list[3].Key != first.Key || list[3].ValidUntil == nil {
		t.Errorf("listed %+v, %v", list, err)
	}
	for range 18 {
		create(site)
	}
	if _, err := keys.Create(t.Context(), agent, identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site", Origins: []string{site}}); !errors.Is(err, fault.Limited) {
		t.Errorf("a 21st: %v", err)
	}
}

// Keys are for the commune's agents and the admins; another commune's is one that is not there.
func TestWhoMakesKeys(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	keys := identity.NewWidgetKeys(d.DB, tenancy.NewRegister(d.DB))
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	k := fixture.WidgetKey(t, d, fixture.Lorient, site)
	groix := tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}
	visitor := fixture.Viewer(t, d, identity.Visitor)
	widget, err := visitor.Through(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		v       *identity.Viewer
		commune fault.Kind // for the commune
		key     fault.Kind // for the key
	}{
		"Visitor":      {visitor, fault.Unauthenticated, fault.Unauthenticated},
		"Widget":       {widget, fault.Unauthenticated, fault.Unauthenticated},
		"Guest":        {visitor.GuestOf(), fault.Unauthenticated, fault.Unauthenticated},
		"Customer":     {fixture.Viewer(t, d, identity.Customer), fault.Forbidden, fault.Forbidden},
		"Merchant":     {fixture.Viewer(t, d, identity.Merchant, shop), fault.Forbidden, fault.Forbidden},
		"Hotline":      {fixture.Viewer(t, d, identity.Hotline), fault.Forbidden, fault.Forbidden},
		"Analyst":      {fixture.Viewer(t, d, identity.Analyst), fault.Forbidden, fault.Forbidden},
		"AnotherAgent": {fixture.Viewer(t, d, identity.Agent, groix), fault.Forbidden, fault.NotFound},
		"Agent":        {fixture.Viewer(t, d, identity.Agent, groix, lorient), "", ""},
		"Admin":        {fixture.Viewer(t, d, identity.Admin), "", ""},
	} {
		_, create := keys.Create(t.Context(), c.v, identity.CreateWidgetKeyInput{Commune: lorient, Name: "Site", Origins: []string{site}})
		_, list := keys.List(t.Context(), c.v, lorient)
		fresh := fixture.WidgetKey(t, d, fixture.Lorient, site)
		_, rotate := keys.Rotate(t.Context(), c.v, identity.RotateWidgetKeyInput{Key: fresh.ID()})
		_, revoke := keys.Revoke(t.Context(), c.v, identity.RevokeWidgetKeyInput{Key: fresh.ID()})
		d.Exec(t, `delete from widget_keys where id <> $1`, k.Row)
		for i, err := range []error{create, list, rotate, revoke} {
			want := c.commune
			if i >= 2 {
				want = c.key
			}
			var got fault.Kind
			if f := fault.Of(err); f != nil {
				got = f.Kind
			}
			if got != want {
				t.Errorf("%s, %s: %v", name, []string{"create", "list", "rotate", "revoke"}[i], err)
			}
		}
		// What is not there at all has the same answer.
		nowhere := tenancy.ID{Kind: tenancy.KindCommune, Commune: "99999"}
		_, unknown := keys.List(t.Context(), c.v, nowhere)
		if list != nil && unknown.Error() != list.Error() || list == nil && !errors.Is(unknown, fault.Forbidden) {
			t.Errorf("%s lists an unknown commune's: %v, and Lorient's: %v", name, unknown, list)
		}
		_, unknown = keys.Revoke(t.Context(), c.v, identity.RevokeWidgetKeyInput{Key: tenancy.NewID(tenancy.KindWidgetKey, fixture.Lorient)})
		if revoke != nil && !strings.HasSuffix(unknown.Error(), fault.Of(revoke).Message) {
			t.Errorf("%s ends an unknown key: %v, and Lorient's: %v", name, unknown, revoke)
		}
		_, unknown = keys.ByID(t.Context(), c.v, tenancy.NewID(tenancy.KindWidgetKey, fixture.Lorient))
		if _, err := keys.ByID(t.Context(), c.v, k.ID()); err != nil && err.Error() != unknown.Error() || (err == nil) != (c.key == "") {
			t.Errorf("%s asks for the key: %v, for an unknown one: %v", name, err, unknown)
		}
	}
}

// A key narrows who comes with it, and goes with no account.
func TestThroughAKey(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	k := fixture.WidgetKey(t, d, fixture.Lorient, site)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	visitor := fixture.Viewer(t, d, identity.Visitor)
	own, foreign := tenancy.NewID(tenancy.KindOrder, fixture.Lorient), tenancy.NewID(tenancy.KindOrder, fixture.Groix)
	v, err := visitor.Through(k)
	if err != nil || v.Kind != identity.Widget || !v.Keyed() || !slices.Equal(v.AllCommunes(), []string{fixture.Lorient}) || !slices.Equal(v.Scope().Communes, v.AllCommunes()) {
		t.Errorf("a visitor: %v %+v", err, v)
	}
	v, err = visitor.GuestOf(own, foreign).Through(k)
	if err != nil || v.Kind != identity.Guest || !v.Keyed() || !cmp.Equal(v.Orders, []tenancy.ID{own}) || !slices.Equal(v.Scope().Communes, []string{fixture.Lorient}) {
		t.Errorf("a guest: %v %+v", err, v)
	}
	for _, kind := range []identity.Kind{identity.Customer, identity.Merchant, identity.Agent, identity.Hotline, identity.Analyst, identity.Admin} {
		if _, err := fixture.Viewer(t, d, kind, shop).Through(k); !errors.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
