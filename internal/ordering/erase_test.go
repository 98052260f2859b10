package ordering_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// keys are the columns of order_contacts that name an order and no person.
var keys = map[string]bool{"commune_id": true, "order_id": true}

// Whoever empties a contact empties every column of it, one that was added since too: the columns
// are the catalogue's. Other orders keep theirs.
func TestErasedContactsAreEmpty(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{})
	erased, kept := fixture.Order(t, b.Database, shop, product.Variants[0], fixture.OrderOpts{}), fixture.Order(t, b.Database, shop, product.Variants[0], fixture.OrderOpts{})
	columns := pgtestStrings(t, b.Database, `select attname || ' ' || format_type(atttypid, null) from pg_attribute where attrelid = 'order_contacts'::regclass and attnum > 0 and not attisdropped order by attnum`)
	var named []string
	for _, c := range columns {
		name, kind, _ := strings.Cut(c, " ")
		if keys[name] {
			continue
		}
		value := map[string]string{"text": "'Le Goff'", "double precision": "47.5"}[kind]
		if value == "" {
			t.Fatalf("order_contacts.%s is %s: give this test a value for it", name, kind)
		}
		named = append(named, name)
		b.Exec(t, fmt.Sprintf(`update order_contacts set %s = %s`, pgx.Identifier{name}.Sanitize(), value)+map[bool]string{true: `, longitude = -3.3`}[name == "latitude"])
	}
	b.Exec(t, `update orders set note = 'pour Le Goff', reason_text = 'Le Goff'`)
	b.Exec(t, `insert into order_changes (commune_id, order_id, version, lines, quantities, missing, text, proposed_at)
		select commune_id, id, 1, '{1}', '{0}', false, 'Le Goff', now() from orders`)
	left := func(order uuid.UUID) string {
		t.Helper()
		return pgtest.Scan[string](t, b.Database, `select num_nonnulls(`+strings.Join(named, ", ")+`) || ' ' || num_nonnulls(o.note, o.reason_text, ch.text)
			from order_contacts c join orders o on o.id = c.order_id join order_changes ch on ch.order_id = o.id where c.order_id = $1`, order)
	}
	books := `select md5(string_agg(l::text, '|' order by l::text)) || count(*) from order_lines l`
	before := pgtest.Scan[string](t, b.Database, books)
	scope := pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{shop.Commune}}
	err := b.Database.DB.Write(t.Context(), scope, func(ctx context.Context, tx pgx.Tx) error {
		return ordering.EraseContactsTx(ctx, tx, shop.Commune, []uuid.UUID{erased.Row})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := left(erased.Row); got != "0 0" {
		t.Errorf("%s columns still name the person", got)
	}
	if got, want := left(kept.Row), fmt.Sprintf("%d 3", len(named)); got != want {
		t.Errorf("another order has %s of %s", got, want)
	}
	if pgtest.Scan[string](t, b.Database, books) != before {
		t.Error("the shop's books have changed")
	}
	if strings.Contains(pgtest.Scan[string](t, b.Database, `select coalesce(string_agg(o::text || e::text, ' '), '') from orders o join order_events e on e.order_id = o.id where o.id = '`+erased.Row.String()+`'`), "Goff") {
		t.Error("the order or its log still names the person")
	}
}
