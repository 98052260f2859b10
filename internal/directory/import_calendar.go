package directory

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/sheet"
)

// What a file of shops says of hours, holidays and modes. The journal keeps each weekday by itself,
// [[opens, closes], …] in minutes, since a file may fill one and leave the others; the holidays on
// which a shop opens; and its modes as whole rows, so that an undo gives back conditions that no
// column has.

// importDays are the weekdays as the columns and the journal call them, Monday first.
var importDays = []string{"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"}

// importCalendar are the fields of the journal that stand in tables of their own.
var importCalendar = append(slices.Clone(importDays), "jours_feries", "modes")

// importLead is how many minutes a mode takes that a file adds without saying so: twice of what a
// shop has to answer before it is reminded.
const importLead = "60"

// importModes are what people call them.
var importModes = map[string]FulfilmentMode{
	"retrait": Pickup, "click collect": Pickup, "click and collect": Pickup, "click et collect": Pickup, "clic et collecte": Pickup,
	"retrait en boutique": Pickup, "a emporter": Pickup, "pickup": Pickup,
	"livraison": Delivery, "livraison a domicile": Delivery, "delivery": Delivery,
}

// readHours reads the week and the holidays of a row.
func readHours(row *sheet.Row, given map[string]any) {
	wrong := func(column string, err error) {
		if f := fault.Of(err); f != nil {
			row.Wrong(column, "%s", f.Message)
		}
	}
	holidays := func(list []calendar.Holiday) {
		names := []string{}
		for _, h := range list {
			names = append(names, string(h))
		}
		slices.Sort(names)
		given["jours_feries"] = names
	}
	day := func(i int, openings []calendar.Opening) {
		list := [][2]int{}
		for _, o := range openings {
			list = append(list, [2]int{int(o.Opens), int(o.Closes)})
		}
		given[importDays[i]] = list
	}
	if cell := row.Cell("horaires"); cell != "" {
		week, openOn, err := calendar.ParseWeek(cell)
		wrong("horaires", err)
		for i, openings := range week {
			day(i, openings)
		}
		if openOn != nil {
			holidays(openOn)
		}
	}
	for i, column := range importDays {
		if cell := row.Cell(column); cell != "" {
			openings, err := calendar.ParseDay(cell)
			wrong(column, err)
			day(i, openings)
		}
	}
	if cell := row.Cell("jours_feries"); cell != "" {
		list, err := calendar.ParseHolidays(cell)
		wrong("jours_feries", err)
		holidays(list)
	}
}

// readModes reads how orders are handed over: what mergeModes then makes whole rows of.
func readModes(row *sheet.Row, given map[string]any) {
	if cell := row.Cell("modes"); cell != "" {
		modes := []string{}
		for _, word := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;/+\n", r) }) {
			key := sheet.Key(word)
			mode, ok := importModes[key]
			switch {
			case ok && !slices.Contains(modes, string(mode)):
				modes = append(modes, string(mode))
			case !ok && key != "" && key != "aucun":
				row.Wrong("modes", "%s n'est pas un mode ; écrivez retrait, livraison, les deux séparés par une virgule, ou aucun.", fault.Shown(strings.TrimSpace(word)))
			}
		}
		given["modes_voulus"] = modes
	}
	if n := row.Count("delai", calendar.HorizonDays*24*60); n != nil {
		given["delai"] = *n
	}
	if km := row.Decimal("livraison_km", 0.001, 100); km != nil {
		given["livraison_km"] = int(*km*1000 + 0.5)
	}
	for _, column := range []string{"livraison_frais", "livraison_minimum"} {
		if cents := row.Cents(column, int64(maxFulfilmentCents)); cents != nil {
			given[column] = *cents
		}
	}
}

// rawModes are what the columns say, which the journal has in modes.
const rawModes = `'{modes_voulus,delai,livraison_km,livraison_frais,livraison_minimum}'::text[]`

