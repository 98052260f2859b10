package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/notice/sink"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
)

const mailFrom = "HALLES_MAIL_FROM=Les halles <ne-pas-repondre@halles.bzh>"

// mailsOf counts the mails of each Message-ID.
func mailsOf(box *sink.Sink) map[string]int {
	times := map[string]int{}
	for _, m := range box.Mails() {
		times[m.ID()]++
	}
	return times
}

// The server is killed while it sends, again and again. In the end each mail was sent, and those
// that came twice are among the ones that were on their way when it was killed; a mailbox knows
// them by their Message-ID.
func TestKilledServerLosesNoMail(t *testing.T) {
	drill(t)
	lives, mails := 2, 40
	if os.Getenv("HALLES_LONG") != "" {
		lives, mails = 20, 300
	}
	d := pgtest.New(t)
	box, err := sink.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	// A kill meets mails on their way, before and after they were taken: some are held until then.
	var mu sync.Mutex
	var killed chan struct{} // closed when it is; nil: nothing is held
	passing, held, enough := 0, 0, 0
	hold := func(step int) func() {
		return func() {
			mu.Lock()
			passing += max(step, 0)
			until := killed
			if len(box.Mails()) < enough {
				until = nil
			}
			if until != nil {
				held++
			}
			mu.Unlock()
			if until != nil {
				<-until
			}
			mu.Lock()
			passing += min(step, 0)
			mu.Unlock()
		}
	}
	box.Around(hold(1), hold(-1))
	now := func(is func() bool) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return is()
		}
	}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	variant := fixture.Product(t, d, shop, fixture.ProductOpts{}).Variants[0]
	for range mails {
		order := fixture.Order(t, d, shop, variant, fixture.OrderOpts{Status: "READY"})
		err := pgx.BeginFunc(t.Context(), d.DB.Pool(pg.App), func(tx pgx.Tx) error {
			return job.QueueTx(t.Context(), tx, job.Mail{Template: "order_ready", Commune: order.Commune, ID: order.Row}, time.Time{})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := restartable(t, d, "HALLES_SMTP_URL="+box.URL(), mailFrom)
	inFlight := 0
	for life := range lives {
		mu.Lock()
		killed, held, enough = make(chan struct{}), 0, (life+1)*mails/(lives+1)
		mu.Unlock()
		r.start(t)
		waitFor(t, r.log, now(func() bool { return held > 0 }))
		r.kill(t)
		mu.Lock()
		close(killed)
		killed = nil
		mu.Unlock()
		waitFor(t, r.log, now(func() bool { return passing == 0 }))
		inFlight += pgtest.Scan[int](t, d, `select count(*) from river.river_job where kind = 'mail' and state = 'running' and attempted_at > now() - interval '2 minutes'`)
		// Two minutes go by.
		d.Exec(t, `update river.river_job set attempted_at = attempted_at - interval '3 minutes' where state = 'running'`)
		d.Exec(t, `delete from river.river_leader`)
	}
	if inFlight == 0 {
		t.Error("no kill met a mail on its way")
	}
	r.start(t)
	t.Cleanup(func() { r.kill(t) })
	waitFor(t, r.log, func() bool {
		tryAgain(t, d)
		return pgtest.Scan[int](t, d, `select count(*) from river.river_job where kind = 'mail' and state <> 'completed'`) == 0
	})
	times, twice := mailsOf(box), 0
	for _, n := range times {
		twice += n - 1
	}
	if len(times) != mails || twice > inFlight {
		t.Errorf("%d of %d mails were sent, %d once more; %d were on their way at the kills", len(times), mails, twice, inFlight)
	}
	t.Logf("%d kills, %d mails: %d were on their way, %d came twice", lives, mails, inFlight, twice)
}

// tryAgain has the next try of each mail come now. It passes over jobs that the server writes at
// this moment: to wait for one while it holds others would be a circle.
func tryAgain(t *testing.T, d *pgtest.Database) {
	t.Helper()
	d.Exec(t, `update river.river_job set scheduled_at = now() where id in (
		select id from river.river_job where kind = 'mail' and state = 'retryable' for update skip locked)`)
}

// waitFor waits for what a server does in its own time.
func waitFor(t *testing.T, log *output, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in two minutes; the server said %s", log)
		}
	}
}

// While no mail server answers, orders are taken as ever; when there is one again, all that was
// to be told is told, once.
func TestOrdersWithoutMailServer(t *testing.T) {
	t.Parallel()
	orders := 20
	if os.Getenv("HALLES_LONG") != "" {
		orders = 200
	}
	d := pgtest.New(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	d.Exec(t, `update shops set email = 'boutique@example.bzh'`)
	variant := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: 1000}).Variants[0]
	away := freePort(t)
	url, _ := served(t, []string{
		"HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret, "HALLES_LISTEN=127.0.0.1:0", "HALLES_SMTP_URL=smtp://" + away, mailFrom,
	})
	place := fmt.Sprintf(`mutation ($key: String!) { placeOrders(input: {idempotencyKey: $key, contact: {name: "Anna", email: "anna@example.bzh"},
		orders: [{shop: %q, mode: PICKUP, lines: [{variant: %q, quantity: 1}]}]}) { results { order { id } } } }`, shop.String(), variant.String())
	for i := range orders {
		made := post(t, strings.TrimPrefix(url, "http://"), "", place, map[string]any{"key": fmt.Sprintf("without-a-mail-server-%d", i)})
		if !made.Get("placeOrders.results.0.order.id").Exists() {
			t.Fatalf("not placed: %s", made)
		}
	}
	waitFor(t, &output{}, func() bool { // each was tried, and failed
		return pgtest.Scan[int](t, d, `select count(*) from river.river_job where kind = 'mail' and cardinality(errors) > 0`) == 2*orders
	})
	box, err := sink.Start(away)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	waitFor(t, &output{}, func() bool {
		tryAgain(t, d)
		return pgtest.Scan[int](t, d, `select count(*) from river.river_job where kind = 'mail' and state <> 'completed'`) == 0
	})
	if n := len(box.Mails()); n != 2*orders {
		t.Errorf("%d mails for %d orders", n, orders)
	}
}
