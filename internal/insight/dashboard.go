package insight

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// maxMonths bounds the period of a dashboard.
const maxMonths = 36

// DashboardInput chooses cells of the published cube. Nothing else can be asked for.
type DashboardInput struct {
	Communes []string     // nil: an analyst's all, an agent's own
	Sectors  []tenancy.ID // top categories; nil: all
	Mode     *directory.FulfilmentMode
	From, To *Month // both included; nil: the last closed month
}

// Dashboard is published figures of a period, and how they part.
type Dashboard struct {
	From, To       Month
	PublishedAt    *time.Time // of the latest version in it; nil for none
	Figures        []*Figure
	Series         []*FigureRow // by month
	BySector       []*FigureRow
	ByCommune      []*FigureRow
	ByMode         []*FigureRow
	Channels       []*FigureRow // these, of all communes only: empty for an agent, or when communes, sectors or a mode are chosen
	Ends           []*FigureRow
	Reasons        []*FigureRow
	Steps          []*FigureRow
	Waits          []*FigureRow
	Slots          []*FigureRow
	Flows          []*FigureRow // told pairs of communes only
	MissedSearches []*FigureRow
	Outreach       []*FigureRow
	Equity         []*FigureRow
	Restrictions   []*FigureRow

	Selection Selection // what it was asked for, made good
}

// Selection is a DashboardInput with nothing left open.
type Selection struct {
	Communes []string // "*" alone for all
	Sectors  []string // "*" alone for all
	Mode     string   // "*" for both
}

// whole tells whether nothing was chosen.
func (s Selection) whole() bool {
	return s.Communes[0] == all && s.Sectors[0] == all && s.Mode == all
}

// Dashboard answers an analyst over all communes and an agent over its own, both from the same
// published cube, with the one role of the database that reads nothing else. FORBIDDEN for others;
// NOT_FOUND for a commune that is not there, or not the agent's; INVALID for a period that ends
// before it begins, is over three years or in the future.
func (n *Insight) Dashboard(ctx context.Context, v *identity.Viewer, in DashboardInput) (*Dashboard, error) {
	sel, visible, err := n.choose(ctx, v, in)
	if err != nil {
		return nil, err
	}
	there, err := n.published(ctx)
	if err != nil {
		return nil, err
	}
	d := &Dashboard{Selection: sel}
	if d.From, d.To, err = n.period(in, there); err != nil {
		return nil, err
	}
	whole := v.Kind == identity.Analyst && sel.whole()
	key := d.key(visible, whole)
	if before := n.kept.find(there, key); before != nil {
		return before, nil
	}
	if err := n.fill(ctx, d, visible, whole); err != nil {
		return nil, err
	}
	n.kept.keep(there, key, d)
	return d, nil
}

// fill reads what a dashboard shows.
func (n *Insight) fill(ctx context.Context, d *Dashboard, visible []*tenancy.Commune, whole bool) error {
	sel := d.Selection
	b, err := n.read(ctx, d, visible)
	if err != nil {
		return err
	}
	d.PublishedAt = b.at
	d.Figures = b.figures(sel, d.From, d.To)
	for m := d.From; m <= d.To; m++ {
		d.Series = append(d.Series, &FigureRow{m.String(), m.French(), b.figures(sel, m, m)})
	}
	for _, s := range b.sectors {
		if sel.Sectors[0] == all || slices.Contains(sel.Sectors, s.ID) {
			own := sel
			own.Sectors = []string{s.ID}
			d.BySector = append(d.BySector, &FigureRow{s.ID, s.Name, b.figures(own, d.From, d.To)})
		}
	}
	for _, c := range visible {
		if sel.Communes[0] == all || slices.Contains(sel.Communes, c.Insee) {
			own := sel
			own.Communes = []string{c.Insee}
			d.ByCommune = append(d.ByCommune, &FigureRow{c.Insee, c.Name, b.figures(own, d.From, d.To)})
		}
	}
	for _, m := range modes {
		if sel.Mode == all || sel.Mode == m {
			own := sel
			own.Mode = m
			d.ByMode = append(d.ByMode, &FigureRow{m, labels[m], b.figures(own, d.From, d.To)})
		}
	}
	if whole {
		return n.readFigures(ctx, d)
	}
	return nil
}