// mergeModes makes whole rows of what a line says of modes and of what its shop has.
const mergeModes = `
	update import_shops r set given = r.given || jsonb_build_object('modes', m.modes)
	from (
		select i.line, coalesce(jsonb_agg(jsonb_build_object('mode', w.mode,
				'lead', coalesce((i.given ->> 'delai')::int, f.lead_minutes, ` + importLead + `), 'slot', coalesce(f.slot_minutes, 30),
				'minimum', coalesce(case when w.mode = 'DELIVERY' then (i.given ->> 'livraison_minimum')::bigint end, f.minimum_cents, 0),
				'fee', coalesce(case when w.mode = 'DELIVERY' then (i.given ->> 'livraison_frais')::bigint end, f.fee_cents, 0),
				'perimeter', case when w.mode = 'DELIVERY' then coalesce((i.given ->> 'livraison_km')::int, f.perimeter_m) end,
				'cut_off', f.cut_off, 'capacity', f.slot_capacity) order by w.mode desc) filter (where w.mode is not null), '[]') as modes
		from import_shops i
		left join lateral (
			select mode from jsonb_array_elements_text(i.given -> 'modes_voulus') mode
			union all
			select o.mode from fulfilments o where o.commune_id = $1 and o.shop_id = i.shop_id and not i.given ? 'modes_voulus') w on true
		left join fulfilments f on f.commune_id = $1 and f.shop_id = i.shop_id and f.mode = w.mode
		where i.given ?| ` + rawModes + `
		group by i.line) m
	where r.line = m.line`

// wrongModes are conditions of a mode that the shop has not, or lacks.
const wrongModes = `
		select line, 'livraison_km', 'Une boutique qui livre dit jusqu''où : remplissez livraison_km.'
		from import_shops where given -> 'modes' @? '$[*] ? (@.mode == "DELIVERY" && @.perimeter == null)'
		union all
		select line, filled, 'La boutique ne livre pas : ajoutez livraison à la colonne modes, ou videz cette cellule.'
		from import_shops, unnest('{livraison_km,livraison_frais,livraison_minimum}'::text[]) filled
		where given ? filled and not given -> 'modes' @> '[{"mode": "DELIVERY"}]'
		union all
		select line, 'delai', 'La boutique ne remet aucune commande : remplissez la colonne modes, ou videz cette cellule.'
		from import_shops where given ? 'delai' and given -> 'modes' = '[]'`

// wrongHours are days whose last opening reaches into the first of the next day, those that the
// file leaves as they are included. Within a day, the row was read so.
const wrongHours = `
	with days as materialized (
		select r.line, d.n, d.name, r.given ? d.name as told, o.opens, o.closes
		from import_shops r cross join unnest($3::text[]) with ordinality d (name, n)
		cross join lateral (
			select (e ->> 0)::int, (e ->> 1)::int from jsonb_array_elements(r.given -> d.name) e
			union all
			select h.opens, h.closes from opening_hours h
			where h.commune_id = $2 and h.shop_id = r.shop_id and h.weekday = d.n and not r.given ? d.name) o (opens, closes)
		where r.given ?| $3)
	select line, "column", message, count(*) over () as all_of from (
		select distinct a.line, case when a.told then a.name else b.name end as "column",
			format('La dernière ouverture du %s finit après le début de celle du %s.', a.name, b.name) as message
		from days a join days b on b.line = a.line and b.n = a.n % 7 + 1 and a.closes - 1440 > b.opens
		where a.told or b.told) w
	order by line, "column" limit $1`

// hoursNow is the hours of a shop s under the names of the journal.
const hoursNow = `(select jsonb_object_agg(d.name, coalesce((select jsonb_agg(jsonb_build_array(h.opens, h.closes) order by h.opens) from opening_hours h
			where h.commune_id = s.commune_id and h.shop_id = s.id and h.weekday = d.n), '[]'))
		from unnest('{lundi,mardi,mercredi,jeudi,vendredi,samedi,dimanche}'::text[]) with ordinality d (name, n))
	|| jsonb_build_object('jours_feries', (select coalesce(jsonb_agg(o.holiday order by o.holiday), '[]') from holiday_openings o
		where o.commune_id = s.commune_id and o.shop_id = s.id))`

