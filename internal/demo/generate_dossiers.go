package demo

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
)

// dossier is a registration: of a shop, with its id, or of one that may become one.
type dossier struct {
	*commune
	id       uuid.UUID
	status   string
	hotline  bool
	siret    string
	name     string
	trade    *trade
	begun    instant
	sent     instant // 0: not yet
	decided  instant // 0: not yet
	callBack instant // 0: nobody asked for it
}

// makeDossiers makes how the commune's shops were registered, what lies on the agent's desk, whom the
// hotline promised to call back, and what else it was called for. All shops must have been made.
func (c *commune) makeDossiers(b *batch) {
	w := c.world
	for n, s := range c.shops {
		g := w.plan.rng("dossier", c.number(), uint64(n))
		d := &dossier{commune: c, id: s.id, status: "VERIFIED", hotline: g.chance(40), siret: s.siret(), name: s.name, trade: s.trade, decided: s.created}
		d.sent = d.decided - g.within(hour, 40*hour)
		d.begun = d.sent - g.within(10*minute, 30*hour)
		d.write(g, b)
		d.step(g, b, "VERIFIED", "AGENT", s.created)
		switch s.status {
		case directory.Published:
			d.step(g, b, "PUBLISHED", "AGENT", s.created+g.within(minute, hour))
		case directory.Suspended:
			d.step(g, b, "PUBLISHED", "AGENT", s.created+g.within(minute, hour))
			d.step(g, b, "SUSPENDED", "AGENT", g.within(max(s.created+hour, w.now-40*24*hour), w.now))
		default: // not published yet
		}
	}
	g := w.plan.rng("dossiers", c.number())
	for n := range 2 + c.quota/20 {
		d := &dossier{commune: c, status: "STARTED", hotline: g.chance(60), trade: pick(g, trades())}
		d.name = d.trade.called(g)
		d.begun = w.now - g.within(hour, 9*24*hour)
		d.id = g.row(d.begun)
		switch {
		case n == 0:
			d.status, d.sent = "SUBMITTED", d.begun+g.within(5*minute, 50*minute)
		case n%5 == 4:
			d.status, d.sent = "REJECTED", d.begun+g.within(5*minute, 20*minute)
			d.decided = d.sent + g.within(5*minute, 30*minute)
		case d.hotline:
			d.callBack = w.now + g.within(-5*hour, 40*hour)
		}
		if d.sent > 0 { // beyond those of all shops, and of the dossiers of communes before
			d.siret = luhn(siren(w.plan.Shops+2*slices.Index(w.communes, c)+c.first/20+n) + "0001")
		}
		d.write(g, b)
	}
	for range 2 + c.quota/3 {
		at := w.now - g.within(hour, 75*24*hour)
		reason := pick(g, []string{"SHOP_HELP", "SHOP_HELP", "ORDER_QUESTION", "ORDER_QUESTION", "RULES", "OTHER"})
		c.called(g, b, at, reason, pick(g, []string{"DONE", "DONE", "DONE", "HANDED_OVER", "NO_ANSWER"}), uuid.Nil)
	}
}

// write writes the dossier, its first steps and the calls about it.
func (d *dossier) write(g *rng, b *batch) {
	channel, consent, actor, account := "WEB", "WEB", "CUSTOMER", cast[0].account()
	if d.hotline {
		channel, consent, actor, account = "HOTLINE", "PHONE", "HOTLINE", operator()
	}
	moment := func(i instant) {
		if i == 0 {
			b.registrations.null()
		} else {
			b.registrations.at(i)
		}
	}
	b.registrations.row().text(d.Insee).uuid(d.id).text(d.status).text(channel)
	if d.hotline {
		b.registrations.null()
	} else {
		b.registrations.uuid(account)
	}
	b.registrations.some(d.siret).text(d.name).text(d.trade.category).
		text(fmt.Sprintf("%d %s", g.between(1, 88), pick(g, streets))).text(d.Postcodes[0]).text(d.Name).
		text(pick(g, firstNames) + " " + pick(g, surnames)).text(fmt.Sprintf("+3363998%04d", g.IntN(10000)))
	if d.sent > 0 {
		b.registrations.text(consentVersion).at(d.sent).text(consent)
	} else {
		b.registrations.null().null().null()
	}
	moment(d.callBack)
	if d.status == "REJECTED" {
		b.registrations.text("NOT_A_SHOP").text("Vente entre particuliers.")
	} else {
		b.registrations.null().null()
	}
	moment(d.sent)
	moment(d.decided)
	b.registrations.at(d.begun).at(max(d.begun, d.sent, d.decided)).int4(3)
	d.step(g, b, "STARTED", actor, d.begun)
	if d.hotline {
		outcome := "DONE"
		if d.callBack > 0 {
			outcome = "CALL_BACK"
			d.step(g, b, "CALL_BACK", actor, d.begun+5*minute)
		}
		d.called(g, b, d.begun+4*minute, "REGISTRATION", outcome, d.id)
	}
	if d.sent > 0 {
		d.step(g, b, "SUBMITTED", actor, d.sent)
	}
	if d.status == "REJECTED" {
		d.step(g, b, "REJECTED", "AGENT", d.decided)
	}
}

func (d *dossier) step(g *rng, b *batch, kind, actor string, at instant) {
	b.steps.row().text(d.Insee).uuid(d.id).uuid(g.row(at)).text(kind).at(at).text(actor)
	if kind == "REJECTED" {
		b.steps.text("NOT_A_SHOP").text("Vente entre particuliers.")
	} else {
		b.steps.null().null()
	}
}

func (c *commune) called(g *rng, b *batch, at instant, reason, outcome string, dossier uuid.UUID) {
	b.calls.row().text(c.Insee).uuid(g.row(at)).at(at).uuid(operator()).text(reason).text(outcome).int4(g.between(30, 900))
	if dossier == uuid.Nil {
		b.calls.null()
	} else {
		b.calls.uuid(dossier)
	}
}

// operator is the account of the hotline's person.
func operator() uuid.UUID { return person{who: "hotline"}.account() }

// consentVersion is the text that was agreed to.
const consentVersion = "2026-11"
