package ordering

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"rsc.io/qr"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// CollectInput is an order that is handed over: the order itself, or the shop and the code that
// the customer said.
type CollectInput struct {
	Order *tenancy.ID
	Shop  *tenancy.ID
	Code  *string
}

// Wrong codes: ten at once, and one more each six seconds. There are four million codes, and a
// shop has some ten orders open.
const (
	codePrice = 6 * time.Second
	codeDebt  = time.Minute
)

// Collect hands an order over. With the code alone it finds the order among the shop's open ones;
// with the order the code is checked, where one is given.
//
// Each code is paid for before it is looked at, and a right one given back, so that of a hundred
// that come at once ten are looked at. The debt lies in Postgres and not in internal/rate, whose
// limiters each server keeps for itself: two servers would let twice as many through, and that
// limit is there against guessing, not for the machine's sake.
//
// Faults as Do's; INVALID unless exactly one of order and shop is given, the latter with a code.
func (o *Ordering) Collect(ctx context.Context, v *identity.Viewer, in CollectInput) (_ *ChangePayload, err error) {
	defer fault.Wrap(&err, "Collect")
	switch {
	case (in.Order == nil) == (in.Shop == nil):
		return nil, fault.At([]string{"input"}, "Donnez la commande (order), ou la boutique (shop) avec le code de retrait.")
	case in.Shop != nil && in.Code == nil:
		return nil, fault.At([]string{"input", "code"}, "Donnez le code que le client a dit.")
	case in.Code == nil:
		return o.Do(ctx, v, Collect, ChangeInput{Order: *in.Order})
	}
	var shop, id tenancy.ID
	if in.Order != nil {
		order, _, _, err := o.subject(ctx, v, *in.Order, Collect)
		if err != nil {
			return nil, err
		}
		shop = order.ShopID()
	} else {
		shop = *in.Shop
		if err := shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
			return nil, err
		}
	}
	if err := handsOver(v, shop); err != nil {
		return nil, err
	}
	wait, err := o.payForCode(ctx, v, shop)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return o.notByCode(ctx, v, in.Order, TooManyCodes, fmt.Sprintf(
			"Trop de codes faux à cette boutique. Réessayez dans %d secondes, ou cherchez la commande par son numéro ou le nom du client.", int(math.Ceil(wait.Seconds()))))
	}
	order, err := o.byCode(ctx, v, shop, *in.Code)
	if err != nil {
		return nil, err
	}
	if order != nil {
		id = order.ID()
	}
	if order == nil || in.Order != nil && *in.Order != id {
		message := "Ce code n'est celui d'aucune commande ouverte de la boutique. Faites-le répéter, ou cherchez la commande par son numéro."
		if in.Order != nil {
			message = "Ce code n'est pas celui de la commande. Faites-le répéter, ou cherchez la commande par son numéro."
		}
		return o.notByCode(ctx, v, in.Order, WrongCode, message)
	}
	if err := o.returnCode(ctx, v, shop); err != nil {
		return nil, err
	}
	return o.Do(ctx, v, Collect, ChangeInput{Order: id})
}

// handsOver refuses who is not a merchant, and a merchant whose shop it is not.
func handsOver(v *identity.Viewer, shop tenancy.ID) error {
	switch {
	case !identity.Checked || v.Runs(shop):
		return nil
	case v.Kind == identity.Merchant:
		return shop.NotFound()
	}
	if err := v.SignedIn(); err != nil {
		return err
	}
	return fault.Errorf(fault.Forbidden, "Une commande se remet à la boutique : seul son commerçant peut le dire.")
}

// notByCode refuses, with the order as it stands where it was given.
func (o *Ordering) notByCode(ctx context.Context, v *identity.Viewer, id *tenancy.ID, code RefusalCode, message string) (*ChangePayload, error) {
	payload := &ChangePayload{Refusals: []Refusal{{Code: code, Path: []string{"input", "code"}, Message: message}}}
	if id == nil {
		return payload, nil
	}
	found, err := o.ByIDs(ctx, v, []tenancy.ID{*id})
	payload.Order = found[*id]
	return payload, err
}

// payForCode takes the price of a code from what the shop may ask, or says how long to wait.
func (o *Ordering) payForCode(ctx context.Context, v *identity.Viewer, shop tenancy.ID) (wait time.Duration, err error) {
	now := o.now()
	err = o.DB.Write(ctx, v.Scope().In(shop.Commune), func(ctx context.Context, tx pgx.Tx) error {
		wait = 0
		tag, err := tx.Exec(ctx, `
			insert into wrong_codes as w (commune_id, shop_id, paid_until) values ($1, $2, $3::timestamptz + $4::interval)
			on conflict (commune_id, shop_id) do update set paid_until = greatest(w.paid_until, $3) + $4
			where greatest(w.paid_until, $3) + $4 <= $3 + $5::interval`, shop.Commune, shop.Row, now, codePrice, codeDebt)
		if err != nil || tag.RowsAffected() > 0 {
			return err
		}
		var until time.Time
		err = tx.QueryRow(ctx, `select paid_until from wrong_codes where commune_id = $1 and shop_id = $2`, shop.Commune, shop.Row).Scan(&until)
		wait = max(until.Add(codePrice-codeDebt).Sub(now), time.Second)
		return err
	})
	return wait, err
}

// returnCode gives back what a right code cost.
func (o *Ordering) returnCode(ctx context.Context, v *identity.Viewer, shop tenancy.ID) error {
	return o.DB.Write(ctx, v.Scope().In(shop.Commune), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update wrong_codes set paid_until = paid_until - $3::interval where commune_id = $1 and shop_id = $2`, shop.Commune, shop.Row, codePrice)
		return err
	})
}

// byCode finds the open order of a shop that has the code, or nil.
func (o *Ordering) byCode(ctx context.Context, v *identity.Viewer, shop tenancy.ID, said string) (*Order, error) {
	list, err := pg.Select[Order](ctx, o.DB, v.Scope().In(shop.Commune), `
		select `+orderColumns+` from orders o where o.commune_id = $1 and o.shop_id = $2 and o.pickup_code = $3
		and o.status in ('PLACED', 'ACCEPTED', 'READY', 'OUT_FOR_DELIVERY')`, shop.Commune, shop.Row, canonicalCode(said))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0].as(v), nil
}

// canonicalCode is what was said at the door as it is stored: in capitals or not, with a space or without.
func canonicalCode(said string) string { return strings.ToUpper(separators.Replace(said)) }

// QR is the code as a QR symbol (ISO/IEC 18004, error correction M): an SVG of its own, black on
// white with the quiet zone of four modules, that a page shows at any size. It holds the six
// characters and nothing else, so that a scanner that types what it reads serves the counter.
func (c *PickupCode) QR() (string, error) {
	symbol, err := qr.Encode(c.Text, qr.M)
	if err != nil {
		return "", fmt.Errorf("a pickup code as QR: %w", err)
	}
	const quiet = 4
	var path strings.Builder
	for y := range symbol.Size {
		for x := 0; x < symbol.Size; x++ {
			run := x
			for run < symbol.Size && symbol.Black(run, y) {
				run++
			}
			if run > x {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run-x, run-x)
				x = run
			}
		}
	}
	side := symbol.Size + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Code de retrait %s" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`, side, side, c.Text, side, side, path.String()), nil
}
