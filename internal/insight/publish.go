package insight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/insight/secrecy"
	"github.com/audelor/halles/internal/pg"
)

// Kind is what a version is.
type Kind string

// The kinds of versions.
const (
	Running Kind = "RUNNING" // while the month goes on: the total of all, at most once a day
	Closed  Kind = "CLOSED"  // on the 5th of the next month
	Revised Kind = "REVISED" // at the beginning of a quarter, for the two quarters before
)

// closingDay is when a month is closed: late no-shows and refusals have come in.
const closingDay = 5

// Publish writes what is due: the months that are to be closed, the quarter's revisions, and once a
// day the running month. Each version is a transaction; what was written stays as it is, so that it
// may be cut off anywhere and goes on there. Of two servers that do it at once, one finds a version
// published by the other, says so and goes on with the next.
func (n *Insight) Publish(ctx context.Context) error {
	if err := n.Count(ctx); err != nil { // what is closed is complete
		return err
	}
	p, err := n.publisher(ctx)
	if err != nil || p == nil {
		return err
	}
	for m := p.first; m.closes() <= p.today; m = m.Next() {
		versions := p.versions[m]
		if !slices.ContainsFunc(versions, func(v version) bool { return v.Kind != Running }) {
			if err := p.close(ctx, m); err != nil {
				return fmt.Errorf("close %s: %w", m, err)
			}
			continue
		}
		if due := p.revision(m); due > 0 && calendar.DateOf(versions[len(versions)-1].PublishedAt) < due {
			if err := p.revise(ctx, m); err != nil {
				return fmt.Errorf("revise %s: %w", m, err)
			}
		}
	}
	return p.running(ctx, MonthOf(p.today))
}

// version is a row of insight.versions.
type version struct {
	Month       string
	Version     int
	Kind        Kind
	PublishedAt time.Time
}

// publisher is what all versions of a run have in common.
type publisher struct {
	*Insight
	scope    pg.Scope
	now      time.Time
	today    calendar.Date
	first    Month // with an order
	versions map[Month][]version
	sectors  []string
}

// publisher is nil as long as there is no order.
func (n *Insight) publisher(ctx context.Context) (*publisher, error) {
	scope, err := n.jobScope(ctx)
	if err != nil {
		return nil, err
	}
	p := &publisher{Insight: n, scope: scope, now: n.now(), versions: map[Month][]version{}}
	p.today = calendar.DateOf(p.now)
	first, err := pg.SelectScalars[*string](ctx, n.DB, scope, `select min(day)::text from shop_facts where commune_id = any($1)`, scope.Communes)
	if err != nil || first[0] == nil {
		return nil, err
	}
	var day calendar.Date
	if err := day.UnmarshalText([]byte(*first[0])); err != nil {
		return nil, err
	}
	p.first = MonthOf(day)
	list, err := pg.Select[version](ctx, n.DB, scope, `select to_char(month, 'YYYY-MM') as month, version, kind, published_at from insight.versions order by month, version`)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		m, err := ParseMonth(v.Month)
		if err != nil {
			return nil, err
		}
		p.versions[m] = append(p.versions[m], v)
	}
	sectors, err := n.sectors(ctx)
	for _, s := range sectors {
		p.sectors = append(p.sectors, s.ID)
	}
	return p, err
}

// sector is one of the cube's: a category of the first rank.
type sector struct{ ID, Name string }

// sectors are the cube's, in the tree's order; where the tree has more roots than the cube takes, the
// last of them stands for the rest.
func (n *Insight) sectors(ctx context.Context) ([]sector, error) {
	list, err := pg.Select[sector](ctx, n.DB, pg.Scope{Role: pg.Public, Kind: "visitor"}, `select id, name from categories where parent_id is null order by position, id`)
	if len(list) > maxSectors {
		list = append(list[:maxSectors-1], sector{"autres", "Autres"})
	}
	return list, err
}

// closes is the day on which a month is closed.
func (m Month) closes() calendar.Date { return m.Next().First() + closingDay - 1 }

// revision is the last day of the calendar on which the month was due to be revised; 0 for none. A
// month is revised on the 5th of January, April, July and October, in the two quarters after its own.
func (p *publisher) revision(m Month) calendar.Date {
	var due calendar.Date
	quarter := m - m%3 + 3
	for range 2 {
		if day := quarter.First() + closingDay - 1; day <= p.today && day > m.closes() {
			due = day
		}
		quarter += 3
	}
	return due
}

