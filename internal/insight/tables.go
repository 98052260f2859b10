package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"

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
	elsewhere: "Hors de l'agglomération", "CALLS": "Appels pour une inscription", "DOSSIERS": "Dossiers ouverts", "SHOPS_OPENED": "Boutiques publiées", "SHOPS_SELLING": "Boutiques qui ont vendu",
	"SMALL": "Communes de moins de 3 500 habitants", "MIDDLE": "Communes de 3 500 à 10 000 habitants", "LARGE": "Communes de 10 000 habitants et plus",
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
	found     bool // its keys are those of the last month, in the order of size
	into      func(d *Dashboard) *[]*FigureRow
}

var subjects = []subject{
	{byChannel, channels, []string{"gross_cents", "orders"}, []Indicator{Revenue, Orders}, true, true, false, func(d *Dashboard) *[]*FigureRow { return &d.Channels }},
	{byEnd, ends, []string{"orders"}, []Indicator{Lost}, true, true, false, func(d *Dashboard) *[]*FigureRow { return &d.Ends }},
	{byReason, reasons, []string{"orders"}, []Indicator{Lost}, true, true, false, func(d *Dashboard) *[]*FigureRow { return &d.Reasons }},
	{byStep, stepKeys, []string{"shops", "headcount"}, []Indicator{Count, Headcount}, false, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Steps }},
	{byTime, []string{"ACCEPTED", "READY"}, []string{"median_minutes", "p90_minutes"}, []Indicator{HalfWaited, MostWaited}, false, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Waits }},
	{bySlot, modes, []string{"booked", "capacity"}, []Indicator{Booked, Capacity}, true, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Slots }},
	{byFlow, nil, []string{"gross_cents", "orders"}, []Indicator{Revenue, Orders}, true, false, true, func(d *Dashboard) *[]*FigureRow { return &d.Flows }},
	{byMissed, nil, []string{"searches"}, []Indicator{Missed}, false, true, true, func(d *Dashboard) *[]*FigureRow { return &d.MissedSearches }},
	{byOutreach, []string{"CALLS", "DOSSIERS", "SHOPS_OPENED", "SHOPS_SELLING"}, []string{"count"}, []Indicator{Outreach}, false, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Outreach }},
	{byEquity, sizes, []string{"shops_per_10000_tenths", "median_orders_tenths", "median_gross_cents"}, []Indicator{Density, Median, MiddleSales}, false, false, false, func(d *Dashboard) *[]*FigureRow { return &d.Equity }},
	{byRestriction, nil, restrictedMeasures, []Indicator{Count, Headcount, OrdersChange, OthersChange}, false, false, true, func(d *Dashboard) *[]*FigureRow { return &d.Restrictions }},
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
	found, last := map[place]row{}, map[string][]string{}
	flows := map[Month]bool{}
	for _, r := range list {
		m, err := ParseMonth(r.Month)
		if err != nil {
			return err
		}
		found[place{m, r.Subject, r.Key, r.Measure}] = r
		flows[m] = flows[m] || r.Subject == byFlow
		if m == d.To && !slices.Contains(last[r.Subject], r.Key) {
			last[r.Subject] = append(last[r.Subject], r.Key)
		}
	}
	names, err := n.names(ctx)
	if err != nil {
		return err
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
				case !ok && s.name == byFlow && flows[m]:
					return Hide(Secondary) // of pairs only those that are told are kept
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
		if s.found {
			keys = slices.DeleteFunc(slices.Sorted(slices.Values(last[s.name])), func(k string) bool { return k == all })
			slices.SortStableFunc(keys, func(a, b string) int {
				sold := func(k string) int64 {
					if r := found[place{d.To, s.name, k, s.measures[0]}]; r.Value != nil {
						return *r.Value
					}
					return -1
				}
				return cmp.Compare(sold(b), sold(a))
			})
		}
		if s.withTotal && (!s.found || slices.Contains(last[s.name], all)) {
			keys = append(keys[:len(keys):len(keys)], all)
		}
		rows := s.into(d)
		for _, k := range keys {
			r := &FigureRow{Key: k, Label: label(k, names)}
			for i, indicator := range s.as {
				r.Figures = append(r.Figures, &Figure{indicator, value(k, i, d.From, d.To), value(k, i, d.From-length, d.To-length), value(k, i, d.From-12, d.To-12)})
			}
			if s.name == byFlow && !strings.HasSuffix(k, ">"+all) && r.Figures[0].Value.Hidden != nil {
				continue // of pairs those that are told
			}
			*rows = append(*rows, r)
		}
	}
	return nil
}

// names are those of communes, by code.
func (n *Insight) names(ctx context.Context) (map[string]string, error) {
	list, err := n.Communes.All(ctx)
	names := map[string]string{}
	for _, c := range list {
		names[c.Insee] = c.Name
	}
	return names, err
}

// label is what people read of a key: a flow's has two communes, and what is no key of ours is
// what somebody wrote, a word that was searched or a restriction's title.
func label(key string, names map[string]string) string {
	if buyer, shop, flow := strings.Cut(key, ">"); flow {
		from, ok := names[buyer]
		if !ok {
			from = map[string]string{elsewhere: labels[elsewhere], unsaid: "Commune non dite"}[buyer]
		}
		if shop == all {
			return from
		}
		return from + " → " + names[shop]
	}
	if text, ok := labels[key]; ok {
		return text
	}
	return key
}
