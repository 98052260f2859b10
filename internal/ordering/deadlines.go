package ordering

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Deadlines are how long an order may wait for the shop's answer. Time counts while the shop is
// open: who orders at night expects nobody to get up. Where no opening of the shop is known, all
// time counts.
type Deadlines struct {
	Remind time.Duration // the shop is told again
	Call   time.Duration // the order comes on the hotline's call list
	GiveUp time.Duration // it is cancelled, its stock given back, the customer told
}

// DefaultDeadlines are those of a deployment that sets none.
var DefaultDeadlines = Deadlines{Remind: 30 * time.Minute, Call: time.Hour, GiveUp: 4 * time.Hour}

// latest is when an order that nobody answers is cancelled whatever the shop's hours.
const latest = 7 * 24 * time.Hour

// Escalation is a step that was taken for an order that waits.
type Escalation string

// The steps. After the first two an order that nobody answers is cancelled; after the third, one
// that left for delivery is taken for delivered.
const (
	Reminded      Escalation = "REMINDED"
	ToCall        Escalation = "CALL"
	DeliveryAsked Escalation = "DELIVERY_ASKED"
)

// system is as whom a job changes an order.
func system(commune string) capacity {
	return capacity{actor: BySystem, job: &pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{commune}}}
}

// jobScope is all communes, as a job reads them.
func (o *Ordering) jobScope(ctx context.Context) (pg.Scope, error) {
	rows, err := o.DB.Pool(pg.Worker).Query(ctx, `select insee from communes`)
	if err != nil {
		return pg.Scope{}, err
	}
	communes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return pg.Scope{Role: pg.Worker, Kind: "job", Communes: communes}, err
}

// waiting is an order that its shop has not answered.
type waiting struct {
	CommuneID string
	ID        uuid.UUID
	ShopID    uuid.UUID
	Mode      directory.FulfilmentMode
	PlacedAt  time.Time
	Steps     []string // taken
}

func (w *waiting) shop() tenancy.ID {
	return tenancy.RowID(tenancy.KindShop, w.CommuneID, w.ShopID)
}

// Escalate takes the steps that are due for orders that wait for an answer. One order that
// fails keeps no other from its step.
func (o *Ordering) Escalate(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	now := o.now()
	list, err := pg.Select[waiting](ctx, o.DB, scope, `
		select o.commune_id, o.id, o.shop_id, o.mode, o.placed_at,
			array(select e.step from order_escalations e where e.commune_id = o.commune_id and e.order_id = o.id) as steps
		from orders o
		where o.commune_id = any($1) and o.status = 'PLACED' and o.change_version is null and o.placed_at <= $2
		order by o.placed_at`, scope.Communes, now.Add(-o.Deadlines.Remind))
	if err != nil || len(list) == 0 {
		return err
	}
	hours, err := o.hours(ctx, scope, list)
	if err != nil {
		return err
	}
	var failed []error
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		w := &list[i]
		failed = append(failed, o.escalate(ctx, w, waited(hours[w.shop()], calendar.Mode(w.Mode), w.PlacedAt, now), now))
	}
	return errors.Join(failed...)
}

// waited is how long the shop handed orders of the mode over since one was placed: a law that
// keeps visitors out keeps nobody from answering.
func waited(shop *calendar.Shop, mode calendar.Mode, since, now time.Time) time.Duration {
	if now.Sub(since) >= latest {
		return now.Sub(since)
	}
	if shop != nil {
		if _, opens := shop.NextOpening(mode, since); opens {
			var open time.Duration
			for _, s := range shop.Spans(mode, since, now) {
				open += s.End.Sub(s.Start)
			}
			return open
		}
	}
	return now.Sub(since)
}

func (o *Ordering) escalate(ctx context.Context, w *waiting, waited time.Duration, now time.Time) error {
	id := tenancy.RowID(tenancy.KindOrder, w.CommuneID, w.ID)
	if waited >= o.Deadlines.GiveUp {
		reason := NotAcknowledged
		changed, err := o.change(ctx, system(w.CommuneID), id, Cancel, froms(Cancel, BySystem, w.Mode), ChangeInput{Reason: &reason})
		if err == nil && changed.done {
			o.wake(w.CommuneID)
		}
		return err
	}
	var due []string
	for _, step := range []struct {
		of    Escalation
		after time.Duration
	}{{Reminded, o.Deadlines.Remind}, {ToCall, o.Deadlines.Call}} {
		if waited >= step.after {
			due = append(due, string(step.of))
		}
	}
	if len(due) <= len(w.Steps) {
		return nil
	}
	return o.DB.Write(ctx, system(w.CommuneID).scope(), func(ctx context.Context, tx pgx.Tx) error {
		// The order's row is locked: an answer that comes now is before the step, or after it.
		var reminded bool
		err := tx.QueryRow(ctx, `
			with waits as (select from orders where commune_id = $1 and id = $2 and status = 'PLACED' and change_version is null for update),
			taken as (insert into order_escalations (commune_id, order_id, step, at)
				select $1, $2, step, $4 from unnest($3::text[]) step where exists (select from waits) on conflict do nothing returning step)
			select exists (select from taken where step = 'REMINDED')`, w.CommuneID, w.ID, due, now).Scan(&reminded)
		if err != nil || !reminded {
			return err
		}
		message := job.Mail{Template: "shop_order_reminder", Commune: w.CommuneID, ID: w.ID}
		if err := job.QueueTx(ctx, tx, message, time.Time{}); err != nil {
			return err
		}
		return job.QueueTx(ctx, tx, job.Text(message), time.Time{})
	})
}

// EndUncollected closes orders that wait at the shop for longer than it keeps them: their pieces
// can be sold again.
func (o *Ordering) EndUncollected(ctx context.Context) error {
	scope, err := o.jobScope(ctx)
	if err != nil {
		return err
	}
	type uncollected struct {
		CommuneID string
		ID        uuid.UUID
	}
	list, err := pg.Select[uncollected](ctx, o.DB, scope, `
		select o.commune_id, o.id
		from orders o join fulfilments f on f.commune_id = o.commune_id and f.shop_id = o.shop_id and f.mode = o.mode
		where o.commune_id = any($1) and o.status = 'READY' and o.mode = 'PICKUP'
		and o.updated_at <= $2::timestamptz - f.kept_days * interval '1 day'
		order by o.updated_at`, scope.Communes, o.now())
	if err != nil {
		return err
	}
	var failed []error
	for _, w := range list {
		if ctx.Err() != nil {
			break
		}
		reason := NotCollected
		changed, err := o.change(ctx, system(w.CommuneID), tenancy.RowID(tenancy.KindOrder, w.CommuneID, w.ID), ReportNoShow, froms(ReportNoShow, BySystem, directory.Pickup), ChangeInput{Reason: &reason})
		if err == nil && changed.done {
			o.wake(w.CommuneID)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// hours are those of the shops of orders that wait, closures, holidays and restrictions included.
func (o *Ordering) hours(ctx context.Context, scope pg.Scope, list []waiting) (map[tenancy.ID]*calendar.Shop, error) {
	var shops []tenancy.ID
	for i := range list {
		if id := list[i].shop(); !slices.Contains(shops, id) {
			shops = append(shops, id)
		}
	}
	return directory.CalendarsIn(ctx, o.DB, scope, shops, list[0].PlacedAt) // the longest waiting
}