// close publishes a month for the first time.
func (p *publisher) close(ctx context.Context, m Month) error {
	return p.write(ctx, m, Closed, func(ctx context.Context, tx pgx.Tx) (*publication, error) {
		published, err := p.published(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		now, err := p.contributions(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		places, err := p.places(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		c := newCube(p.scope.Communes, p.sectors, places, now)
		// The running month's last total was told: if too few are behind the rest, this one is not.
		if len(p.versions[m]) > 0 && !slices.Equal(published, now) && !safe(published, now) {
			c.table.Hide(secrecy.FewerThanThree, secrecy.Total, secrecy.Total, secrecy.Total)
		}
		c.table.Protect()
		figures, err := p.figures(ctx, tx, m, c)
		return &publication{cells: c.cells(), figures: figures, made: now}, err
	})
}

// revise publishes what changed since a month was published, where it may be told. The pattern stays
// what it was, so that two versions laid side by side show nothing that one of them hides; where it
// could not stay, the month is left as it is.
func (p *publisher) revise(ctx context.Context, m Month) error {
	return p.write(ctx, m, Revised, func(ctx context.Context, tx pgx.Tx) (*publication, error) {
		published, err := p.published(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		now, err := p.contributions(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		list, changed := revised(published, now)
		if !changed {
			return nil, nil
		}
		hidden, err := p.pattern(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		places := make([]place, 0, len(hidden))
		for _, h := range hidden { // what was possible then
			places = append(places, h.place)
		}
		c := newCube(p.scope.Communes, p.sectors, places, list)
		for _, h := range hidden {
			if h.reason != secrecy.None {
				c.table.Hide(h.reason, c.at(h.CommuneID, h.Sector, h.Mode)...)
			}
		}
		c.table.Protect()
		for _, h := range hidden {
			if c.table.At(c.at(h.CommuneID, h.Sector, h.Mode)...).Hidden != h.reason {
				return nil, nil
			}
		}
		return &publication{cells: c.cells(), made: list, keepFigures: true}, nil
	})
}

// running publishes the total of the month that goes on, once a day, when three enterprises or more
// contributed since the last time and none of them nearly all of it.
func (p *publisher) running(ctx context.Context, m Month) error {
	versions := p.versions[m]
	if len(versions) > 0 && calendar.DateOf(versions[len(versions)-1].PublishedAt) >= p.today {
		return nil
	}
	return p.write(ctx, m, Running, func(ctx context.Context, tx pgx.Tx) (*publication, error) {
		published, err := p.published(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		now, err := p.contributions(ctx, tx, m)
		if err != nil || !safe(published, now) {
			return nil, err
		}
		c := newCube(p.scope.Communes, p.sectors, nil, now)
		total := c.table.At(secrecy.Total, secrecy.Total, secrecy.Total)
		c.table.Judge()
		if total.Hidden != secrecy.None {
			return nil, nil
		}
		cells := c.cells()
		return &publication{cells: cells[len(cells)-1:], made: now}, nil
	})
}

// publication is what a version writes.
type publication struct {
	cells       []cell
	figures     []figure
	made        []contribution
	keepFigures bool // those of the version before
}

// write writes the next version of a month; make returns nil for none.
func (p *publisher) write(ctx context.Context, m Month, kind Kind, make func(ctx context.Context, tx pgx.Tx) (*publication, error)) error {
	next := 1
	if versions := p.versions[m]; len(versions) > 0 {
		next = versions[len(versions)-1].Version + 1
	}
	month := m.First().String()
	err := p.DB.Write(ctx, p.scope, func(ctx context.Context, tx pgx.Tx) error {
		made, err := make(ctx, tx)
		if err != nil || made == nil {
			return err
		}
		// Of two servers that publish at once, one finds the version there and stops.
		_, err = tx.Exec(ctx, `insert into insight.versions (month, version, kind, published_at) values ($1::date, $2, $3, $4)`, month, next, kind, p.now)
		if pg.Constraint(err) == "versions_pkey" {
			return errPublished
		}
		if err != nil {
			return err
		}
		if err := writeCells(ctx, tx, m, next, made.cells); err != nil {
			return err
		}
		if made.keepFigures {
			if _, err := tx.Exec(ctx, `insert into insight.figures (month, version, subject, key, measure, hidden, value)
				select month, $2, subject, key, measure, hidden, value from insight.figures where month = $1::date and version = $2 - 1`, month, next); err != nil {
				return err
			}
		}
		if err := writeFigures(ctx, tx, m, next, made.figures); err != nil {
			return err
		}
		return p.keep(ctx, tx, m, made.made)
	})
	if errors.Is(err, errPublished) {
		if p.Log != nil {
			p.Log.InfoContext(ctx, errPublished.Error(), "month", m.String(), "version", next)
		}
		return nil
	}
	return err
}

// errPublished ends the transaction of the second of two servers.
var errPublished = errors.New("another server published it at the same time")

func writeCells(ctx context.Context, tx pgx.Tx, m Month, version int, cells []cell) error {
	first := m.First().String()
	_, err := tx.Exec(ctx, `create temporary table new_cells (like insight.cells) on commit drop`)
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"new_cells"}, []string{"month", "version", "commune", "sector", "mode", "hidden", "orders", "gross_cents", "net_cents", "items", "shops", "enterprises", "median_orders_tenths"},
		pgx.CopyFromSlice(len(cells), func(i int) ([]any, error) {
			c := cells[i]
			row := []any{first, version, c.commune, c.sector, c.mode, nil, nil, nil, nil, nil, nil, nil, nil}
			if c.hidden != secrecy.None {
				row[5] = string(c.hidden)
				return row, nil
			}
			copy(row[6:], []any{c.orders, c.gross, c.net, c.items, c.shops, c.enterprises, c.median})
			return row, nil
		}))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into insight.cells (month, version, commune, sector, mode, hidden, orders, gross_cents, net_cents, items, shops, enterprises, median_orders_tenths)
		select month, version, commune, sector, mode, hidden, orders, gross_cents, net_cents, items, shops, enterprises, median_orders_tenths from new_cells`)
	return err
}

// keep notes what the month's latest version is made of.
func (p *publisher) keep(ctx context.Context, tx pgx.Tx, m Month, made []contribution) error {
	month := m.First().String()
	if _, err := tx.Exec(ctx, `delete from published_contributions where commune_id = any($1) and month = $2::date`, p.scope.Communes, month); err != nil {
		return err
	}
	var communes, byMode, sectors, sirens []string
	var shops []uuid.UUID
	var orders, items, gross, vat []int64
	for _, c := range made {
		communes, byMode, sectors, sirens, shops = append(communes, c.CommuneID), append(byMode, c.Mode), append(sectors, c.Sector), append(sirens, c.Siren), append(shops, c.ShopID)
		orders, items, gross, vat = append(orders, c.Orders), append(items, c.Items), append(gross, c.Gross), append(vat, c.VAT)
	}
	_, err := tx.Exec(ctx, `insert into published_contributions (commune_id, month, shop_id, mode, sector, siren, orders, items, gross_cents, vat_cents)
		select c, $2::date, s, m, t, n, o, i, g, v
		from unnest($1::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) x (c, s, m, t, n, o, i, g, v)`,
		communes, month, shops, byMode, sectors, sirens, orders, items, gross, vat)
	return err
}

// contributions is what each shop sold in a month, as the facts have it now.
func (p *publisher) contributions(ctx context.Context, tx pgx.Tx, m Month) ([]contribution, error) {
	rows, err := tx.Query(ctx, `
		select f.commune_id, f.shop_id, f.mode, coalesce(k.parent_id, k.id) as sector, left(s.siret, 9) as siren,
			sum(f.orders)::bigint as orders, sum(f.items)::bigint as items, sum(f.gross_cents)::bigint as gross_cents, sum(f.vat_cents)::bigint as vat_cents
		from shop_facts f join shops s on s.commune_id = f.commune_id and s.id = f.shop_id join categories k on k.id = s.category_id
		where f.commune_id = any($1) and f.day >= $2::date and f.day < $3::date
		group by f.commune_id, f.shop_id, f.mode, k.id, s.siret
		order by f.commune_id, f.shop_id, f.mode`, p.scope.Communes, m.First().String(), m.Next().First().String())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[contribution])
}

// published is what the month's latest version was made of.
func (p *publisher) published(ctx context.Context, tx pgx.Tx, m Month) ([]contribution, error) {
	rows, err := tx.Query(ctx, `select commune_id, shop_id, mode, sector, siren, orders::bigint, items::bigint, gross_cents, vat_cents
		from published_contributions where commune_id = any($1) and month = $2::date order by commune_id, shop_id, mode`, p.scope.Communes, m.First().String())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[contribution])
}

// places is where shops are that could have sold in a month: what they do now, since what they did
// then is not kept.
func (p *publisher) places(ctx context.Context, tx pgx.Tx, m Month) ([]place, error) {
	rows, err := tx.Query(ctx, `
		select distinct s.commune_id, coalesce(k.parent_id, k.id) as sector, f.mode
		from shops s join fulfilments f on f.commune_id = s.commune_id and f.shop_id = s.id join categories k on k.id = s.category_id
		where s.commune_id = any($1) and s.status in ('PUBLISHED', 'SUSPENDED') and s.created_at < $2`, p.scope.Communes, m.Next().First().At(0))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[place])
}

// patterned is an inner cell or total of a published version.
type patterned struct {
	place
	reason secrecy.Reason
}

// pattern is the month's latest pattern, but for what is zero by structure.
func (p *publisher) pattern(ctx context.Context, tx pgx.Tx, m Month) ([]patterned, error) {
	rows, err := tx.Query(ctx, `select commune, sector, mode, coalesce(hidden, '') from insight.cells
		where month = $1::date and version = (select max(version) from insight.versions where month = $1::date) and (hidden is not null or enterprises > 0)
		order by commune, sector, mode`, m.First().String())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (h patterned, err error) {
		err = row.Scan(&h.CommuneID, &h.Sector, &h.Mode, &h.reason)
		return h, err
	})
}
