package ordering

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// offer is a mode of a published shop and its conditions.
type offer struct {
	PauseText    *string // why the commune's shops take no orders; nil while they do
	Mode         *directory.FulfilmentMode
	MinimumCents *money.Cents
	FeeCents     *money.Cents
	PerimeterM   *int
	Metres       *float64 // from the shop to the basket's address; nil where that has no point
	Horizon      string   // of the statement that read it, see knownShop
}

// good is a variant of the basket as the shop sells it.
type good struct {
	Name        string // the product's
	OptionValue string
	PriceCents  money.Cents
	VATRate     money.BasisPoints
	Available   int  // as the public may know it: at most 5
	Enough      bool // so many are left
	Paused      bool
}

// terms is all that a shop's part of a basket is judged by, as it was read at one instant.
type terms struct {
	now    time.Time
	offers []offer        // with all that is offered; none: the shop is not published
	shop   *calendar.Shop // nil: it is not there
	goods  []*good        // of each line; nil: the shop does not sell it
	booked bool           // the order has its place in the slot already
	unread bool           // offers and shop are known no longer and must be read
}

// verdict is what a shop's part of a basket comes to.
type verdict struct {
	slot     *calendar.Span
	delivery money.Cents
	lines    []*Line // of what the shop sells, whatever is left of it
	totals   Totals
	refusals []Refusal // all that keeps the order from being made
}

// judge decides whether an order can be made on these terms, and what it comes to. It is pure, and
// the only place that decides: a quote tells its answer, placing acts on it, so that they cannot
// disagree.
func (s *shopOrder) judge(t *terms, address *address) verdict {
	var v verdict
	if len(t.offers) == 0 || t.shop == nil {
		v.refuse(ShopUnavailable, at(s.path, "shop"), sayUnavailable)
		return v
	}
	if why := t.offers[0].PauseText; why != nil {
		v.refuse(OrdersPaused, at(s.path, "shop"), "Les commandes sont suspendues dans cette commune. %s", *why)
	}
	chosen := slices.IndexFunc(t.offers, func(f offer) bool { return f.Mode != nil && *f.Mode == s.mode })
	if chosen < 0 {
		v.refuse(ModeNotOffered, at(s.path, "mode"), "%s", sayModes(t.offers))
		s.priced(t, &v)
		return v
	}
	offered := &t.offers[chosen]
	s.timed(t, &v)
	if s.mode == directory.Delivery {
		s.reached(t, offered, address, &v)
	}
	v.delivery = *offered.FeeCents
	if complete := s.priced(t, &v); !complete {
		return v
	}
	if least := *offered.MinimumCents; v.totals.Items.Cents < least {
		v.refuse(BelowMinimum, at(s.path, "lines"), "Il manque %s : la boutique demande au moins %s d'articles pour ce mode.", (least - v.totals.Items.Cents).Format(), least.Format())
		return v
	}
	if s.expected != nil && *s.expected != v.totals.Total.Cents {
		v.refuse(PriceChanged, at(s.path, "expectedCents"), "Le total est maintenant de %s. Confirmez pour commander.", v.totals.Total.Formatted())
	}
	return v
}

func (v *verdict) refuse(code RefusalCode, path []string, format string, args ...any) {
	v.refusals = append(v.refusals, Refusal{Code: code, Path: path, Message: fmt.Sprintf(format, args...)})
}

// timed asks the calendar about mode and slot. A booking that succeeded has decided whether a place
// was left: the calendar was read before it.
func (s *shopOrder) timed(t *terms, v *verdict) {
	mode := calendar.Mode(s.mode)
	no := t.shop.Checkout(mode, s.slot, t.now, t.shop.Loads(mode))
	if no != nil && !(t.booked && (no.Code == calendar.Full || no.Code == calendar.SlotClosed)) {
		argument := "mode"
		if s.slot != nil || no.Code == calendar.SlotRequired {
			argument = "slot"
		}
		v.refusals = append(v.refusals, refusedBy(no, t.now, at(s.path, argument)))
	}
	if s.slot != nil {
		if slot, ok := t.shop.SlotAt(mode, *s.slot); ok {
			v.slot = &slot
		}
	}
}

// refusedBy is the calendar's no as an answer, with the way on in words too.
func refusedBy(no *calendar.Refusal, now time.Time, path []string) Refusal {
	return Refusal{Code: RefusalCode(no.Code), Message: no.Sentence(now), Path: path, Next: no.Next, Restriction: no.Restriction}
}

