package insight

import (
	"context"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// maxDays bounds the period of a shop's own dashboard.
const maxDays = 366

// ShopDashboardInput is a period of days.
type ShopDashboardInput struct {
	From, To *calendar.Date // both included; nil: today, and 29 days before To
}

// ShopDashboard is a shop's own figures, exactly as its orders are at this moment.
type ShopDashboard struct {
	From, To  calendar.Date
	Figures   []*Figure
	Days      []*FigureRow
	ByMode    []*FigureRow
	ByChannel []*FigureRow
	Ends      []*FigureRow // orders that came to nothing, by how
}

// owned are the indicators that a shop has of itself.
var owned = []Indicator{Revenue, RevenueNet, Orders, Basket, Items}

// ShopDashboard is for the merchant whose shop it is, and nil for everybody else.
func (n *Insight) ShopDashboard(ctx context.Context, v *identity.Viewer, shop tenancy.ID, in *ShopDashboardInput) (*ShopDashboard, error) {
	if !v.Runs(shop) {
		return nil, nil //nolint:nilnil // for somebody else it is not there
	}
	today := calendar.DateOf(n.now())
	d := &ShopDashboard{To: today}
	if in != nil && in.To != nil {
		d.To = *in.To
	}
	d.From = d.To - 29
	if in != nil && in.From != nil {
		d.From = *in.From
	}
	switch {
	case d.From > today:
		return nil, fault.At([]string{"input", "from"}, "La période commence le %s, qui n'est pas encore là.", d.From)
	case d.From > d.To:
		return nil, fault.At([]string{"input", "from"}, "La période commence le %s et finit avant, le %s : échangez les deux.", d.From, d.To)
	case d.To-d.From >= maxDays:
		return nil, fault.At([]string{"input", "from"}, "La période compte %d jours ; %d au plus.", int(d.To-d.From)+1, maxDays)
	}
	length := d.To - d.From + 1
	year := func(day calendar.Date) calendar.Date {
		y, m, dom := day.Civil()
		return calendar.Day(y-1, m, dom)
	}
	facts, err := n.OwnFacts(ctx, v, shop, min(d.From-length, year(d.From)), d.To)
	if err != nil {
		return nil, err
	}
	figures := func(from, to calendar.Date, of func(Fact) bool) []*Figure {
		now, before, then := ownValues(facts, from, to, of), ownValues(facts, from-length, to-length, of), ownValues(facts, year(from), year(to), of)
		list := make([]*Figure, len(owned))
		for i, indicator := range owned {
			list[i] = &Figure{indicator, now[i], before[i], then[i]}
		}
		return list
	}
	every := func(Fact) bool { return true }
	d.Figures = figures(d.From, d.To, every)
	for day := d.From; day <= min(d.To, today); day++ {
		text := day.String()
		d.Days = append(d.Days, &FigureRow{text, text, figures(day, day, every)})
	}
	for _, m := range modes {
		d.ByMode = append(d.ByMode, &FigureRow{m, labels[m], figures(d.From, d.To, func(f Fact) bool { return f.Mode == m })})
	}
	for _, c := range channels {
		d.ByChannel = append(d.ByChannel, &FigureRow{c, labels[c], figures(d.From, d.To, func(f Fact) bool { return f.Channel == c })})
	}
	for _, e := range ends {
		lost := func(from, to calendar.Date) FigureValue {
			sum := 0
			for _, f := range between(facts, from, to) {
				sum += map[string]int{"REJECTED": f.Rejected, "CANCELLED": f.Cancelled, "NO_SHOW": f.NoShows}[e]
			}
			return number(Lost, int64(sum))
		}
		d.Ends = append(d.Ends, &FigureRow{e, labels[e], []*Figure{{Lost, lost(d.From, d.To), lost(d.From-length, d.To-length), lost(year(d.From), year(d.To))}}})
	}
	return d, nil
}

// between are the facts of days, both included.
func between(facts []Fact, from, to calendar.Date) []Fact {
	var list []Fact
	first, last := from.String(), to.String() // ISO dates sort as texts
	for _, f := range facts {
		if f.Day >= first && f.Day <= last {
			list = append(list, f)
		}
	}
	return list
}

func ownValues(facts []Fact, from, to calendar.Date, of func(Fact) bool) []FigureValue {
	var gross, net, orders, items int64
	for _, f := range between(facts, from, to) {
		if of(f) {
			gross, net, orders, items = gross+int64(f.Gross), net+int64(f.Gross-f.VAT), orders+int64(f.Orders), items+int64(f.Items)
		}
	}
	basket := Hide(NotDefined)
	if orders > 0 {
		basket = number(Basket, (2*gross+orders)/(2*orders))
	}
	return []FigureValue{number(Revenue, gross), number(RevenueNet, net), number(Orders, orders), basket, number(Items, items)}
}
