package notice_test

import (
	"context"
	"errors"
	"html"
	"log/slog"
	"net/mail"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/notice"
	"github.com/audelor/halles/internal/notice/sink"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// bench is a town that writes to a sink.
type bench struct {
	*pgtest.Database
	notices *notice.Notices
	sink    *sink.Sink
	texts   texts
	shop    tenancy.ID
	variant tenancy.ID
}

// texts counts text messages, and keeps the last.
type texts struct {
	n    atomic.Int64
	last atomic.Pointer[[2]string]
}

func (x *texts) SendText(_ context.Context, _, phone, text string) error {
	x.n.Add(1)
	x.last.Store(&[2]string{phone, text})
	return nil
}

func setup(t *testing.T) *bench {
	t.Helper()
	s, err := sink.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	server, err := notice.ParseSMTP(s.URL(), "Les halles <ne-pas-repondre@halles.bzh>")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Database: pgtest.New(t), sink: s}
	b.notices = notice.New(b.DB, server, "https://halles.bzh/", slog.New(slog.DiscardHandler))
	b.notices.Text = &b.texts
	b.shop = fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "L’Épicerie du Port"})
	b.Exec(t, `update shops set email = 'epicerie@example.bzh' where id = $1`, b.shop.Row)
	b.variant = fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{Name: "Pain de seigle", PriceCents: 350}).Variants[0]
	return b
}

// run works jobs off until the test ends or the function returned is called.
func (b *bench) run(t *testing.T) (stop func()) {
	t.Helper()
	j := job.New(job.Options{Pool: b.DB.Pool(pg.Worker), Log: slog.New(slog.DiscardHandler), Poll: 20 * time.Millisecond})
	b.notices.Jobs(j)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = j.Run(ctx) }() // ends with ctx
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

func (b *bench) queue(t *testing.T, template string, of tenancy.ID) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), b.DB.Pool(pg.App), func(tx pgx.Tx) error {
		return job.QueueTx(t.Context(), tx, job.Mail{Template: template, Commune: of.Commune, ID: of.Row}, time.Time{})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) order(t *testing.T, o fixture.OrderOpts) tenancy.ID {
	t.Helper()
	return fixture.Order(t, b.Database, b.shop, b.variant, o)
}

// jobs counts jobs in a state.
func (b *bench) jobs(t *testing.T, state string) int {
	t.Helper()
	return pgtest.Scan[int](t, b.Database, `select count(*) from river.river_job where state = $1::text::river.river_job_state`, state)
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

// ordinary puts ordinary spaces in the place of others, as tests write what they want to read.
var ordinary = strings.NewReplacer("\r\n", "\n", "\u00a0", " ", "\u202f", " ")

var brokenSign = regexp.MustCompile(`.*(?:« |\s[:;!?»](?:\s|$)).*`) // \s has no no-break space

// saidBy is what a mail says; no line of it may begin with a colon.
func saidBy(t *testing.T, m *sink.Mail) (subject, text string) {
	t.Helper()
	for _, text := range []string{m.Subject, m.Text, html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m.HTML, "\n"))} {
		if found := brokenSign.FindAllString(text, -1); found != nil {
			t.Errorf("ordinary spaces where a line must not break: %q", found)
		}
	}
	return ordinary.Replace(m.Subject), ordinary.Replace(m.Text)
}

