package directory

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// ShopPayload is a shop after a change.
type ShopPayload struct{ Shop *Shop }

// IntervalInput is one opening of a weekday, local times.
type IntervalInput struct {
	Weekday int    // 1 is Monday
	Opens   string // "09:30"
	Closes  string // not after Opens: on the next day
}

// HoursInput is a shop's usual week.
type HoursInput struct {
	Shop         tenancy.ID
	Version      int
	Weekly       []IntervalInput
	OpenHolidays []calendar.Holiday // nil: as they are
}

// SpecialHoursInput is the hours of one date.
type SpecialHoursInput struct {
	Shop      tenancy.ID
	Version   int
	Date      calendar.Date
	Intervals []TimesInput // empty: closed; nil: the usual hours again
	Reason    *string
}

// TimesInput is one opening of a date, local times.
type TimesInput struct {
	Opens  string
	Closes string // not after Opens: on the next day
}

// minuteOf reads "09:30".
func minuteOf(text string, path ...string) (calendar.Clock, error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fault.At(path, "%s n'est pas une heure ; écrivez 09:30, de 00:00 à 23:59.", fault.Shown(text))
	}
	return calendar.Hm(t.Hour(), t.Minute()), nil
}

func (in *TimesInput) opening(path ...string) (o calendar.Opening, err error) {
	if o.Opens, err = minuteOf(in.Opens, append(path, "opens")...); err != nil {
		return o, err
	}
	o.Closes, err = minuteOf(in.Closes, append(path, "closes")...)
	if o.Closes <= o.Opens {
		o.Closes += calendar.Hm(24, 0)
	}
	return o, err
}

// shopChange is a change of what the calendar knows of a shop.
type shopChange struct {
	shop    tenancy.ID
	version *int // that the viewer saw; nil: nothing is overwritten
	action  identity.AuditAction
	write   func(ctx context.Context, tx pgx.Tx, now time.Time) error
}

// shopState is what the audit log tells a change by.
type shopState struct {
	Version       int
	LastConfirmed *time.Time
	Hours         calendar.Hours
	Offers        []calendar.Offer
	Fulfilments   []Fulfilment
}

// change makes a change in one transaction with the spans that come of it and, where staff does
// it, its audit entry.
//
// Faults: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN for who does not run the shop, CONFLICT when
// somebody has changed it meanwhile.
func (d *Directory) change(ctx context.Context, v *identity.Viewer, c shopChange) (_ *ShopPayload, err error) {
	id := c.shop
	defer fault.Wrap(&err, "%s(%s)", c.action, id)
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	found, err := d.ByIDs(ctx, v, []tenancy.ID{id})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, id.NotFound()
	}
	staff := (v.Kind == identity.Agent || v.Kind == identity.Admin) && v.Serves(id.Commune)
	if !staff && !v.Runs(id) {
		return nil, fault.Errorf(fault.Forbidden, "Seuls la boutique, les agents de sa commune et les administrateurs peuvent faire cela.")
	}
	var shop Shop
	err = d.DB.Write(ctx, v.Scope().In(id.Commune), func(ctx context.Context, tx pgx.Tx) error {
		now := d.now()
		var before shopState
		if staff {
			if before, err = stateTx(ctx, tx, id, now); err != nil {
				return err
			}
		}
		if c.version != nil {
			tag, err := tx.Exec(ctx, `update shops set version = version + 1, updated_at = $4 where commune_id = $1 and id = $2 and version = $3`,
				id.Commune, id.Row, *c.version, now)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return lostUpdate()
			}
		}
		if err := c.write(ctx, tx, now); err != nil {
			return err
		}
		if err := d.spansTx(ctx, tx, now, id); err != nil {
			return err
		}
		if staff {
			after, err := stateTx(ctx, tx, id, now)
			if err != nil {
				return err
			}
			var b pgx.Batch
			identity.QueueAudit(&b, identity.AuditEntry{By: v, At: now, Action: c.action, Object: id, Before: before, After: after})
			if err := tx.SendBatch(ctx, &b).Close(); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, `select `+shopColumns+` from shops s where s.commune_id = $1 and s.id = $2`, id.Commune, id.Row)
		if err != nil {
			return err
		}
		shop, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Shop])
		return err
	})
	if err != nil {
		return nil, err
	}
	return &ShopPayload{&shop}, nil
}

