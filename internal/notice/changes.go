package notice

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
)

// changeWords is an order with less in it, as its shop proposes it.
type changeWords struct {
	*orderWords
	Until string // "mardi 24 novembre à 10:00"
}

// changeToCustomer tells of the change that waits; of one that was answered there is nothing to say.
func changeToCustomer(ctx context.Context, n *Notices, commune string, row uuid.UUID) (*letter, error) {
	w, c, err := n.order(ctx, commune, row)
	if err != nil {
		return nil, err
	}
	type change struct {
		Until      time.Time
		Text       string
		Total      money.Cents
		Names      []string
		Ordered    []int
		Quantities []int
	}
	rows, err := pg.Select[change](ctx, n.DB, worker(commune), `
		with short as (
			select l.line, l.name || case l.option_value when '' then '' else ' (' || l.option_value || ')' end as name, l.quantity as ordered, s.quantity, l.unit_cents
			from orders o join order_changes c on c.commune_id = o.commune_id and c.order_id = o.id and c.version = o.change_version
			cross join unnest(c.lines, c.quantities) s (line, quantity)
			join order_lines l on l.commune_id = o.commune_id and l.order_id = o.id and l.line = s.line
			where o.commune_id = $1 and o.id = $2)
		select o.change_until as until, coalesce(c.text, '') as text,
			o.items_cents + o.delivery_cents - (select coalesce(sum((ordered - quantity) * unit_cents), 0) from short)::bigint as total,
			array(select name from short order by line) as names, array(select ordered from short order by line) as ordered,
			array(select quantity from short order by line) as quantities
		from orders o join order_changes c on c.commune_id = o.commune_id and c.order_id = o.id and c.version = o.change_version
		where o.commune_id = $1 and o.id = $2`, commune, row)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errNothing
	}
	r := rows[0]
	w.Lines, w.Words, w.Total = nil, oneLine(r.Text), r.Total.Format()
	for i, name := range r.Names {
		w.Lines = append(w.Lines, sayShort(oneLine(name), r.Ordered[i], r.Quantities[i]))
	}
	return &letter{Name: w.Customer, Address: c.Email, Phone: c.Phone, Data: changeWords{w, calendar.SayInstant(r.Until)}}, nil
}

// sayShort is a line that is short: "Pain de seigle : 1 au lieu de 2".
func sayShort(name string, ordered, left int) string {
	if left == 0 {
		return fmt.Sprintf("%s : aucun au lieu de %d", name, ordered)
	}
	return fmt.Sprintf("%s : %d au lieu de %d", name, left, ordered)
}