// Each template of an order says what happened, to whom it concerns, in text and HTML alike.
func TestOrderMails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cases := map[string]struct {
		o       fixture.OrderOpts
		to      string
		subject string
		says    []string
	}{
		"order_placed":         {fixture.OrderOpts{}, "anna@example.bzh", "chez L’Épicerie du Port", []string{"Bonjour Anna Le Goff", "doit encore l'accepter", "- 2 × Pain de seigle : 7,00", "code de retrait : KRT", "02 61 91 00 00", "0 805 05 00 26"}},
		"order_accepted":       {fixture.OrderOpts{Status: "ACCEPTED"}, "anna@example.bzh", "prépare votre commande", []string{"attendez le prochain message avant de venir"}},
		"order_ready":          {fixture.OrderOpts{Status: "READY"}, "anna@example.bzh", "est prête", []string{"code de retrait : KRT", "1 rue du Port"}},
		"order_sent_out":       {fixture.OrderOpts{Status: "OUT_FOR_DELIVERY", Mode: "DELIVERY"}, "anna@example.bzh", "en route", []string{"arrive chez vous"}},
		"order_rejected":       {fixture.OrderOpts{Status: "REJECTED", Actor: "MERCHANT", Reason: "OUT_OF_STOCK", Words: "Revenez mardi."}, "anna@example.bzh", "ne peut pas prendre", []string{"n'est plus disponible", "« Revenez mardi. »", "rien à payer"}},
		"order_cancelled":      {fixture.OrderOpts{Status: "CANCELLED", Actor: "SYSTEM", Reason: "NOT_ACKNOWLEDGED"}, "anna@example.bzh", "est annulée", []string{"n'a pas répondu à temps", "commander de nouveau"}},
		"order_not_collected":  {fixture.OrderOpts{Status: "NO_SHOW", Actor: "SYSTEM", Reason: "NOT_COLLECTED"}, "anna@example.bzh", "n'a pas été retirée", []string{"ne la garde plus"}},
		"order_moved":          {fixture.OrderOpts{Slot: time.Date(2020, 11, 10, 9, 0, 0, 0, time.UTC)}, "anna@example.bzh", "nouvel horaire", []string{"est à retirer mardi", "remplace le précédent"}},
		"shop_order_moved":     {fixture.OrderOpts{Slot: time.Date(2020, 11, 10, 9, 0, 0, 0, time.UTC), Mode: "DELIVERY", Street: "2 quai des Indes"}, "epicerie@example.bzh", "nouvel horaire", []string{"à livrer mardi"}},
		"shop_order_new":       {fixture.OrderOpts{Note: "Sans oignons."}, "epicerie@example.bzh", "Nouvelle commande", []string{"Anna Le Goff a passé", "- 2 × Pain de seigle", "« Sans oignons. »", "nous répondrons pour vous"}},
		"shop_order_reminder":  {fixture.OrderOpts{}, "epicerie@example.bzh", "attend votre réponse", []string{"nous vous appellerons"}},
		"shop_order_withdrawn": {fixture.OrderOpts{Status: "CANCELLED", Reason: "CHANGED_MIND"}, "epicerie@example.bzh", "est annulée", []string{"Ne la préparez pas", "a changé d'avis"}},
	}
	numbers := map[string]string{}
	for template, c := range cases {
		id := b.order(t, c.o)
		numbers[pgtest.Scan[string](t, b.Database, `select number from orders where id = $1`, id.Row)] = template
		b.queue(t, template, id)
	}
	b.run(t)
	eventually(t, "all are sent", func() bool { return b.jobs(t, "completed") == len(cases) })
	mails := b.sink.Mails()
	if len(mails) != len(cases) {
		t.Errorf("%d mails", len(mails))
	}
	seen := map[string]bool{}
	for _, m := range mails {
		template := ""
		for number, of := range numbers {
			if strings.Contains(m.Text+m.Subject, number) {
				template = of
			}
		}
		c := cases[template]
		subject, text := saidBy(t, m)
		if strings.Join(m.To, " ") != c.to || !strings.Contains(subject, c.subject) {
			t.Errorf("%s to %v: %q", template, m.To, subject)
		}
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", template, want, text)
			}
		}
		if strings.Contains(text, "\n\n\n") || strings.Contains(text, "<no value>") {
			t.Errorf("%s:\n%s", template, text)
		}
		plain := strings.NewReplacer("- ", "", "\n", "", " ", "").Replace(text)
		shown := strings.NewReplacer("<br>", "", "<p>", "", "</p>", "", "<ul>", "", "</ul>", "", "<li>", "", "</li>", "", "&#39;", "'", " ", "", "\n", "").Replace(ordinary.Replace(m.HTML[strings.Index(m.HTML, "<p>"):strings.Index(m.HTML, "</body>")]))
		if plain != shown {
			t.Errorf("%s: the HTML says otherwise\n%s\n%s", template, plain, shown)
		}
		h := m.Header
		if at, err := h.Date(); err != nil || time.Since(at) > time.Minute {
			t.Errorf("%s: Date %q", template, h.Get("Date"))
		}
		if from, err := mail.ParseAddress(h.Get("From")); err != nil || from.String() != `"Les halles" <ne-pas-repondre@halles.bzh>` {
			t.Errorf("%s: From %q", template, h.Get("From"))
		}
		if h.Get("Auto-Submitted") != "auto-generated" || !strings.HasPrefix(h.Get("Content-Type"), "multipart/alternative") || h.Get("List-Unsubscribe") != "" {
			t.Errorf("%s: %v", template, h)
		}
		if id := m.ID(); seen[id] || !strings.HasSuffix(id, "@halles.bzh") {
			t.Errorf("%s: Message-ID %q", template, id)
		}
		seen[m.ID()] = true
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from messages where channel = 'MAIL' and commune_id = '56121'`); n != len(cases) {
		t.Errorf("%d messages on record", n)
	}
	for _, private := range []string{"anna", "Anna", "33639981234", "epicerie@"} {
		if pgtest.Scan[bool](t, b.Database, `select exists (select from messages m where m::text like '%' || $1 || '%')
			or exists (select from river.river_job j where j::text like '%' || $1 || '%')`, private) {
			t.Errorf("%q is kept", private)
		}
	}
}

// Who has no mail address gets a text message, and who has been erased gets nothing.
func TestTextWithoutAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	caller := b.order(t, fixture.OrderOpts{Status: "READY", Email: "-"})
	erased := b.order(t, fixture.OrderOpts{Status: "READY"})
	b.Exec(t, `update order_contacts set name = null, phone = null, email = null where order_id = $1`, erased.Row)
	b.queue(t, "order_ready", caller)
	b.queue(t, "order_ready", erased)
	b.queue(t, "order_accepted", caller) // worth no text message
	b.queue(t, "order_ready", tenancy.NewID(tenancy.KindOrder, fixture.Lorient))
	b.run(t)
	eventually(t, "all are done", func() bool { return b.jobs(t, "completed") == 4 })
	if n := b.texts.n.Load(); n != 1 || len(b.sink.Mails()) != 0 {
		t.Fatalf("%d texts, %d mails", n, len(b.sink.Mails()))
	}
	if last := b.texts.last.Load(); last[0] != "+33639981234" || !strings.Contains(last[1], "est prête chez L’Épicerie du Port, 1 rue du Port") || strings.Contains(last[1], "\n") {
		t.Errorf("%q", *last)
	}
}

// Nothing that people write becomes a header, a recipient or a tag.
func TestInjection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	corpus := []string{
		"Anna\r\nBcc: rob@evil.example", "Anna\nSubject: gagné", "Anna\r\n\r\n<script>alert(1)</script>", "=?utf-8?q?Anna=0D=0ABcc:_rob@evil.example?=",
		`Anna" <rob@evil.example>, "x`, "Anna\x00\x1b[2J", "Anna\u2028https://halles.bzh/evil", "<img src=x onerror=alert(1)>", "{{.Code}}", "Anna\n- faux article", "\u202eannA",
	}
	for _, text := range corpus {
		clean := strings.NewReplacer("\x00", "").Replace(text) // Postgres takes no NUL
		b.queue(t, "shop_order_new", b.order(t, fixture.OrderOpts{Name: clean, Note: clean}))
		b.queue(t, "order_rejected", b.order(t, fixture.OrderOpts{Name: clean, Status: "REJECTED", Words: clean}))
	}
	b.run(t)
	eventually(t, "all are done", func() bool { return b.jobs(t, "completed") == 2*len(corpus) })
	mails := b.sink.Mails()
	if len(mails) != 2*len(corpus) {
		t.Errorf("%d mails", len(mails))
	}
	known := map[string]bool{}
	for _, h := range strings.Fields("Mime-Version Date Message-Id Subject From To Auto-Submitted Content-Language Content-Type") {
		known[h] = true
	}
	for _, m := range mails {
		for name, values := range m.Header {
			if !known[name] || len(values) != 1 {
				t.Errorf("header %s: %q", name, values)
			}
		}
		if to := strings.Join(m.To, " "); to != "anna@example.bzh" && to != "epicerie@example.bzh" {
			t.Errorf("sent to %s", to)
		}
		if list, err := m.Header.AddressList("To"); err != nil || len(list) != 1 || list[0].Address != m.To[0] {
			t.Errorf("To: %v, %v", list, err)
		}
		for _, tag := range []string{"<script", "<img", "<a "} {
			if strings.Contains(m.HTML, tag) {
				t.Errorf("%s in %s", tag, m.HTML)
			}
		}
		if strings.Contains(m.Text, "\n- faux") || strings.Count(m.HTML, "<li>") > 1 {
			t.Errorf("a line of the mail was written by the customer: %s", m.Text)
		}
	}
}

// A mail server that says "later" is asked again; one that knows no such mailbox is not, and an
// address that is none is not even told to it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sink.Refuse(func(to string) error {
		switch {
		case strings.HasPrefix(to, "later"):
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later, " + to}
		case strings.HasPrefix(to, "gone"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no mailbox " + to}
		}
		return nil
	})
	for _, address := range []string{"later@example.bzh", "gone@example.bzh", "no address", "Rob <rob@example.bzh>", "rob@example.bzh, anna@example.bzh", "anna@example.bzh"} {
		b.queue(t, "order_ready", b.order(t, fixture.OrderOpts{Status: "READY", Email: address}))
	}
	stop := b.run(t)
	eventually(t, "all were tried", func() bool {
		return b.jobs(t, "retryable") == 1 && b.jobs(t, "cancelled") == 4 && b.jobs(t, "completed") == 1
	})
	stop()
	if n := len(b.sink.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
	if told := pgtest.Scan[string](t, b.Database, `select string_agg(errors::text, ' ') from river.river_job`); strings.Contains(told, "@example") || !strings.Contains(told, "later, …") {
		t.Errorf("the jobs keep %s", told)
	}
}

// A mail that was sent and recorded is not sent again, though its job never heard of it.
func TestRecordedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.order(t, fixture.OrderOpts{Status: "READY"})
	b.queue(t, "order_ready", id)
	stop := b.run(t)
	eventually(t, "it is sent", func() bool { return b.jobs(t, "completed") == 1 })
	stop()
	b.Exec(t, `update river.river_job set state = 'available', finalized_at = null`)
	b.run(t)
	eventually(t, "it is done again", func() bool { return b.jobs(t, "completed") == 1 })
	if n := len(b.sink.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// While no mail server answers, mails wait; when one does, all go out, each once.
func TestBacklogDrains(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const mails = 60
	b.sink.Refuse(func(string) error { return errors.New("away") })
	for range mails {
		b.queue(t, "order_ready", b.order(t, fixture.OrderOpts{Status: "READY"}))
	}
	b.run(t)
	eventually(t, "all failed once", func() bool { return b.jobs(t, "retryable") == mails })
	b.sink.Refuse(nil)
	b.Exec(t, `update river.river_job set state = 'available', scheduled_at = now()`) // a day goes by
	eventually(t, "all are sent", func() bool { return b.jobs(t, "completed") == mails })
	ids := map[string]bool{}
	for _, m := range b.sink.Mails() {
		ids[m.ID()] = true
	}
	if len(b.sink.Mails()) != mails || len(ids) != mails {
		t.Errorf("%d mails, %d different", len(b.sink.Mails()), len(ids))
	}
}

func TestParseSMTP(t *testing.T) {
	t.Parallel()
	const from = "Les halles <ne-pas-repondre@halles.bzh>"
	for _, good := range []string{"smtps://user:p%40ss@mail.example", "smtp://mail.example:2525", "smtp://127.0.0.1:25/"} {
		if _, err := notice.ParseSMTP(good, from); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "mail.example", "http://mail.example", "smtp://", "smtp://user:hunter2@mail.example/path", "smtp://user:hunter2@:25"} {
		if _, err := notice.ParseSMTP(bad, from); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := notice.ParseSMTP("smtp://mail.example", "nobody"); err == nil {
		t.Error("a sender without address")
	}
}