func stateTx(ctx context.Context, tx pgx.Tx, id tenancy.ID, now time.Time) (s shopState, err error) {
	if err := tx.QueryRow(ctx, `select version, last_confirmed_at from shops where commune_id = $1 and id = $2`, id.Commune, id.Row).Scan(&s.Version, &s.LastConfirmed); err != nil {
		return s, err
	}
	shops, err := calendarsTx(ctx, tx, []tenancy.ID{id}, now)
	if err != nil {
		return s, err
	}
	s.Hours, s.Offers = shops[id].Hours, shops[id].Offers
	rows, err := tx.Query(ctx, `select `+fulfilmentColumns+` from fulfilments f where f.commune_id = $1 and f.shop_id = $2 order by f.mode`, id.Commune, id.Row)
	if err != nil {
		return s, err
	}
	s.Fulfilments, err = pgx.CollectRows(rows, pgx.RowToStructByName[Fulfilment])
	return s, err
}

// SetOpeningHours replaces a shop's usual week and, where given, the statutory holidays on which
// it opens.
//
// Faults: those of change; INVALID for hours that are wrong in themselves.
func (d *Directory) SetOpeningHours(ctx context.Context, v *identity.Viewer, in HoursInput) (*ShopPayload, error) {
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	var week calendar.Week
	var days, opens, closes []int
	for i, w := range in.Weekly {
		at := []string{"input", "weekly", strconv.Itoa(i)}
		if w.Weekday < 1 || w.Weekday > 7 {
			return nil, fault.At(append(at, "weekday"), "Le jour va de 1, lundi, à 7, dimanche.")
		}
		o, err := (&TimesInput{w.Opens, w.Closes}).opening(at...)
		if err != nil {
			return nil, err
		}
		week[w.Weekday-1] = append(week[w.Weekday-1], o)
		days, opens, closes = append(days, w.Weekday), append(opens, int(o.Opens)), append(closes, int(o.Closes))
	}
	if err := week.Check("input", "weekly"); err != nil {
		return nil, err
	}
	var holidays []string
	for i, h := range in.OpenHolidays {
		if !h.Valid() {
			return nil, fault.At([]string{"input", "openHolidays", strconv.Itoa(i)}, "Ce n'est pas un jour férié ; reprenez un nom de la liste Holiday.")
		}
		if !slices.Contains(holidays, string(h)) {
			holidays = append(holidays, string(h))
		}
	}
	return d.change(ctx, v, shopChange{shop: in.Shop, version: &in.Version, action: "OPENING_HOURS_SET", write: func(ctx context.Context, tx pgx.Tx, _ time.Time) error {
		var b pgx.Batch
		commune, shop := in.Shop.Commune, in.Shop.Row
		b.Queue(`delete from opening_hours where commune_id = $1 and shop_id = $2`, commune, shop)
		b.Queue(`insert into opening_hours (commune_id, shop_id, weekday, opens, closes)
			select $1, $2, h.* from unnest($3::int[], $4::int[], $5::int[]) h`, commune, shop, days, opens, closes)
		if in.OpenHolidays != nil {
			b.Queue(`delete from holiday_openings where commune_id = $1 and shop_id = $2 and holiday <> all ($3)`, commune, shop, slices.Concat([]string{}, holidays))
			b.Queue(`insert into holiday_openings (commune_id, shop_id, holiday) select $1, $2, h from unnest($3::text[]) h on conflict do nothing`, commune, shop, holidays)
		}
		return tx.SendBatch(ctx, &b).Close()
	}})
}

// specialAhead bounds the dates of special hours, in days: two years.
const specialAhead = 731

