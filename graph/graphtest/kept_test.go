package graphtest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/graph"
	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/graph/graphtest"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/versions"
)

// keeper is a server that keeps answers.
type keeper struct {
	*graphtest.Harness
	answers  *answers.Cache
	versions *versions.Versions
}

func keeping(t *testing.T, bytes int, now func() time.Time, change ...func(*graph.ServerOptions)) *keeper {
	t.Helper()
	k := &keeper{Harness: graphtest.New(t)}
	k.answers, k.versions = k.Keep(t, bytes, now)
	o := graph.ServerOptions{
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), RequestID: func(context.Context) string { return "test" },
		IsRouter: func(context.Context) bool { return false }, Answers: k.answers,
	}
	for _, c := range change {
		c(&o)
	}
	k.Handler = graph.NewServer(k.Resolver, o)
	return k
}

// kept asks until the answer is one that was kept: the versions were then read within the last second.
func (k *keeper) kept(t *testing.T, query string) *graphtest.Answer {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		k.versions.Read(t.Context())
		hits := k.answers.Figures().Hits
		if a := k.Visitor().Query(t, query, nil); k.answers.Figures().Hits > hits {
			return a
		}
	}
	t.Fatal("no answer is kept")
	return nil
}

// fresh asks once the versions are known, and tells whether the answer was kept before.
func (k *keeper) fresh(t *testing.T, query string) (a *graphtest.Answer, hit bool) {
	t.Helper()
	k.versions.Read(t.Context())
	hits := k.answers.Figures().Hits
	a = k.Visitor().Query(t, query, nil)
	return a, k.answers.Figures().Hits > hits
}

