package directory

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// FulfilmentsInput is how a shop hands its orders over.
type FulfilmentsInput struct {
	Shop        tenancy.ID
	Version     int
	Fulfilments []FulfilmentInput // at most one for each mode; none: it takes no orders
}

// FulfilmentInput is a mode with its conditions.
type FulfilmentInput struct {
	Mode            FulfilmentMode
	LeadMinutes     int
	CutOffMinutes   *int
	SlotMinutes     *int         // 30
	SlotCapacity    *int         // no limit, and no slot need be chosen
	MinimumCents    *money.Cents // 0
	FeeCents        *money.Cents // 0
	PerimeterMetres *int         // DELIVERY only
}

// maxFulfilmentCents bounds a minimum and a fee: a mistake in the comma is caught, a piano is not.
const maxFulfilmentCents money.Cents = 1_000_000

// check returns the mode as a row.
func (in *FulfilmentInput) check(path ...string) (f Fulfilment, err error) {
	at := func(name string) []string { return append(path[:len(path):len(path)], name) }
	f = Fulfilment{Mode: in.Mode, LeadMinutes: in.LeadMinutes, CutOffMinutes: in.CutOffMinutes, SlotMinutes: 30, SlotCapacity: in.SlotCapacity, PerimeterMetres: in.PerimeterMetres}
	if in.SlotMinutes != nil {
		f.SlotMinutes = *in.SlotMinutes
	}
	if in.MinimumCents != nil {
		f.MinimumCents = *in.MinimumCents
	}
	if in.FeeCents != nil {
		f.FeeCents = *in.FeeCents
	}
	o := calendar.Offer{Mode: calendar.Mode(in.Mode), Lead: time.Duration(f.LeadMinutes) * time.Minute, Slot: time.Duration(f.SlotMinutes) * time.Minute}
	if f.SlotCapacity != nil {
		if o.Capacity = *f.SlotCapacity; o.Capacity == 0 {
			return f, fault.At(at("slotCapacity"), "Un créneau prend au moins une commande ; sans slotCapacity il en prend autant qu'il en vient.")
		}
	}
	if f.CutOffMinutes != nil {
		cutOff := calendar.Clock(*f.CutOffMinutes)
		o.CutOff = &cutOff
	}
	switch {
	case f.MinimumCents < 0 || f.MinimumCents > maxFulfilmentCents:
		return f, fault.At(at("minimumCents"), "Le minimum va de 0 à %s.", maxFulfilmentCents.Format())
	case f.FeeCents < 0 || f.FeeCents > maxFulfilmentCents:
		return f, fault.At(at("feeCents"), "Les frais vont de 0 à %s.", maxFulfilmentCents.Format())
	case (f.Mode == Delivery) != (f.PerimeterMetres != nil):
		return f, fault.At(at("perimeterMetres"), "Donnez jusqu'où la boutique livre, pour DELIVERY et pour elle seule.")
	case f.PerimeterMetres != nil && (*f.PerimeterMetres < 1 || *f.PerimeterMetres > 100_000):
		return f, fault.At(at("perimeterMetres"), "La boutique livre de 1 à 100 000 mètres à la ronde.")
	}
	return f, o.Check(path...)
}

// SetFulfilments replaces the modes in which a shop hands orders over. Orders placed before keep
// theirs.
//
// Faults: those of change; INVALID for conditions that are wrong in themselves.
func (d *Directory) SetFulfilments(ctx context.Context, v *identity.Viewer, in FulfilmentsInput) (*ShopPayload, error) {
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	rows := map[FulfilmentMode]Fulfilment{}
	for i := range in.Fulfilments {
		path := []string{"input", "fulfilments", strconv.Itoa(i)}
		f, err := in.Fulfilments[i].check(path...)
		if err != nil {
			return nil, err
		}
		if _, twice := rows[f.Mode]; twice {
			return nil, fault.At(append(path, "mode"), "Ce mode est donné deux fois ; une fois suffit.")
		}
		rows[f.Mode] = f
	}
	return d.change(ctx, v, shopChange{shop: in.Shop, version: &in.Version, action: "FULFILMENTS_SET", write: func(ctx context.Context, tx pgx.Tx, _ time.Time) error {
		var b pgx.Batch
		commune, shop := in.Shop.Commune, in.Shop.Row
		for _, mode := range []FulfilmentMode{Delivery, Pickup} {
			f, offered := rows[mode]
			if !offered {
				b.Queue(`delete from fulfilments where commune_id = $1 and shop_id = $2 and mode = $3`, commune, shop, string(mode))
				continue
			}
			b.Queue(`
				insert into fulfilments (commune_id, shop_id, mode, lead_minutes, cut_off, slot_minutes, minimum_cents, fee_cents, perimeter_m, slot_capacity)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
				on conflict (commune_id, shop_id, mode) do update set lead_minutes = excluded.lead_minutes, cut_off = excluded.cut_off,
					slot_minutes = excluded.slot_minutes, minimum_cents = excluded.minimum_cents, fee_cents = excluded.fee_cents, perimeter_m = excluded.perimeter_m,
					slot_capacity = excluded.slot_capacity`,
				commune, shop, string(mode), f.LeadMinutes, f.CutOffMinutes, f.SlotMinutes, f.MinimumCents, f.FeeCents, f.PerimeterMetres, f.SlotCapacity)
		}
		return tx.SendBatch(ctx, &b).Close()
	}})
}
