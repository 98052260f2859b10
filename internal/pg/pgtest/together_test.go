package pgtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

const settings = `select string_agg(coalesce(current_setting(name, true), ''), '|' order by at)
	from unnest('{halles.kind,halles.communes,halles.staff,halles.shops,halles.own,plan_cache_mode}'::text[]) with ordinality x (name, at) where $1`

// A query sees its own settings and no other's, alone and in one round trip with others; and none of
// them is left on the connection.
func TestSettings(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Fresh) // planned as a server plans
	shop := uuid.MustParse("01938691-a9bc-77af-9ad6-8671b2b8e424")
	scopes := map[string]pg.Scope{
		"agent|{56121,56021}|{56121}||on|auto":            {Role: pg.App, Kind: "agent", Communes: []string{"56121", "56021"}, Staff: []string{"56121"}, Own: true},
		"customer|{56021}||||auto":                        {Role: pg.App, Kind: "customer", Communes: []string{"56021"}},
		"visitor|{56098}||||auto":                         {Role: pg.Public, Kind: "visitor", Communes: []string{"56098"}},
		"visitor|{56007}||||force_generic_plan":           {Role: pg.Public, Kind: "visitor", Communes: []string{"56007"}, Generic: true},
		"merchant|{56098}||{" + shop.String() + "}||auto": {Role: pg.App, Kind: "merchant", Communes: []string{"56098"}, Shops: []uuid.UUID{shop}},
	}
	read := func(ctx context.Context, want string, times int) {
		for range times { // who has more to ask asks again, with whoever still asks
			got, err := pg.SelectScalars[string](ctx, d.DB, scopes[want], settings, true)
			if err != nil || len(got) != 1 || strings.ReplaceAll(got[0], "{}", "") != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
	}
	var work []func(context.Context)
	n := 0
	for want := range scopes {
		read(t.Context(), want, 1)
		n++
		times := n
		work = append(work, func(ctx context.Context) { read(ctx, want, times) })
		if n%2 == 0 { // another of the same viewer, for whom nothing need be set
			work = append(work, func(ctx context.Context) { read(ctx, want, times) })
		}
	}
	pg.Together(t.Context(), work)
	for _, role := range []pg.Role{pg.Public, pg.App} {
		var left string
		if err := d.DB.Pool(role).QueryRow(t.Context(), settings, true).Scan(&left); err != nil || left != "|||||auto" {
			t.Errorf("left on a connection of %s: %q, %v", role, left, err)
		}
	}
}

// Queries that leave together are one round trip, beside one who asks nothing; one that fails leaves
// the others their answers.
func TestTogether(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	visitor := pg.Scope{Role: pg.Public, Kind: "visitor", Communes: []string{"56121"}}
	var began [4]string
	ask := func(at int, sql string) func(context.Context) {
		return func(ctx context.Context) {
			found, err := pg.SelectScalars[string](ctx, d.DB, visitor, sql)
			if err == nil && len(found) == 1 {
				began[at] = found[0]
			}
		}
	}
	transaction := `select pg_backend_pid() || ' ' || now()`
	pg.Together(t.Context(), []func(context.Context){
		ask(0, transaction), func(context.Context) {}, ask(1, transaction), ask(2, transaction),
	})
	if began[0] == "" || began[0] != began[1] || began[1] != began[2] {
		t.Errorf("not one transaction: %q", began)
	}
	began = [4]string{}
	pg.Together(t.Context(), []func(context.Context){
		ask(0, transaction), ask(1, `select (1 / (extract(epoch from now()) * 0)::int)::text`), ask(2, transaction), ask(3, transaction),
	})
	if began[0] == "" || began[1] != "" || began[2] == "" || began[3] == "" {
		t.Errorf("one of four fails: %q", began)
	}
}

// What panics beside others ends them too, and nobody waits for ever.
func TestTogetherEndsWithAPanic(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	visitor := pg.Scope{Role: pg.Public, Kind: "visitor", Communes: []string{"56121"}}
	var beside error
	defer func() {
		if p := recover(); p != "a mistake" || beside == nil {
			t.Errorf("the panic: %v; who asked beside it: %v", p, beside)
		}
	}()
	pg.Together(t.Context(), []func(context.Context){
		func(ctx context.Context) { _, beside = pg.SelectScalars[string](ctx, d.DB, visitor, `select 'here'`) },
		func(context.Context) { panic("a mistake") }, // direct catches one of its own, and this is what it must not leave waiting
	})
}

// Who holds up the others asks at once: a snapshot that two of them want is read by one, while the
// other waits for it and asks nothing. A query whose context ends goes before it has left.
func TestTogetherWaitsForNobodyWhoWaits(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	visitor := pg.Scope{Role: pg.Public, Kind: "visitor", Communes: []string{"56121"}}
	snapshot := pg.NewSnapshot(func(ctx context.Context) ([]string, error) {
		return pg.SelectScalars[string](ctx, d.DB, visitor, `select 'here'`)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	look := func(ctx context.Context) {
		if found, err := snapshot.Get(ctx); err != nil || len(found) != 1 {
			t.Errorf("%v, %v", found, err)
		}
	}
	pg.Together(ctx, []func(context.Context){look, look, look})

	ctx, cancel = context.WithCancel(t.Context())
	pg.Together(ctx, []func(context.Context){
		func(ctx context.Context) {
			if _, err := pg.SelectScalars[string](ctx, d.DB, visitor, `select 'never'`); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		},
		func(context.Context) { cancel() },
	})
}
