package insight

import (
	"context"

	"github.com/audelor/halles/internal/pg"
)

// labels are French, for what is neither a month nor a commune nor a sector.
var labels = map[string]string{
	"PICKUP": "Retrait", "DELIVERY": "Livraison", "WEB": "Site commun", "WIDGET": "Site d'une commune", "PHONE": "Téléphone", "COUNTER": "Au comptoir",
	"REJECTED": "Refusées par la boutique", "CANCELLED": "Annulées", "NO_SHOW": "Non retirées", all: "Ensemble",
	"OUT_OF_STOCK": "Rupture de stock", "SHOP_CLOSED": "Boutique fermée", "TOO_BUSY": "Trop de commandes", "CHANGED_MIND": "Le client a changé d'avis",
	"ORDERED_TWICE": "Commandé deux fois", "UNREACHABLE": "Client injoignable", "NOT_COLLECTED": "Non retirée", "NOT_ACKNOWLEDGED": "Sans réponse de la boutique",
	"OTHER": "Autre", notGiven: "Sans motif",
	"REGISTERED": "Inscrites", "PUBLISHED": "Publiées", "TEN_PRODUCTS": "Avec dix articles", "FIRST_ORDER": "Première commande reçue", "ACTIVE": "Actives dans le mois",
	"AT_RISK": "Publiées, sans commande depuis 30 jours", "ACCEPTED": "Jusqu'à l'acceptation", "READY": "Jusqu'à « prête »",
}

// published figures of one subject: which measures are which indicators, and whether months add up.
type subject struct {
	name      string
	keys      []string
	measures  []string
	as        []Indicator
	adds      bool
	withTotal bool
	into      func(d *Dashboard) *[]*FigureRow
}

var subjects = []subject{
	{byChannel, channels, []string{"gross_cents", "orders"}, []Indicator{Revenue, Orders}, true, true, func(d *Dashboard) *[]*FigureRow { return &d.Channels }},
	{byEnd, ends, []string{"orders"}, []Indicator{Lost}, true, true, func(d *Dashboard) *[]*FigureRow { return &d.Ends }},
	{byReason, reasons, []string{"orders"}, []Indicator{Lost}, true, true, func(d *Dashboard) *[]*FigureRow { return &d.Reasons }},
	{byStep, stepKeys, []string{"shops", "headcount"}, []Indicator{Count, Headcount}, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Steps }},
	{byTime, []string{"ACCEPTED", "READY"}, []string{"median_minutes", "p90_minutes"}, []Indicator{HalfWaited, MostWaited}, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Waits }},
	{bySlot, modes, []string{"booked", "capacity"}, []Indicator{Booked, Capacity}, true, false, func(d *Dashboard) *[]*FigureRow { return &d.Slots }},
}

// readFigures reads the tables beside the cube. What does not add up over months is the last one's.
func (n *Insight) readFigures(ctx context.Context, d *Dashboard) error {
	type row struct {
		Month   string
		Subject string
		Key     string
		Measure string
		Hidden  *string
		Value   *int64
	}
	length := d.To - d.From + 1
	list, err := pg.Select[row](ctx, n.DB, stats, `
		select to_char(f.month, 'YYYY-MM') as month, f.subject, f.key, f.measure, f.hidden, f.value
		from insight.figures f
		where (f.month between $1::date and $2::date or f.month between $3::date and $4::date)
		and f.version = (select max(w.version) from insight.versions w where w.month = f.month)`,
		(d.From - length).First().String(), d.To.First().String(), (d.From - 12).First().String(), (d.To - 12).First().String())
	if err != nil {
		return err
	}
	type place struct {
		month                 Month
		subject, key, measure string
	}
	found := map[place]row{}
	for _, r := range list {
		m, err := ParseMonth(r.Month)
		if err != nil {
			return err
		}
		found[place{m, r.Subject, r.Key, r.Measure}] = r
	}
	for _, s := range subjects {
		value := func(k string, i int, from, to Month) FigureValue {
			if !s.adds {
				from = to
			}
			sum := int64(0)
			for m := from; m <= to; m++ {
				r, ok := found[place{m, s.name, k, s.measures[i]}]
				switch {
				case !ok:
					return Hide(NotPublished)
				case r.Hidden != nil:
					return Hide(HiddenReason(*r.Hidden))
				}
				sum += *r.Value
			}
			return number(s.as[i], sum)
		}
		keys := s.keys
		if s.withTotal {
			keys = append(keys[:len(keys):len(keys)], all)
		}
		rows := s.into(d)
		for _, k := range keys {
			r := &FigureRow{Key: k, Label: labels[k]}
			for i, indicator := range s.as {
				r.Figures = append(r.Figures, &Figure{indicator, value(k, i, d.From, d.To), value(k, i, d.From-length, d.To-length), value(k, i, d.From-12, d.To-12)})
			}
			*rows = append(*rows, r)
		}
	}
	return nil
}
