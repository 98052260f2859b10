package ordering

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/tenancy"
)

// knownShop is how a shop takes orders, as a transaction that placed one has read it. It does not
// change, but for the horizon.
//
// To read it takes ten tables and their policies, a sixth of what an order costs Postgres, and nearly
// always it is what it was a minute ago. So the next order asks only whether anything published of the
// commune has changed, in the statement and so in the snapshot in which it would have read: what was
// committed before it is told by a row that triggers wrote with the change (migrations/00140), and the
// order is judged as if it had read all.
type knownShop struct {
	offers []offer
	shop   *calendar.Shop
	at     time.Time // when it was read last, or found unchanged
	// horizon is before every transaction that may have changed what was not seen: those before it had
	// ended when it was read. Postgres's xid8, as text.
	horizon string
}

const (
	// knownFor is a small part of the ten minutes for which a change can be read (versions.noticedKept).
	knownFor = time.Minute
	// mostKnown bounds the memory at some 5 MB. Beyond it all are forgotten: those that sell come back.
	mostKnown = 1000
)

// knownShops are those that this process has read, by what anybody may see of them.
type knownShops struct {
	mu sync.Mutex
	of map[tenancy.ID]knownShop
}

func (k *knownShops) get(shop tenancy.ID, now time.Time) (knownShop, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.of[shop]
	age := now.Sub(s.at)
	return s, ok && age >= 0 && age < knownFor
}

func (k *knownShops) put(shop tenancy.ID, s knownShop) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil || len(k.of) >= mostKnown {
		k.of = map[tenancy.ID]knownShop{}
	}
	k.of[shop] = s
}

// plain tells an order that what anybody may see of a shop is enough for: no place in a slot, which
// changes with each order, no way to an address, and nobody's own rights.
func (p *placing) plain() bool {
	return p.slot == nil && p.mode == directory.Pickup && !p.basket.entered
}

// queueTerms reads how the shop takes orders, or asks whether what is known of it still holds.
func (p *placing) queueTerms(b *pgx.Batch, t *terms) {
	if p.plain() {
		if s, ok := p.known.get(p.shop, t.now); ok && s.shop.Capacity(calendar.Mode(p.mode)) == 0 { // else the next free slot is told
			p.queueStill(b, t, s)
			return
		}
	}
	p.queueRead(b, t)
}

// queueStill fills the terms in, where nothing has changed; else they stay empty, to be read.
func (p *placing) queueStill(b *pgx.Batch, t *terms, s knownShop) {
	b.Queue(`
		select pg_snapshot_xmin(pg_current_snapshot())::text, exists (
			select from published_changes where xid >= $1::text::xid8 and commune_id in ($2, '') and part = 'PROFILE')`,
		s.horizon, p.shop.Commune).QueryRow(func(row pgx.Row) error {
		changed := false
		if err := row.Scan(&s.horizon, &changed); err != nil || changed {
			t.unread = changed
			return err
		}
		s.at = t.now
		t.offers, t.shop = s.offers, s.shop
		p.known.put(p.shop, s)
		return nil
	})
}

// queueRead reads them and keeps what is plain.
func (p *placing) queueRead(b *pgx.Batch, t *terms) {
	t.unread = false
	to := p.basket.address
	if p.plain() {
		to = nil // nothing is brought there
	}
	queueOffers(b, p.shop, to, &t.offers)
	directory.QueueCalendar(b, p.shop, t.now, func(s *calendar.Shop) {
		t.shop = s
		if p.plain() && len(t.offers) > 0 {
			p.known.put(p.shop, knownShop{offers: t.offers, shop: s, at: t.now, horizon: t.offers[0].Horizon})
		}
	})
}