// SetSpecialHours gives a date hours of its own, or its usual ones again.
//
// Faults: those of change; INVALID for hours that are wrong in themselves, or a date that is over
// or far ahead.
func (d *Directory) SetSpecialHours(ctx context.Context, v *identity.Viewer, in SpecialHoursInput) (*ShopPayload, error) {
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	if today := calendar.DateOf(d.now()); in.Date < today || in.Date > today+specialAhead {
		return nil, fault.At([]string{"input", "date"}, "La date va d'aujourd'hui à dans deux ans.")
	}
	special := calendar.Special{Date: in.Date}
	reason := trimmed(in.Reason)
	if err := checkLength(reason, 200, "input", "reason"); err != nil {
		return nil, err
	}
	if reason != nil {
		special.Reason = *reason
	}
	opens, closes := []int16{}, []int16{}
	for i := range in.Intervals {
		o, err := in.Intervals[i].opening("input", "intervals", strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		special.Openings = append(special.Openings, o)
		opens, closes = append(opens, int16(o.Opens)), append(closes, int16(o.Closes))
	}
	if err := special.Check("input", "intervals"); err != nil {
		return nil, err
	}
	return d.change(ctx, v, shopChange{shop: in.Shop, version: &in.Version, action: "SPECIAL_HOURS_SET", write: func(ctx context.Context, tx pgx.Tx, _ time.Time) (err error) {
		commune, shop, day := in.Shop.Commune, in.Shop.Row, in.Date.String()
		if in.Intervals == nil {
			_, err = tx.Exec(ctx, `delete from special_hours where commune_id = $1 and shop_id = $2 and day = $3::date`, commune, shop, day)
			return err
		}
		_, err = tx.Exec(ctx, `
			insert into special_hours (commune_id, shop_id, day, opens, closes, reason) values ($1, $2, $3::date, $4, $5, $6)
			on conflict (commune_id, shop_id, day) do update set opens = excluded.opens, closes = excluded.closes, reason = excluded.reason`,
			commune, shop, day, opens, closes, special.Reason)
		return err
	}})
}

// ConfirmShopInput names the shop whose profile is right.
type ConfirmShopInput struct{ Shop tenancy.ID }

// ConfirmShop notes that all that is published of a shop is right today.
//
// Faults: those of change.
func (d *Directory) ConfirmShop(ctx context.Context, v *identity.Viewer, in ConfirmShopInput) (*ShopPayload, error) {
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	return d.change(ctx, v, shopChange{shop: in.Shop, action: "SHOP_CONFIRM", write: func(ctx context.Context, tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `update shops set last_confirmed_at = $3 where commune_id = $1 and id = $2`, in.Shop.Commune, in.Shop.Row, now)
		return err
	}})
}

// OpeningException is what holds on some dates in a row in place of the week's hours.
type OpeningException struct {
	First     calendar.Date
	Last      calendar.Date  // included
	Intervals []TimeInterval // none: closed
	Reason    string         // in French; may be empty
}

// TimeInterval is one opening of a date.
type TimeInterval struct {
	Opens  string // "09:30"
	Closes string // not after Opens: on the next day
}

// exceptionDays is how many days ahead exceptions are told: over the next holidays.
const exceptionDays = 90

// PublicHours is when a shop is open, as others may take it over: for the dates from today on.
type PublicHours struct {
	hours *calendar.Hours
	today calendar.Date
}

// PublicHoursOf is the hours of a shop for a request of now.
func (d *Directory) PublicHoursOf(s *calendar.Shop) *PublicHours {
	return &PublicHours{&s.Hours, calendar.DateOf(d.now())}
}

// OSM is the hours in the syntax of OpenStreetMap's opening_hours.
func (p *PublicHours) OSM() string { return p.hours.OSM(p.today, p.today+exceptionDays) }

// SchemaOrg is the hours as schema.org has them.
func (p *PublicHours) SchemaOrg() calendar.SchemaOrg {
	return p.hours.SchemaOrg(p.today, p.today+exceptionDays)
}

// Exceptions are the dates whose hours are not the week's.
func (p *PublicHours) Exceptions() []*OpeningException {
	list := []*OpeningException{}
	for _, e := range p.hours.Exceptions(p.today, p.today+exceptionDays) {
		o := &OpeningException{First: e.First, Last: e.Last, Intervals: []TimeInterval{}, Reason: e.Reason}
		for _, i := range e.Openings {
			o.Intervals = append(o.Intervals, TimeInterval{clock(int(i.Opens)), clock(int(i.Closes) % 1440)})
		}
		list = append(list, o)
	}
	return list
}