// priced fills in the lines and what they come to, and tells whether all of them can be had.
func (s *shopOrder) priced(t *terms, v *verdict) (complete bool) {
	complete = true
	for i, g := range t.goods {
		w := &s.lines[i]
		if g == nil {
			complete = false
			v.refuse(UnknownVariant, at(w.path, "variant"), "Cette boutique ne vend pas, ou ne vend plus, cet article. Retirez-le du panier.")
			continue
		}
		switch {
		case g.Paused:
			complete = false
			v.refuse(OnPause, at(w.path, "variant"), "« %s » n'est pas en vente en ce moment. Retirez-le du panier.", g.Name)
		case !g.Enough:
			complete = false
			left := g.Available
			v.refusals = append(v.refusals, Refusal{Code: OutOfStock, Path: at(w.path, "quantity"), Available: &left, Message: sayLeft(g.Name, left)})
		case slices.ContainsFunc(w.expected, func(c money.Cents) bool { return c != g.PriceCents }):
			complete = false
			v.refuse(PriceChanged, at(w.path, "expectedCents"), "Le prix de « %s » est maintenant de %s. Confirmez pour commander.", g.Name, g.PriceCents.Format())
		}
		v.lines = append(v.lines, &Line{
			CommuneID: s.shop.Commune, Line: i + 1, VariantRow: w.variant.Row,
			Name: g.Name, OptionValue: g.OptionValue, Quantity: w.quantity, UnitCents: g.PriceCents, VATRate: g.VATRate,
		})
	}
	v.totals = totals(v.lines, v.delivery)
	return complete
}

const sayUnavailable = "Cette boutique ne prend pas de commandes en ce moment."

func sayModes(offers []offer) string {
	names := map[directory.FulfilmentMode]string{directory.Pickup: "le retrait à la boutique (PICKUP)", directory.Delivery: "la livraison (DELIVERY)"}
	for _, f := range offers {
		if f.Mode != nil {
			return "Cette boutique ne propose que " + names[*f.Mode] + "."
		}
	}
	return sayUnavailable
}

// sayLeft tells how many are left as the public may know it: exactly below five, so that
// nobody reads a shop's stock from a refusal. Who asks for one quantity after another still finds it
// between two answers, by a quote as by an order. That stays: an answer that hides it refuses what the
// shop has and would sell, or promises what it has not. The price of a question limits it.
func sayLeft(name string, available int) string {
	switch {
	case available == 0:
		return fmt.Sprintf("« %s » est épuisé. Retirez-le du panier, ou demandez à la boutique quand elle en aura.", name)
	case available < 5:
		return fmt.Sprintf("Il ne reste que %d « %s ». Réduisez la quantité.", available, name)
	}
	return fmt.Sprintf("Il ne reste pas assez de « %s » ; il y en a au moins 5. Réduisez la quantité.", name)
}

// queueOffers reads how a published shop takes orders, and how far it is to an address.
func queueOffers(b *pgx.Batch, shop tenancy.ID, to *address, got *[]offer) {
	latitude, longitude, postcode, city := to.columns()
	b.Queue(`
		select case when c.paused_at is not null then c.pause_text end as pause_text, f.mode, f.minimum_cents, f.fee_cents, f.perimeter_m,
			case when coalesce($3, a.latitude) is not null then
				distance_metres(s.latitude, s.longitude, coalesce($3, a.latitude), coalesce($4, a.longitude)) end as metres,
			pg_snapshot_xmin(pg_current_snapshot())::text as horizon
		from shops s left join fulfilments f on f.commune_id = s.commune_id and f.shop_id = s.id
		left join commune_settings c on c.commune_id = s.commune_id
		left join lateral (select latitude, longitude from communes
			where $5 = any(postcodes) order by lower(name) = lower($6) desc, population desc, insee limit 1) a on true
		where s.commune_id = $1 and s.id = $2 and s.status = 'PUBLISHED' order by f.mode desc`,
		shop.Commune, shop.Row, latitude, longitude, postcode, city).Query(func(rows pgx.Rows) (err error) {
		*got, err = pgx.CollectRows(rows, pgx.RowToStructByName[offer])
		return err
	})
}

// queueGoods reads the variants of a shop's lines; of those that it does not sell, which is one
// answer for unknown, withdrawn and another's, nothing is told.
func queueGoods(b *pgx.Batch, s *shopOrder, got []*good) {
	type row struct {
		ID uuid.UUID
		good
	}
	pieces := s.pieces()
	keys, quantities := make([]uuid.UUID, len(pieces)), make([]int, len(pieces))
	for i, p := range pieces {
		keys[i], quantities[i] = p.Variant, p.Quantity
	}
	b.Queue(`
		select v.id, p.name, v.option_value, v.price_cents, v.vat_rate, v.available, v.stock >= k.quantity as enough,
			v.paused and coalesce(v.paused_until > now(), true) as paused
		from unnest($3::uuid[], $4::int[]) k (id, quantity) join variants v on v.commune_id = $1 and v.id = k.id
		join products p on p.commune_id = v.commune_id and p.id = v.product_id
		where v.shop_id = $2 and v.published`,
		s.shop.Commune, s.shop.Row, keys, quantities).Query(func(r pgx.Rows) error {
		rows, err := pgx.CollectRows(r, pgx.RowToStructByName[row])
		for i := range rows {
			for n, key := range keys {
				if key == rows[i].ID {
					got[n] = &rows[i].good
				}
			}
		}
		return err
	})
}
