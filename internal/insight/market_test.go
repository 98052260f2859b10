package insight_test

import (
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// market is shops of enterprises of their own, whose facts a test writes.
type market struct {
	*insight.Insight
	t     *testing.T
	d     *pgtest.Database
	now   time.Time
	shops map[string][]tenancy.ID // by commune and trade
}

func newMarket(t *testing.T) *market {
	t.Helper()
	m := &market{t: t, d: pgtest.New(t), shops: map[string][]tenancy.ID{}}
	m.Insight = insightOn(m.d)
	m.Now = func() time.Time { return m.now }
	return m
}

// open makes shops of a trade in a commune, each its own enterprise, since 2025.
func (m *market) open(n int, commune, category string) {
	for range n {
		shop := fixture.Shop(m.t, m.d, fixture.ShopOpts{Commune: commune, Category: category, Modes: []directory.FulfilmentMode{directory.Pickup, directory.Delivery}})
		m.d.Exec(m.t, `update shops set siret = lpad((300000000 + (select count(*) from shops))::text, 9, '0') || '00011', created_at = '2025-01-01' where id = $1`, shop.Row)
		key := commune + " " + category
		m.shops[key] = append(m.shops[key], shop)
	}
}

// sell adds orders of 10 € each to a shop's day.
func (m *market) sell(shop tenancy.ID, day, mode string, orders int) {
	m.d.Exec(m.t, `insert into shop_facts (commune_id, shop_id, day, mode, channel, placed, orders, items, gross_cents, vat_cents, rejected, cancelled, no_shows)
		values ($1, $2, $3::date, $4, 'WEB', $5, $5, 2 * $5, 1000 * $5, 52 * $5, 0, 0, 0)
		on conflict (commune_id, shop_id, day, mode, channel) do update set placed = shop_facts.placed + $5, orders = shop_facts.orders + $5,
			items = shop_facts.items + 2 * $5, gross_cents = shop_facts.gross_cents + 1000 * $5, vat_cents = shop_facts.vat_cents + 52 * $5`,
		shop.Commune, shop.Row, day, mode, orders)
}

func (m *market) publish(day string) {
	m.t.Helper()
	at, err := time.Parse("2006-01-02 15", day+" 08")
	if err != nil {
		m.t.Fatal(err)
	}
	m.now = at
	if err := m.Publish(m.t.Context()); err != nil {
		m.t.Fatalf("%s: %v", day, err)
	}
}

// versions lists what was published.
func (m *market) versions() string {
	return pgtest.Scan[string](m.t, m.d, `select coalesce(string_agg(to_char(month, 'YYYY-MM') || ' ' || version || ' ' || kind, ', ' order by month, version), '') from insight.versions`)
}

func (m *market) cell(month string, version int, commune, sector, mode string) string {
	m.t.Helper()
	return pgtest.Scan[string](m.t, m.d, `select coalesce(hidden, orders || ' of ' || enterprises) from insight.cells
		where month = ($1 || '-01')::date and version = $2 and commune = $3 and sector = $4 and mode = $5`, month, version, commune, sector, mode)
}

// wanted fails the test when two texts differ.
func (m *market) wanted(what, got, want string) {
	m.t.Helper()
	if got != want {
		m.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// filled is a market with a month's orders: Lorient's trades are many, Groix has two bookshops.
func filled(t *testing.T, days ...string) *market {
	m := newMarket(t)
	m.open(12, fixture.Lorient, "librairie")
	m.open(8, fixture.Lorient, "boulangerie")
	m.open(9, fixture.Hennebont, "librairie")
	m.open(7, fixture.Hennebont, "boulangerie")
	m.open(2, fixture.Groix, "librairie")
	m.open(5, fixture.Groix, "boulangerie")
	for _, day := range days {
		for _, shops := range m.shops {
			for i, shop := range shops {
				m.sell(shop, day, "PICKUP", 5+i%3)
				m.sell(shop, day, "DELIVERY", 3+i%2)
			}
		}
	}
	return m
}

func month(t *testing.T, text string) *insight.Month {
	t.Helper()
	m, err := insight.ParseMonth(text)
	if err != nil {
		t.Fatal(err)
	}
	return &m
}

// orders is what a dashboard's first figures say of orders.
func orders(list []*insight.Figure) string {
	for _, f := range list {
		if f.Indicator == insight.Orders {
			if f.Value.Hidden != nil {
				return string(*f.Value.Hidden)
			}
			return f.Value.Formatted
		}
	}
	return "none"
}
