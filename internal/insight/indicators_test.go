package insight_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// told is what a dashboard's table says, line by line.
func told(rows []*insight.FigureRow) string {
	var lines []string
	for _, r := range rows {
		line := r.Label
		for _, f := range r.Figures {
			if f.Value.Hidden != nil {
				line += " " + string(*f.Value.Hidden)
			} else {
				line += fmt.Sprintf(" %d", *f.Value.Number)
			}
		}
		lines = append(lines, line)
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), "\u00a0", " ")
}

// TestTablesBesideTheCube publishes a month with flows, searches, calls and a restriction.
func TestTablesBesideTheCube(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	crowd(t, d, 100, 0)
	n := insightOn(d)
	n.Now = func() time.Time { return time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC) }
	// Before 10 October each shop sells 4 times, after it those of less than 200 m² 6 times.
	d.Exec(t, `update shops set headcount = 3, sales_area_m2 = case when right(slug, 1) in ('0', '5') then 300 else 50 end`)
	d.Exec(t, `insert into shop_facts (commune_id, shop_id, day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows)
		select commune_id, id, '2026-10-12'::date, 'PICKUP', 'WEB', n, n, n, 2000 * n, 100 * n, 0, 0, 0 from (select *, case when sales_area_m2 > 200 then 4 else 6 end as n from shops) s
		union all select commune_id, id, '2026-09-30'::date, 'PICKUP', 'WEB', 4, 4, 4, 8000, 400, 0, 0, 0 from shops`)
	d.Exec(t, `insert into restrictions (commune_id, id, rank, title, starts_at, ends_at, naf_version, area_over_m2, visitors, pickup, delivery, declared_as, declared_at)
		select insee, $1, 'PREFECT', 'arrêté des grandes surfaces', '2026-10-02 00:00+02', '2026-10-16 00:00+02', 'REV2', 200, true, true, true, 'ADMIN', '2026-10-01' from communes`, uuid.New())
	// Lorient's shops sell to Lorient, to three other communes by one shop each, and to who says nothing.
	d.Exec(t, `
		insert into orders (commune_id, id, shop_id, number, channel, mode, status, version, scope, idempotency_key, items_cents, delivery_cents, item_count, pickup_code, placed_at, updated_at, buyer_commune)
		select s.commune_id, o.id, s.id, o.id::text, 'WEB', 'PICKUP', 'COLLECTED', 1, 'flux', o.id::text, 2000, 0, 2, o.id::text, '2026-10-12 10:00+02', '2026-10-12 10:00+02',
			case when k <= 3 then s.commune_id when k = 4 then '56098' when k = 5 then '75056' end
		from shops s, lateral (select gen_random_uuid() as id, k from generate_series(1, case when s.sales_area_m2 > 200 then 4 else 6 end) k) o`)
	for i := range 5 {
		dossier := fixture.Registration(t, d, fixture.RegistrationOpts{})
		d.Exec(t, `update registrations set siret = $2 where id = $1`, dossier.Row, fmt.Sprintf("50000000%d00011", i))
		d.Exec(t, `insert into calls (commune_id, id, at, operator_id, reason, outcome, seconds, registration_id)
			select $1, gen_random_uuid(), '2026-10-20', gen_random_uuid(), 'REGISTRATION', 'DONE', 60, $2 from generate_series(1, 2)`, dossier.Commune, dossier.Row)
	}
	d.Exec(t, `insert into search_misses (place, day, searches) values ('', '2026-10-03', 40), ('56121', '2026-10-04', 2), ('', '2026-11-01', 9)`)
	d.Exec(t, `insert into search_miss_terms (place, day, term, sessions) values ('', '2026-10-03', 'kouign amann', 5), ('56121', '2026-10-04', 'kouign amann', 3), ('', '2026-10-03', 'tournevis', 4)`)
	d.Exec(t, `insert into fact_heads (commune_id, seq) select commune_id, seq from stream_heads on conflict do nothing`)
	if err := n.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	analyst := fixture.Viewer(t, d, identity.Analyst)
	board, err := n.Dashboard(t.Context(), analyst, insight.DashboardInput{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rows []*insight.FigureRow
		want string
	}{
		"searches":     {board.MissedSearches, "kouign amann 8; tournevis 4; Ensemble 42"},
		"outreach":     {board.Outreach, "Appels pour une inscription 10; Dossiers ouverts 5; Boutiques publiées FEWER_THAN_THREE; Boutiques qui ont vendu FEWER_THAN_THREE"},
		"restrictions": {board.Restrictions, "2026-10-02 arrêté des grandes surfaces 20 60 0 50"},
	} {
		if got := told(c.rows); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	flows := told(board.Flows)
	for _, part := range []string{"Lanester → Lanester 32000 16", "Lanester → Lorient 8000 4", "; Lorient 24000 12", "Commune non dite 160000 80", "Hors de l'agglomération 160000 80"} {
		if !strings.Contains(flows, part) {
			t.Errorf("flows without %q: %s", part, flows)
		}
	}
	if len(board.Equity) != 3 || !strings.HasPrefix(told(board.Equity), "Communes de moins de 3 500 habitants ") || strings.Contains(told(board.Equity), "FEWER") {
		t.Errorf("equity: %s", told(board.Equity))
	}
	agent := fixture.Viewer(t, d, identity.Agent, fixture.Shop(t, d, fixture.ShopOpts{}))
	if board, err = n.Dashboard(t.Context(), agent, insight.DashboardInput{}); err != nil {
		t.Fatal(err)
	}
	if len(board.Flows)+len(board.Equity)+len(board.Outreach)+len(board.MissedSearches)+len(board.Restrictions) > 0 {
		t.Error("an agent sees tables of all communes")
	}
	// What is hidden in a month is hidden over the period; of such a pair there is no line.
	before := insight.DashboardInput{From: month(t, "2026-08"), To: month(t, "2026-10")}
	if board, err = n.Dashboard(t.Context(), analyst, before); err != nil {
		t.Fatal(err)
	}
	if got := told(board.Flows); !strings.Contains(got, "Lanester NOT_PUBLISHED") || strings.Contains(got, "→") {
		t.Errorf("a period with a month that was not published adds up: %s", got)
	}
}