// What depends on the clock is given until it switches and not after: at the whole minutes on which
// hours and slots lie, and at the very instants at which closures, restrictions and pauses begin and end.
func TestKeptUntilTheNextSwitch(t *testing.T) {
	t.Parallel()
	t.Run("Hours", func(t *testing.T) {
		t.Parallel()
		now := paris("2020-10-28 12:00").Add(-20 * time.Second) // a Wednesday
		k := keeping(t, 1<<20, func() time.Time { return now })
		shop := fixture.Shop(t, k.Database, fixture.ShopOpts{})
		k.Exec(t, `delete from opening_hours where shop_id = $1`, shop.Row)
		k.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) values ($1, $2, 3, 540, 720)`, shop.Commune, shop.Row)
		k.Resolver.Directory.Now = func() time.Time { return now }
		k.Resolver.Ordering.Now = k.Resolver.Directory.Now
		query, name := `{ shop(id: "`+shop.String()+`") { openNow } }`, `{ shop(id: "`+shop.String()+`") { name } }`
		if a := k.kept(t, query); !a.Get("shop.openNow").Bool() {
			t.Fatalf("closed: %s", a.Body)
		}
		k.kept(t, name)
		now = now.Add(19 * time.Second)
		if a := k.kept(t, query); !a.Get("shop.openNow").Bool() {
			t.Errorf("closed a second early: %s", a.Body)
		}
		now = now.Add(time.Second)
		if a, hit := k.fresh(t, query); hit || a.Get("shop.openNow").Bool() {
			t.Errorf("at noon: kept %t, %s", hit, a.Body)
		}
		k.kept(t, name) // which knows no clock
	})
	t.Run("Closure", func(t *testing.T) {
		t.Parallel()
		k := keeping(t, 1<<20, nil)
		shop := fixture.Shop(t, k.Database, fixture.ShopOpts{})
		k.Exec(t, `delete from opening_hours where shop_id = $1`, shop.Row)
		k.Exec(t, `insert into opening_hours (commune_id, shop_id, weekday, opens, closes) select $1, $2, d, 0, 1440 from generate_series(1, 7) d`, shop.Commune, shop.Row)
		product := fixture.Product(t, k.Database, shop, fixture.ProductOpts{})
		begins := time.Now().Add(1200 * time.Millisecond).Truncate(time.Microsecond)
		k.Exec(t, `insert into closures (commune_id, id, shop_id, starts_at, created_at, published) values ($1, gen_random_uuid(), $2, $3, now(), true)`, shop.Commune, shop.Row, begins)
		k.Exec(t, `update variants set paused = true, paused_until = $3 where commune_id = $1 and id = $2`, shop.Commune, product.Variants[0].Row, begins)
		query := `{ shop(id: "` + shop.String() + `") { service { open } products(first: 1) { nodes { availability { orderable } } } } }`
		for {
			k.versions.Read(t.Context())
			asked := time.Now()
			a := k.Visitor().Query(t, query, nil)
			answered := time.Now()
			open, sold := a.Get("shop.service.open").Bool(), a.Get("shop.products.nodes.0.availability.orderable").Bool()
			if !asked.Before(begins) {
				if open || !sold {
					t.Errorf("%v after the switch: %s", asked.Sub(begins), a.Body)
				}
				break
			}
			if answered.Before(begins) && sold || answered.Before(begins.Truncate(time.Second)) && !open { // a calendar counts in seconds
				t.Errorf("%v before the switch: %s", begins.Sub(asked), a.Body)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// An answer holds until something of what it depends on changes: of its communes, and no others.
func TestKeptForItsCommunes(t *testing.T) {
	t.Parallel()
	k := keeping(t, 1<<20, nil)
	shop := fixture.Shop(t, k.Database, fixture.ShopOpts{})
	variant := fixture.Product(t, k.Database, shop, fixture.ProductOpts{Stock: 50}).Variants[0]
	other := fixture.Shop(t, k.Database, fixture.ShopOpts{Commune: fixture.Groix})
	price := `{ node(id: "` + variant.String() + `") { ... on Variant { price { cents } } } }`
	pieces := `{ node(id: "` + variant.String() + `") { ... on Variant { availability { quantityUpTo } } } }`
	named := `{ commune(insee: "56121") { shops(first: 9) { nodes { name } } } }`
	slug := `{ commune(slug: "lorient") { shops(first: 9) { nodes { name } } } }`
	filtered := `{ shops(filter: {communes: ["56121"]}, first: 9) { nodes { name } } }`
	all := `{ shops(first: 9) { nodes { name } } }`
	found := `{ search(text: "produit", filter: {communes: ["56121"]}, first: 9) { edges { score } } }`
	questions := map[string]string{"price": price, "pieces": pieces, "named": named, "slug": slug, "filtered": filtered, "all": all, "found": found}
	for _, c := range []struct {
		what  string
		do    func()
		still string
	}{
		{"a piece that nobody sees", func() { k.Exec(t, `update variants set stock = 49 where id = $1`, variant.Row) }, "price pieces named slug filtered all found"},
		{"the last piece", func() { k.Exec(t, `update variants set stock = 0 where id = $1`, variant.Row) }, "price named slug filtered all found"},
		{"a price", func() { k.Exec(t, `update variants set price_cents = 77 where id = $1`, variant.Row) }, ""},
		{"another commune's shop", func() { k.Exec(t, `update shops set name = 'Autre' where id = $1`, other.Row) }, "price pieces named slug filtered"},
		{"what is all communes'", func() { k.Exec(t, `update communes set current_insee = '56098' where insee = '56069'`) }, ""},
	} {
		for _, q := range questions {
			k.kept(t, q).OK(t)
		}
		// On a slow machine a reading may be a second old before all were asked: then none was kept.
		for tries := 0; ; tries++ {
			c.do()
			before := k.versions.Reads()
			wrong := ""
			for name, q := range questions {
				_, hit := k.fresh(t, q)
				if want := strings.Contains(" "+c.still+" ", " "+name+" "); hit && !want {
					t.Errorf("after a change of %s, %s was kept", c.what, name)
				} else if !hit && want {
					wrong += " " + name
				}
			}
			if wrong == "" {
				break
			}
			if tries == 20 || before == 0 {
				t.Errorf("after a change of %s, not kept:%s", c.what, wrong)
				break
			}
			for _, q := range questions {
				k.kept(t, q)
			}
		}
	}
	if c := k.Visitor().Query(t, price, nil).Get("node.price.cents").Int(); c != 77 {
		t.Errorf("the price is %d", c)
	}
	t.Run("Somebody else's memory goes with it", func(t *testing.T) {
		groix := `{ commune(insee: "56069") { currentInsee } }`
		k.kept(t, groix)
		k.Exec(t, `update communes set current_insee = null where insee = '56069'`) // by another process
		if a, _ := k.fresh(t, groix); a.Get("commune.currentInsee").String() != "" {
			t.Errorf("%s", a.Body)
		}
	})
}

// Of many who ask the same at once one computes; where that fails, nobody is given the failure, and
// where who computes goes away, another does.
func TestOneComputesForAll(t *testing.T) {
	t.Parallel()
	const many = 20
	var computed atomic.Int64
	var begun, gate chan struct{}
	var fails atomic.Bool
	k := keeping(t, 1<<20, nil, func(o *graph.ServerOptions) {
		o.Admit = func(ctx context.Context) (func(), error) {
			if computed.Add(1) == 1 {
				close(begun)
				select {
				case <-gate:
				case <-ctx.Done():
				}
				if fails.Load() {
					return nil, fault.Errorf(fault.Unavailable, "Réessayez.")
				}
			}
			return func() {}, ctx.Err()
		}
	})
	shop := fixture.Shop(t, k.Database, fixture.ShopOpts{Name: "Chez Ève"})
	// ask has one begin to compute, the others wait for it, and then what happens; it repeats that
	// where the versions were too old by then for anybody to wait.
	ask := func(first context.Context, query string, happens func()) (codes []fault.Kind) {
		t.Helper()
		for until := time.Now().Add(time.Minute); time.Now().Before(until); {
			computed.Store(0)
			begun, gate = make(chan struct{}), make(chan struct{})
			codes = make([]fault.Kind, many)
			k.versions.Read(t.Context())
			var wait sync.WaitGroup
			one := func(ctx context.Context, i int) {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(`{"query":`+fmt.Sprintf("%q", query)+`}`))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/json")
				w := &recorder{header: http.Header{}}
				k.Visitor().ServeHTTP(w, r)
				switch {
				case strings.Contains(w.String(), "UNAVAILABLE"):
					codes[i] = fault.Unavailable
				case !strings.Contains(w.String(), "Chez Ève"):
					codes[i] = fault.Internal
				}
			}
			wait.Go(func() { one(first, 0) })
			<-begun
			k.versions.Read(t.Context())
			for i := 1; i < many; i++ {
				wait.Go(func() { one(t.Context(), i) })
			}
			waited := false
			for limit := time.Now().Add(900 * time.Millisecond); time.Now().Before(limit) && computed.Load() == 1; time.Sleep(time.Millisecond) {
				if waited = k.answers.Figures().Waiting == many-1; waited {
					break
				}
			}
			happens()
			close(gate)
			wait.Wait()
			if waited {
				return codes
			}
			query = strings.Replace(query, "{", "{ again: __typename", 1)
		}
		t.Fatal("they never wait for each other")
		return nil
	}
	query := func(alias string) string { return `{ ` + alias + `: shop(id: "` + shop.String() + `") { name } }` }
	codes := ask(t.Context(), query("once"), func() {})
	if n := computed.Load(); n != 1 {
		t.Errorf("%d computed", n)
	}
	for i, c := range codes {
		if c != "" {
			t.Errorf("%d got %s", i, c)
		}
	}
	fails.Store(true)
	codes = ask(t.Context(), query("failing"), func() {})
	for i, c := range codes {
		if (c == fault.Unavailable) != (i == 0) {
			t.Errorf("%d of those who waited for a failure got %q", i, c)
		}
	}
	fails.Store(false)
	leaving, leave := context.WithCancel(t.Context())
	codes = ask(leaving, query("leaving"), leave)
	for i, c := range codes[1:] {
		if c != "" {
			t.Errorf("%d of those who waited for somebody that left got %q", i, c)
		}
	}
	t.Logf("%d computed after the first had left", computed.Load()-1)
}

type recorder struct {
	strings.Builder
	header http.Header
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}