// choose finds out which communes, sectors and modes are meant, and which communes may be seen.
func (n *Insight) choose(ctx context.Context, v *identity.Viewer, in DashboardInput) (sel Selection, visible []*tenancy.Commune, err error) {
	if v.Kind != identity.Analyst && v.Kind != identity.Agent {
		return sel, nil, fault.Errorf(fault.Forbidden, "Le tableau de bord est pour les analystes et, pour leurs communes, les agents. Un commerçant lit le sien dans Shop.dashboard.")
	}
	everywhere, err := n.Communes.All(ctx)
	if err != nil {
		return sel, nil, err
	}
	communes, err := n.Communes.Filter(ctx, in.Communes, "input", "communes")
	if err != nil {
		return sel, nil, err
	}
	for _, c := range everywhere {
		if v.Kind == identity.Analyst || slices.Contains(v.Communes, c.Insee) {
			visible = append(visible, c)
		}
	}
	for _, c := range communes {
		if !slices.ContainsFunc(visible, func(own *tenancy.Commune) bool { return own.Insee == c }) {
			// As for one that is not there.
			return sel, nil, &fault.Error{Kind: fault.NotFound, Path: []string{"input", "communes"}, Message: "La commune " + c + " n'est pas des vôtres. Sans « communes », le tableau de bord montre les vôtres."}
		}
	}
	sel = Selection{Communes: communes, Sectors: []string{all}, Mode: all}
	switch {
	case len(communes) > 0:
	case in.Communes != nil:
		return sel, nil, fault.At([]string{"input", "communes"}, "La liste des communes est vide : nommez-en, ou laissez « communes » de côté pour les avoir toutes.")
	case v.Kind == identity.Agent:
		for _, c := range visible {
			sel.Communes = append(sel.Communes, c.Insee)
		}
	default:
		sel.Communes = []string{all}
	}
	if in.Sectors != nil {
		sel.Sectors = nil
		for _, id := range in.Sectors {
			sel.Sectors = append(sel.Sectors, id.Name)
		}
	}
	if in.Mode != nil {
		sel.Mode = string(*in.Mode)
	}
	return sel, visible, nil
}

// Choices are the communes and sectors that a viewer may choose among, each a code and a name.
func (n *Insight) Choices(ctx context.Context, v *identity.Viewer) (communes, sectors [][2]string, err error) {
	_, visible, err := n.choose(ctx, v, DashboardInput{})
	if err != nil {
		return nil, nil, err
	}
	for _, c := range visible {
		communes = append(communes, [2]string{c.Insee, c.Name})
	}
	list, err := n.sectors(ctx)
	for _, s := range list {
		sectors = append(sectors, [2]string{s.ID, s.Name})
	}
	return communes, sectors, err
}

// period is the months that are meant: without any, the last that is closed.
func (n *Insight) period(in DashboardInput, there published) (from, to Month, err error) {
	running := MonthOf(calendar.DateOf(n.now()))
	to = running - 1
	if there.Closed != nil {
		if to, err = ParseMonth(*there.Closed); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case in.To != nil:
		to = *in.To
	case in.From != nil:
		to = max(to, *in.From)
	}
	from = to
	if in.From != nil {
		from = *in.From
	}
	switch {
	case from > running || to > running:
		return 0, 0, fault.At([]string{"input", "to"}, "La période va jusqu'en %s, qui n'a pas commencé ; le mois en cours est %s.", max(from, to).French(), running.French())
	case from > to:
		return 0, 0, fault.At([]string{"input", "from"}, "La période commence en %s et finit avant, en %s : échangez les deux.", from.French(), to.French())
	case int(to-from) >= maxMonths:
		return 0, 0, fault.At([]string{"input", "from"}, "La période compte %d mois ; %d au plus.", int(to-from)+1, maxMonths)
	}
	return from, to, nil
}

// stats is as whom published figures are read: whoever asks, with the role that reads nothing else.
var stats = pg.Scope{Role: pg.Stats, Kind: "analyst"}

// read is a published cell, as it is read.
type read struct {
	Month       string
	Kind        Kind
	PublishedAt time.Time
	Commune     string
	Sector      string
	Mode        string
	Hidden      *string
	Orders      *int64
	Gross       *int64 `db:"gross_cents"`
	Net         *int64 `db:"net_cents"`
	Items       *int64
	Shops       *int64
	Enterprises *int64
	Median      *int64 `db:"median_orders_tenths"`
}

// board is what was read for a dashboard.
type board struct {
	at      *time.Time
	cells   map[Month]map[[3]string]*read
	kinds   map[Month]Kind
	sectors []sector
}

