package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// now is the instant of a request or a transaction: UTC, to the microsecond that Postgres keeps.
func (d *Directory) now() time.Time {
	if d.Now == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return d.Now().UTC().Truncate(time.Microsecond)
}

// calendarRow is all that the calendar must know of a shop, in one row: parts that are lists come
// as JSON. Restrictions are a commune's, and in the row of its first shop only.
type calendarRow struct {
	CommuneID  string
	Row        uuid.UUID `db:"id"`
	Categories []string
	NafCode    string
	NafVersion string
	SalesArea  int
	Weekly     [][3]int // weekday, opens, closes
	Special    []struct {
		Day           calendar.Date
		Opens, Closes []calendar.Clock
		Reason        string
	}
	OpenOn   []calendar.Holiday
	Closures []calendar.Closure
	Offers   []struct {
		Mode       calendar.Mode
		Lead, Slot int // minutes
		CutOff     *calendar.Clock
		Capacity   *int
	}
	Slots []struct {
		Mode   calendar.Mode
		Start  time.Time
		Closed bool // else all its places are booked
	}
	Restrictions []calendar.Restriction
}

// calendarSQL reads calendarRows of the shops $1, $2, without what ended before the instant $3 or
// was for a date before $4.
const calendarSQL = `
	select s.commune_id, s.id, s.naf_code, s.naf_version, coalesce(s.sales_area_m2, 0) as sales_area,
		(select array_remove(array[c.id, c.parent_id], null) from categories c where c.id = s.category_id) as categories,
		(select json_agg(json_build_array(h.weekday, h.opens, h.closes) order by h.weekday, h.opens) from opening_hours h
			where h.commune_id = s.commune_id and h.shop_id = s.id) as weekly,
		(select json_agg(json_build_object('Day', x.day, 'Opens', x.opens, 'Closes', x.closes, 'Reason', x.reason) order by x.day) from special_hours x
			where x.commune_id = s.commune_id and x.shop_id = s.id and x.day >= $4::date) as special,
		array(select o.holiday from holiday_openings o where o.commune_id = s.commune_id and o.shop_id = s.id order by o.holiday) as open_on,
		(select json_agg(json_build_object('From', c.starts_at, 'Until', c.ends_at, 'Reason', c.reason) order by c.starts_at, c.id) from closures c
			where c.commune_id = s.commune_id and c.shop_id = s.id and coalesce(c.ends_at, 'infinity') > $3::timestamptz) as closures,
		(select json_agg(json_build_object('Mode', f.mode, 'Lead', f.lead_minutes, 'Slot', f.slot_minutes, 'CutOff', f.cut_off, 'Capacity', f.slot_capacity) order by f.mode desc) from fulfilments f
			where f.commune_id = s.commune_id and f.shop_id = s.id) as offers,
		(select json_agg(json_build_object('Mode', t.mode, 'Start', t.starts_at, 'Closed', t.closed)) from slots t
			where t.commune_id = s.commune_id and t.shop_id = s.id and t.starts_at >= $3::timestamptz and (t.closed or t.taken)) as slots,
		case when row_number() over (partition by s.commune_id order by s.id) = 1 then
			(select json_agg(json_build_object('ID', r.id, 'Title', r.title, 'Rank', r.rank, 'From', r.starts_at, 'Until', r.ends_at,
				'Of', json_build_object('Categories', r.categories, 'Nafs', (select json_agg(json_build_object('Code', n, 'Version', r.naf_version)) from unnest(r.naf_codes) n)),
				'Except', json_build_object('Categories', r.except_categories, 'Nafs', (select json_agg(json_build_object('Code', n, 'Version', r.naf_version)) from unnest(r.except_naf_codes) n)),
				'AreaOver', r.area_over_m2, 'Visitors', r.visitors, 'SquareMetres', r.square_metres, 'Condition', r.condition, 'Pickup', r.pickup, 'Delivery', r.delivery)
				order by r.starts_at, r.id) from restrictions r
			where r.commune_id = s.commune_id and coalesce(r.ends_at, 'infinity') > $3::timestamptz) end as restrictions
	from ` + tenancy.Keys + ` k (commune_id, id) cross join lateral (
		select commune_id, id, naf_code, naf_version, sales_area_m2, category_id from shops s where s.commune_id = k.commune_id and s.id = k.id offset 0) s`

// calendarArgs are those of calendarSQL. An opening may have begun on the day before, and a block
// that ended may have cut it.
func calendarArgs(ids []tenancy.ID, from time.Time) []any {
	communes, rows := tenancy.Columns(ids)
	day := calendar.DateOf(from) - 2
	return []any{communes, rows, day.At(0), day.String()}
}