// modesNow is the modes of a shop s, as mergeModes has them.
const modesNow = `(select coalesce(jsonb_agg(jsonb_build_object('mode', f.mode, 'lead', f.lead_minutes, 'slot', f.slot_minutes, 'minimum', f.minimum_cents,
		'fee', f.fee_cents, 'perimeter', f.perimeter_m, 'cut_off', f.cut_off, 'capacity', f.slot_capacity) order by f.mode desc), '[]')
	from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id)`

// queueCalendar gives shops the hours, holidays and modes after or, when undoing, before; what the
// import made loses them all. lines nil: to those that it makes.
func queueCalendar(b *pgx.Batch, im *intake.Import, lines []int, undoing bool) {
	const want = `
		with want as materialized (
			select c.commune_id, c.shop_id, case when c.kind = 'CREATED' and $4 then $5::jsonb when $4 then c.before else c.after end as fields
			from import_changes c
			where c.commune_id = $1 and c.import_id = $2 and (c.line = any($3) and (c.kind = 'CHANGED' or $4) or $3::int[] is null and c.kind = 'CREATED')
			and (c.after ?| $6::text[] or c.kind = 'CREATED'))`
	none := map[string]any{}
	for _, field := range importCalendar {
		none[field] = []any{}
	}
	for _, sql := range []string{
		`delete from opening_hours h using want w, unnest($6::text[]) with ordinality d (name, n)
			where h.commune_id = w.commune_id and h.shop_id = w.shop_id and h.weekday = d.n and w.fields ? d.name`,
		`insert into opening_hours (commune_id, shop_id, weekday, opens, closes)
			select w.commune_id, w.shop_id, d.n, (e ->> 0)::int, (e ->> 1)::int
			from want w, unnest($6::text[]) with ordinality d (name, n), jsonb_array_elements(w.fields -> d.name) e where d.n <= 7`,
		`delete from holiday_openings h using want w where h.commune_id = w.commune_id and h.shop_id = w.shop_id
			and w.fields ? 'jours_feries' and not w.fields -> 'jours_feries' ? h.holiday`,
		`insert into holiday_openings (commune_id, shop_id, holiday)
			select w.commune_id, w.shop_id, h from want w, jsonb_array_elements_text(w.fields -> 'jours_feries') h on conflict do nothing`,
		`delete from fulfilments f using want w where f.commune_id = w.commune_id and f.shop_id = w.shop_id
			and w.fields ? 'modes' and not w.fields -> 'modes' @> jsonb_build_array(jsonb_build_object('mode', f.mode))`,
		`insert into fulfilments (commune_id, shop_id, mode, lead_minutes, cut_off, slot_minutes, minimum_cents, fee_cents, perimeter_m, slot_capacity)
			select w.commune_id, w.shop_id, m ->> 'mode', (m ->> 'lead')::int, (m ->> 'cut_off')::int, (m ->> 'slot')::int, (m ->> 'minimum')::bigint,
				(m ->> 'fee')::bigint, (m ->> 'perimeter')::int, (m ->> 'capacity')::int
			from want w, jsonb_array_elements(w.fields -> 'modes') m
			on conflict (commune_id, shop_id, mode) do update set lead_minutes = excluded.lead_minutes, cut_off = excluded.cut_off,
				slot_minutes = excluded.slot_minutes, minimum_cents = excluded.minimum_cents, fee_cents = excluded.fee_cents, perimeter_m = excluded.perimeter_m,
				slot_capacity = excluded.slot_capacity`,
	} {
		b.Queue(want+sql, im.CommuneID, im.Row, lines, undoing, none, importCalendar)
	}
}