func (n *Insight) read(ctx context.Context, d *Dashboard, visible []*tenancy.Commune) (*board, error) {
	b := &board{cells: map[Month]map[[3]string]*read{}, kinds: map[Month]Kind{}}
	var err error
	if b.sectors, err = n.sectors(ctx); err != nil {
		return nil, err
	}
	for _, s := range d.Selection.Sectors {
		if s != all && !slices.ContainsFunc(b.sectors, func(x sector) bool { return x.ID == s }) {
			return nil, &fault.Error{Kind: fault.NotFound, Path: []string{"input", "sectors"}, Message: fmt.Sprintf("%s n'est pas un secteur du tableau de bord. Ce sont les catégories du premier rang ; bySector les donne.", fault.Shown(s))}
		}
	}
	var communes []string
	if d.Selection.Communes[0] == all {
		communes = []string{all}
	}
	for _, c := range visible {
		communes = append(communes, c.Insee)
	}
	length := d.To - d.From + 1
	list, err := pg.Select[read](ctx, n.DB, stats, `
		select to_char(c.month, 'YYYY-MM') as month, v.kind, v.published_at, c.commune, c.sector, c.mode, c.hidden,
			c.orders::bigint, c.gross_cents, c.net_cents, c.items::bigint, c.shops::bigint, c.enterprises::bigint, c.median_orders_tenths::bigint
		from insight.versions v join insight.cells c on c.month = v.month and c.version = v.version
		where (v.month between $1::date and $2::date or v.month between $3::date and $4::date or v.month between $5::date and $2::date)
		and v.version = (select max(w.version) from insight.versions w where w.month = v.month)
		and c.commune = any($6) and (c.mode = $7 and (c.commune = any($8) or c.sector = any($9)) or c.commune = any($8) and c.sector = any($9))`,
		(d.From - length).First().String(), d.To.First().String(), (d.From - 12).First().String(), (d.To - 12).First().String(), d.From.First().String(),
		communes, d.Selection.Mode, d.Selection.Communes, d.Selection.Sectors)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		m, err := ParseMonth(c.Month)
		if err != nil {
			return nil, err
		}
		if b.cells[m] == nil {
			b.cells[m] = map[[3]string]*read{}
		}
		b.cells[m][[3]string{c.Commune, c.Sector, c.Mode}] = &c
		b.kinds[m] = c.Kind
		if m >= d.From && m <= d.To && (b.at == nil || c.PublishedAt.After(*b.at)) {
			b.at = &c.PublishedAt
		}
	}
	return b, nil
}

// figures are the cube's indicators of a selection and a period, with both comparisons.
func (b *board) figures(s Selection, from, to Month) []*Figure {
	length := to - from + 1
	now, before, year := b.values(s, from, to), b.values(s, from-length, to-length), b.values(s, from-12, to-12)
	list := make([]*Figure, len(cubed))
	for i, indicator := range cubed {
		list[i] = &Figure{indicator, now[i], before[i], year[i]}
	}
	return list
}

// values adds published cells up; where one of them is hidden, so is the sum.
func (b *board) values(s Selection, from, to Month) []FigureValue {
	var sum [4]int64 // gross, net, orders, items
	var last *read
	cells := 0
	hidden := HiddenReason("")
	for m := from; m <= to; m++ {
		for _, commune := range s.Communes {
			for _, sector := range s.Sectors {
				c := b.cells[m][[3]string{commune, sector, s.Mode}]
				switch {
				case c == nil && b.kinds[m] == Running:
					hidden = RunningPeriod
				case c == nil:
					hidden = NotPublished
				case c.Hidden != nil:
					hidden = HiddenReason(*c.Hidden)
				default:
					sum[0], sum[1], sum[2], sum[3] = sum[0]+*c.Gross, sum[1]+*c.Net, sum[2]+*c.Orders, sum[3]+*c.Items
					last = c
				}
				cells++
			}
		}
	}
	values := make([]FigureValue, len(cubed))
	for i, indicator := range cubed {
		if hidden != "" {
			values[i] = Hide(hidden)
			continue
		}
		values[i] = Hide(NotDefined)
		alone := func(n *int64) FigureValue {
			switch {
			case cells != 1:
				return Hide(NotAdditive)
			case n == nil:
				return Hide(NotDefined)
			}
			return number(indicator, *n)
		}
		switch indicator {
		case Revenue:
			values[i] = number(indicator, sum[0])
		case RevenueNet:
			values[i] = number(indicator, sum[1])
		case Orders:
			values[i] = number(indicator, sum[2])
		case Items:
			values[i] = number(indicator, sum[3])
		case Basket:
			if sum[2] > 0 {
				values[i] = number(indicator, (2*sum[0]+sum[2])/(2*sum[2]))
			}
		case Shops:
			values[i] = alone(last.Shops)
		case Companies:
			values[i] = alone(last.Enterprises)
		case Median:
			values[i] = alone(last.Median)
		}
	}
	return values
}
