package notice_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/notice"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// Each step of a shop's life is told the person of its dossier, with the reason that was given;
// without a dossier, the address that the shop publishes.
func TestShopMails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dossier := func(id tenancy.ID, status, email string) {
		t.Helper()
		reason := any(nil)
		if status == "REJECTED" {
			reason = "INCOMPLETE"
		}
		b.Exec(t, `insert into registrations (commune_id, id, status, channel, name, phone, contact_name, contact_email, contact_phone, reason, created_at, updated_at)
			values ($1, $2, $3, 'HOTLINE', 'Chez Yvette', '+33297000001', 'Yvette Le Bris', nullif($4, ''), '+33639980001', $5, now(), now())`, id.Commune, id.Row, status, email, reason)
	}
	step := func(id tenancy.ID, kind, reason, text string) {
		t.Helper()
		b.Exec(t, `insert into shop_steps (commune_id, shop_id, id, kind, at, actor, reason, reason_text) values ($1, $2, $3, $4, now(), 'AGENT', nullif($5, ''), nullif($6, ''))`,
			id.Commune, id.Row, tenancy.NewRow(), kind, reason, text)
	}
	refused := tenancy.NewID(tenancy.KindShop, fixture.Lorient)
	dossier(refused, "REJECTED", "yvette@example.bzh")
	step(refused, "SUBMITTED", "", "")
	step(refused, "REJECTED", "INCOMPLETE", "Il manque\nle SIRET.")
	caller := tenancy.NewID(tenancy.KindShop, fixture.Lorient)
	dossier(caller, "VERIFIED", "")
	suspended := fixture.Shop(t, b.Database, fixture.ShopOpts{Name: "L’Ancre", Status: directory.Suspended})
	b.Exec(t, `update shops set email = 'ancre@example.bzh' where id = $1`, suspended.Row)
	step(suspended, "SUSPENDED", "ORDERS_NOT_SERVED", "")
	cases := map[string]struct {
		of      tenancy.ID
		to      string
		subject string
		says    []string
	}{
		"registration_rejected": {refused, "yvette@example.bzh", "n'a pas été acceptée : Chez Yvette", []string{"Bonjour Yvette Le Bris", "commune de Lorient", "Il manque des renseignements.", "« Il manque le SIRET. »"}},
		"shop_suspended":        {suspended, "ancre@example.bzh", "L’Ancre est suspendue", []string{"Des commandes sont restées sans réponse."}},
		"shop_published":        {b.shop, "epicerie@example.bzh", "est en ligne", []string{"https://halles.bzh/\n"}},
		"shop_unconfirmed":      {b.shop, "epicerie@example.bzh", "toujours justes", []string{"0 805 05 00 26"}},
	}
	for template, c := range cases {
		b.queue(t, template, c.of)
	}
	b.queue(t, "registration_verified", caller)
	b.run(t)
	eventually(t, "all are sent", func() bool { return b.jobs(t, "completed") == len(cases)+1 })
	mails := b.sink.Mails()
	for template, c := range cases {
		found := false
		for _, m := range mails {
			subject, text := saidBy(t, m)
			if !strings.Contains(subject, c.subject) {
				continue
			}
			found = true
			if strings.Join(m.To, " ") != c.to {
				t.Errorf("%s to %v", template, m.To)
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("%s does not say %q:\n%s", template, want, text)
				}
			}
			if link := `<a href="https://halles.bzh/">`; (template == "shop_published") && !strings.Contains(m.HTML, link) {
				t.Errorf("no link in %s", m.HTML)
			}
		}
		if !found {
			t.Errorf("no mail of %s", template)
		}
	}
	if len(mails) != len(cases) || b.texts.n.Load() != 1 {
		t.Fatalf("%d mails, %d texts", len(mails), b.texts.n.Load())
	}
	if last := b.texts.last.Load(); last[0] != "+33639980001" || !strings.Contains(last[1], "a vérifié l'inscription de Chez Yvette") {
		t.Errorf("%q", *last)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from messages`); n != len(cases)+1 {
		t.Errorf("%d messages on record", n)
	}
}

// A template that does not exist is given up at once: no retry makes one.
func TestNoSuchTemplate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"nothing_of_the_kind", "../order_ready"} {
		b.queue(t, name, b.shop)
	}
	b.run(t)
	eventually(t, "both are given up", func() bool { return b.jobs(t, "cancelled") == 2 })
}

// Every template is filled in by somebody, and whoever fills in has one.
func TestTemplatesAreFilledIn(t *testing.T) {
	t.Parallel()
	files, loaded := notice.Names()
	if !maps.Equal(files, loaded) || len(files) == 0 {
		t.Errorf("templates %v, loaders %v", files, loaded)
	}
}