// calendars makes shops of rows. Those of a commune share its restrictions.
func calendars(rows []calendarRow) map[tenancy.ID]*calendar.Shop {
	restrictions := map[string][]calendar.Restriction{}
	for i := range rows {
		r := &rows[i]
		for j := range r.Restrictions {
			row, _ := uuid.Parse(r.Restrictions[j].ID) // a column of that type
			r.Restrictions[j].ID = tenancy.RowID(tenancy.KindRestriction, r.CommuneID, row).String()
		}
		if r.Restrictions != nil {
			restrictions[r.CommuneID] = r.Restrictions
		}
	}
	shops := make(map[tenancy.ID]*calendar.Shop, len(rows))
	for i := range rows {
		r := &rows[i]
		s := &calendar.Shop{Restrictions: restrictions[r.CommuneID]}
		s.Place = calendar.Place{
			Commune: r.CommuneID, Categories: r.Categories, SalesArea: r.SalesArea,
			Nafs: []calendar.Naf{{Code: r.NafCode, Version: r.NafVersion}},
		}
		s.OpenOn, s.Closures = r.OpenOn, r.Closures
		for _, w := range r.Weekly {
			s.Week[w[0]-1] = append(s.Week[w[0]-1], calendar.Opening{Opens: calendar.Clock(w[1]), Closes: calendar.Clock(w[2])})
		}
		for _, x := range r.Special {
			special := calendar.Special{Date: x.Day, Reason: x.Reason}
			for n := range x.Opens {
				special.Openings = append(special.Openings, calendar.Opening{Opens: x.Opens[n], Closes: x.Closes[n]})
			}
			s.Special = append(s.Special, special)
		}
		for _, f := range r.Offers {
			o := calendar.Offer{Mode: f.Mode, Lead: time.Duration(f.Lead) * time.Minute, Slot: time.Duration(f.Slot) * time.Minute, CutOff: f.CutOff}
			if f.Capacity != nil {
				o.Capacity = *f.Capacity
			}
			s.Offers = append(s.Offers, o)
		}
		for _, t := range r.Slots {
			if s.Loaded == nil {
				s.Loaded = map[calendar.Mode]map[int64]calendar.Load{}
			}
			if s.Loaded[t.Mode] == nil {
				s.Loaded[t.Mode] = map[int64]calendar.Load{}
			}
			load := calendar.Load{Booked: 1, Capacity: 1}
			if t.Closed {
				load.Capacity = 0
			}
			s.Loaded[t.Mode][t.Start.Unix()] = load
		}
		shops[tenancy.RowID(tenancy.KindShop, r.CommuneID, r.Row)] = s
	}
	return shops
}

// Calendars is what the calendar knows of shops from an instant on, in one statement: it answers
// for that instant and later ones. A shop that is missing does not exist for this viewer.
func (d *Directory) Calendars(ctx context.Context, v *identity.Viewer, ids []tenancy.ID, from time.Time) (map[tenancy.ID]*calendar.Shop, error) {
	return CalendarsIn(ctx, d.DB, v.Scope(), ids, from)
}

// CalendarsIn is Calendars for a feature that reads under a scope of its own.
func CalendarsIn(ctx context.Context, db *pg.DB, scope pg.Scope, ids []tenancy.ID, from time.Time) (map[tenancy.ID]*calendar.Shop, error) {
	communes, _ := tenancy.Columns(ids)
	rows, err := pg.Select[calendarRow](ctx, db, scope.In(communes...), calendarSQL, calendarArgs(ids, from)...)
	if err != nil {
		return nil, fmt.Errorf("calendars of %d shops: %w", len(ids), err)
	}
	return calendars(rows), nil
}

// QueueCalendar reads what the calendar knows of one shop within the transaction of a batch; found
// is called when the shop is there.
func QueueCalendar(b *pgx.Batch, shop tenancy.ID, from time.Time, found func(*calendar.Shop)) {
	b.Queue(calendarSQL, calendarArgs([]tenancy.ID{shop}, from)...).Query(func(r pgx.Rows) error {
		rows, err := pgx.CollectRows(r, pgx.RowToStructByName[calendarRow])
		if s := calendars(rows)[shop]; s != nil {
			found(s)
		}
		return err
	})
}

// calendarsTx is Calendars in a transaction.
func calendarsTx(ctx context.Context, tx pgx.Tx, ids []tenancy.ID, from time.Time) (map[tenancy.ID]*calendar.Shop, error) {
	rows, err := tx.Query(ctx, calendarSQL, calendarArgs(ids, from)...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[calendarRow])
	return calendars(list), err
}

// Instant is the instant that a question is about, now where none is given, and the date from
// which a calendar must know the shop to answer it.
//
// Faults: INVALID for one that no question can be about.
func (d *Directory) Instant(at *time.Time, path ...string) (time.Time, calendar.Date, error) {
	now := d.now()
	if at == nil {
		return now, calendar.DateOf(now), nil
	}
	return *at, min(calendar.DateOf(now), calendar.DateOf(*at)), CheckInstant(*at, path...)
}
