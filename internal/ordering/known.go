package ordering

import (
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
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
	goods  map[uuid.UUID]*good // those that orders have taken since, for atOnce; a map is never changed
	at     time.Time           // when it was read last, or found unchanged
	// horizon is before every transaction that may have changed what was not seen: those before it had
	// ended when it was read. Postgres's xid8, as text.
	horizon string
}

const (
	// knownFor is a small part of the ten minutes for which a change can be read (versions.noticedKept).
	knownFor = time.Minute
	// mostKnown bounds the memory at some 5 MB. Beyond it all are forgotten: those that sell come back.
	mostKnown = 1000
	// mostGoods bounds a shop's goods likewise, at some 10 MB for all shops.
	mostGoods = 50
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

// seen keeps that a shop was found unchanged since s, and as of which transactions.
func (k *knownShops) seen(shop tenancy.ID, s knownShop, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known, ok := k.of[shop]; ok && known.shop == s.shop {
		known.at, known.horizon = now, s.horizon
		k.of[shop] = known
	}
}

// learn keeps the goods that an order took on the terms of s. Where the shop was read again meanwhile
// nobody knows whether they were read before a change or after it: then they are not kept.
func (k *knownShops) learn(shop tenancy.ID, s *calendar.Shop, lines []wanted, goods []*good) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.of[shop]
	if !ok || known.shop != s {
		return
	}
	more := map[uuid.UUID]*good{}
	if len(known.goods)+len(goods) <= mostGoods {
		maps.Copy(more, known.goods)
	}
	for i, g := range goods {
		more[lines[i].variant.Row] = g
	}
	known.goods = more
	k.of[shop] = known
}

// unlearn is for a shop some of whose goods are sold out, or not as they were.
func (k *knownShops) unlearn(shop tenancy.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, ok := k.of[shop]; ok {
		s.goods = nil
		k.of[shop] = s
	}
}

// plain tells an order that what anybody may see of a shop is enough for: no place in a slot, which
// changes with each order, no way to an address, and nobody's own rights.
func (p *placing) plain() bool {
	return p.slot == nil && p.mode == directory.Pickup && !p.basket.entered
}

// queueTerms reads how the shop takes orders, or asks whether what is known of it still holds.
func (p *placing) queueTerms(b *pgx.Batch, t *terms) {
	if s, ok := p.knownTerms(t.now); ok {
		p.queueStill(b, t, s)
		return
	}
	p.queueRead(b, t)
}

// knownTerms are those of a plain order at a shop without slots: else the next free one is told.
func (p *placing) knownTerms(now time.Time) (knownShop, bool) {
	if !p.plain() {
		return knownShop{}, false
	}
	s, ok := p.known.get(p.shop, now)
	return s, ok && s.shop.Capacity(calendar.Mode(p.mode)) == 0
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
		t.offers, t.shop = s.offers, s.shop
		p.known.seen(p.shop, s, t.now)
		return nil
	})
}

// queueUnchanged is queueStill for an order that was judged by them already.
func (p *placing) queueUnchanged(b *pgx.Batch, s knownShop, now time.Time) {
	b.Queue(`
		select case when exists (
			select from published_changes where xid >= $1::text::xid8 and commune_id in ($2, '') and part = 'PROFILE')
			then not_as_known()::text else pg_snapshot_xmin(pg_current_snapshot())::text end`,
		s.horizon, p.shop.Commune).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&s.horizon); err != nil {
			return err
		}
		p.known.seen(p.shop, s, now)
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
