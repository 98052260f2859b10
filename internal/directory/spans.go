package directory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// SpanWindow is the time that opening_spans covers: the local day of an instant and the 14 after it.
func SpanWindow(now time.Time) (from, to time.Time) {
	today := calendar.DateOf(now)
	return today.At(0), (today + calendar.HorizonDays + 1).At(0)
}

// OpenSQL tells whether a shop, by the columns of its key, serves a mode at an instant, by its
// opening_spans: of those that began, only the last may hold it, which its key finds at once.
func OpenSQL(a *pg.Args, commune, shop string, mode calendar.Mode, at time.Time) string {
	instant := a.Add(at) + "::timestamptz"
	return `(select o.ends_at from opening_spans o where o.commune_id = ` + commune + ` and o.shop_id = ` + shop + ` and o.mode = ` + a.Add(string(mode)) + `
		and o.starts_at <= ` + instant + ` order by o.starts_at desc limit 1) > ` + instant
}

// spansAtOnce bounds the shops of one statement: some 30,000 spans.
const spansAtOnce = 500

// spansTx writes the opening_spans of shops after a change of what the calendar depends on, in the
// transaction of the change. Rows that stay the same are not touched.
//
// It locks the communes' spans until commit, in order: who writes them reads all that was
// committed by who wrote them before. So it comes after the change, and after all other locks but
// those of the logs.
func (d *Directory) spansTx(ctx context.Context, tx pgx.Tx, now time.Time, ids ...tenancy.ID) error {
	communes, _ := tenancy.Columns(ids)
	slices.Sort(communes)
	if err := lockSpansTx(ctx, tx, slices.Compact(communes)); err != nil {
		return err
	}
	return writeSpansTx(ctx, tx, now, ids)
}

func lockSpansTx(ctx context.Context, tx pgx.Tx, communes []string) error {
	for _, c := range communes {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('opening_spans ' || $1, 0))`, c); err != nil {
			return err
		}
	}
	return nil
}

// writeSpansTx is spansTx under the lock, for the shops whose place all of only let pass.
func writeSpansTx(ctx context.Context, tx pgx.Tx, now time.Time, ids []tenancy.ID, only ...func(*calendar.Place) bool) error {
	from, to := SpanWindow(now)
	for some := range slices.Chunk(ids, spansAtOnce) {
		shops, err := calendarsTx(ctx, tx, some, from)
		if err != nil {
			return err
		}
		some = slices.DeleteFunc(some, func(id tenancy.ID) bool {
			return slices.ContainsFunc(only, func(touches func(*calendar.Place) bool) bool { return shops[id] != nil && !touches(&shops[id].Place) })
		})
		var communes, modes []string
		var rows []uuid.UUID
		var starts, ends []time.Time
		for _, id := range some {
			s := shops[id]
			if s == nil {
				continue
			}
			for m, spans := range s.AllSpans(from, to) {
				for _, span := range spans {
					communes, rows, modes = append(communes, id.Commune), append(rows, id.Row), append(modes, string(m))
					starts, ends = append(starts, span.Start), append(ends, span.End)
				}
			}
		}
		ofCommunes, ofShops := tenancy.Columns(some)
		var b pgx.Batch
		b.Queue(`
			with want as materialized (select * from unnest($3::text[], $4::uuid[], $5::text[], $6::timestamptz[]) w (commune_id, shop_id, mode, starts_at))
			delete from opening_spans o using unnest($1::text[], $2::uuid[]) k (commune_id, shop_id)
			where o.commune_id = k.commune_id and o.shop_id = k.shop_id
			and not exists (select from want w where w.commune_id = o.commune_id and w.shop_id = o.shop_id and w.mode = o.mode and w.starts_at = o.starts_at)`,
			ofCommunes, ofShops, communes, rows, modes, starts)
		b.Queue(`
			insert into opening_spans (commune_id, shop_id, mode, starts_at, ends_at, published)
			select w.commune_id, w.shop_id, w.mode, w.starts_at, w.ends_at, s.status = 'PUBLISHED'
			from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[]) w (commune_id, shop_id, mode, starts_at, ends_at)
			join shops s on s.commune_id = w.commune_id and s.id = w.shop_id
			on conflict (commune_id, shop_id, mode, starts_at) do update set ends_at = excluded.ends_at where opening_spans.ends_at <> excluded.ends_at`,
			communes, rows, modes, starts, ends)
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("write the spans of %d shops: %w", len(some), err)
		}
	}
	return nil
}

// Refresh writes the opening_spans of all shops anew, commune by commune: once a day, so that they
// reach 14 days on. What holds already is not touched, so that several servers may do it.
func (d *Directory) Refresh(ctx context.Context) error {
	return d.refresh(ctx, `select id from shops where commune_id = $1 order by id`)
}

// CatchUp is Refresh for the communes whose spans do not reach so far: a server's start.
func (d *Directory) CatchUp(ctx context.Context) error {
	_, to := SpanWindow(d.now())
	return d.refresh(ctx, `select id from shops where commune_id = $1
		and not exists (select from opening_spans where commune_id = $1 and ends_at > $2) order by id`, (calendar.DateOf(to) - 1).At(0))
}

func (d *Directory) refresh(ctx context.Context, shopsOf string, args ...any) error {
	communes, err := d.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	for _, c := range communes {
		err := d.DB.Write(ctx, pg.Scope{Role: pg.Worker, Communes: []string{c}}, func(ctx context.Context, tx pgx.Tx) error {
			if err := lockSpansTx(ctx, tx, []string{c}); err != nil {
				return err
			}
			found, err := tx.Query(ctx, shopsOf, append([]any{c}, args...)...)
			if err != nil {
				return err
			}
			rows, err := pgx.CollectRows(found, pgx.RowTo[uuid.UUID])
			if err != nil {
				return err
			}
			ids := make([]tenancy.ID, len(rows))
			for i, row := range rows {
				ids[i] = tenancy.RowID(tenancy.KindShop, c, row)
			}
			return writeSpansTx(ctx, tx, d.now(), ids)
		})
		if err != nil {
			return fmt.Errorf("refresh the spans of %s: %w", c, err)
		}
	}
	return nil
}

// Jobs are what the directory does beside answering.
func (d *Directory) Jobs(j *job.Jobs) {
	// Each hour it looks; it has work in the first one of a day, and at the start of a server that
	// was away for long.
	job.Every(j, "opening_spans", time.Hour, d.CatchUp)
}
