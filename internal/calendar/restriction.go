package calendar

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/audelor/halles/internal/fault"
)

// Rank is the authority behind a restriction. It orders explanations and nothing else: a lower
// one may be stricter, and none can give back what another takes. In November 2020 mayors
// ordered shops to open that the decree had closed; such an order has no effect here.
type Rank string

// The ranks, highest first.
const (
	National Rank = "NATIONAL" // a law or a decree
	Prefect  Rank = "PREFECT"
	Mayor    Rank = "MAYOR"
)

var ranks = []Rank{National, Prefect, Mayor}

// Valid tells whether r is one of the ranks.
func (r Rank) Valid() bool { return slices.Contains(ranks, r) }

// Naf is an activity of a Nomenclature d'activités française.
type Naf struct {
	Code    string // "47.71Z"; in Activities also a beginning: "47" is all retail
	Version string // "REV2" until 2026-12-31, "2025" after
}

// holds tells whether a code lies under n. Points do not count: "4771Z" is "47.71Z".
func (n Naf) holds(code Naf) bool {
	if n.Version != code.Version {
		return false
	}
	i := 0
	for j := range len(n.Code) {
		if n.Code[j] == '.' {
			continue
		}
		if i < len(code.Code) && code.Code[i] == '.' {
			i++
		}
		if i == len(code.Code) || code.Code[i] != n.Code[j] {
			return false
		}
		i++
	}
	return true
}

// Place is where a shop is and what it does, as restrictions see it.
type Place struct {
	Commune    string   // INSEE code
	Categories []string // its category and those above it in the tree
	Nafs       []Naf    // its activity; in both versions where both are known, so that no order is missed
	SalesArea  int      // m²; 0: not known
}

// Activities is a set of trades: those of a category, or under an activity code.
type Activities struct {
	Categories []string
	Nafs       []Naf
}

func (a *Activities) empty() bool { return len(a.Categories) == 0 && len(a.Nafs) == 0 }

func (a *Activities) has(p *Place) bool {
	for _, c := range a.Categories {
		if slices.Contains(p.Categories, c) {
			return true
		}
	}
	for _, n := range a.Nafs {
		if slices.ContainsFunc(p.Nafs, n.holds) {
			return true
		}
	}
	return false
}

// Restriction is a law or an order imposed on many shops (arrêté, décret). It touches a shop
// that meets all of Communes, Of and AreaOver and is not among Except; what is empty narrows
// nothing.
type Restriction struct {
	ID    string // the caller's, opaque here
	Title string // in French, as the public is told: "décret n° 2020-1310 du 29 octobre 2020"
	Rank  Rank

	From  time.Time
	Until time.Time // the first instant after it; zero: until further notice

	Communes []string   // INSEE codes
	Of       Activities // the trades concerned
	AreaOver int        // m²: only shops with more sales area; one whose area is not known is taken for small
	Except   Activities // listed trades that it leaves free

	Visitors     bool   // the public may enter
	SquareMetres int    // for each visitor; 0: no limit
	Condition    string // in French, for visitors; may be empty: "rayons de première nécessité seulement"
	Pickup       bool   // orders may be collected
	Delivery     bool   // orders may be delivered
}

// Check refuses a restriction that whoever declares it could have known to be wrong.
func (r *Restriction) Check(path ...string) error {
	switch {
	case !r.Rank.Valid():
		return fault.At(path, "Le rang %q n'existe pas ; choisissez NATIONAL, PREFECT ou MAYOR.", r.Rank)
	case strings.TrimSpace(r.Title) == "":
		return fault.At(path, "Donnez le titre de l'arrêté : le public le lira.")
	case end(r.Until) <= r.From.Unix():
		return fault.At(path, "La mesure finit le %s avant de commencer le %s.", instantText(r.Until), instantText(r.From))
	case r.AreaOver < 0 || r.SquareMetres < 0:
		return fault.At(path, "Les surfaces sont en mètres carrés, 0 ou plus.")
	case r.SquareMetres > 0 && !r.Visitors:
		return fault.At(path, "Une jauge suppose que le public puisse entrer.")
	}
	return nil
}

// Touches tells whether a restriction concerns a shop, whatever the time.
func (r *Restriction) Touches(p *Place) bool {
	return (len(r.Communes) == 0 || slices.Contains(r.Communes, p.Commune)) &&
		(r.AreaOver == 0 || p.SalesArea > r.AreaOver) &&
		(r.Of.empty() || r.Of.has(p)) && !r.Except.has(p)
}

// Allows tells whether a restriction leaves a mode possible.
func (r *Restriction) Allows(m Mode) bool {
	switch m {
	case Visit:
		return r.Visitors
	case Pickup:
		return r.Pickup
	case Delivery:
		return r.Delivery
	}
	return false
}

// block is the restriction as a span.
func (r *Restriction) block() span { return span{r.From.Unix(), end(r.Until)} }

// byRank sorts restrictions as they are told: highest rank first, then oldest.
func byRank(a, b *Restriction) int {
	return cmp.Or(
		cmp.Compare(slices.Index(ranks, a.Rank), slices.Index(ranks, b.Rank)),
		a.From.Compare(b.From),
		strings.Compare(a.ID, b.ID),
	)
}

// refusing is the restriction that refuses a mode at some instant of s, the highest in rank of
// several, or nil.
func (s *Shop) refusing(m Mode, in span) *Restriction {
	var first *Restriction
	for i := range s.Restrictions {
		r := &s.Restrictions[i]
		if !r.Allows(m) && r.block().meets(in) && r.Touches(&s.Place) && (first == nil || byRank(r, first) < 0) {
			first = r
		}
	}
	return first
}

// Regime is what a shop may do at an instant: the strictest of all that applies to it.
type Regime struct {
	Visitors     bool
	SquareMetres int      // for each visitor; 0: no limit
	Conditions   []string // on visitors, in French
	Pickup       bool
	Delivery     bool
	Because      []*Restriction // those in force, highest rank first; none: nothing is restricted
}

// RegimeAt is the regime of an instant. It says what is lawful, not whether the shop is open.
func (s *Shop) RegimeAt(t time.Time) Regime {
	g := Regime{Visitors: true, Pickup: true, Delivery: true}
	now := span{t.Unix(), t.Unix() + 1}
	for i := range s.Restrictions {
		if r := &s.Restrictions[i]; r.block().meets(now) && r.Touches(&s.Place) {
			g.Because = append(g.Because, r)
		}
	}
	slices.SortFunc(g.Because, byRank)
	for _, r := range g.Because {
		g.Visitors = g.Visitors && r.Visitors
		g.Pickup = g.Pickup && r.Pickup
		g.Delivery = g.Delivery && r.Delivery
		g.SquareMetres = max(g.SquareMetres, r.SquareMetres)
		if r.Condition != "" && !slices.Contains(g.Conditions, r.Condition) {
			g.Conditions = append(g.Conditions, r.Condition)
		}
	}
	return g
}

// Allows tells whether a mode is lawful.
func (g *Regime) Allows(m Mode) bool {
	return m == Visit && g.Visitors || m == Pickup && g.Pickup || m == Delivery && g.Delivery
}

// Modes are the lawful ones.
func (g *Regime) Modes() []Mode {
	return slices.DeleteFunc(slices.Clone(Modes), func(m Mode) bool { return !g.Allows(m) })
}

// Density is SquareMetres; nil without a limit.
func (g *Regime) Density() *int {
	if g.SquareMetres == 0 {
		return nil
	}
	return &g.SquareMetres
}

// Refuses are the modes that a restriction does not leave possible.
func (r *Restriction) Refuses() []Mode {
	return slices.DeleteFunc(slices.Clone(Modes), r.Allows)
}

// Tightened tells whether a restriction that touches the shop takes something from it, at some
// instant of its time, that all others leave: a mode that it offers, or the entry.
func (s *Shop) Tightened(r *Restriction) bool {
	in := r.block()
	if in.from >= in.to {
		return false
	}
	for _, m := range r.Refuses() {
		if s.serves(m) && !s.refusedThroughout(m, in) {
			return true
		}
	}
	return false
}

// refusedThroughout tells whether restrictions refuse a mode at every instant of a span.
func (s *Shop) refusedThroughout(m Mode, in span) bool {
	for t := in.from; t < in.to; {
		r := s.refusing(m, span{t, t + 1})
		if r == nil {
			return false
		}
		t = r.block().to
	}
	return true
}

// Against is the restriction that refuses a mode, the highest in rank of several, or nil.
func (g *Regime) Against(m Mode) *Restriction {
	for _, r := range g.Because {
		if !r.Allows(m) {
			return r
		}
	}
	return nil
}

// MaxVisitors is how many customers may be in a shop of an area in m² at once: one for each
// share of SquareMetres, and one in a shop smaller than a share (décret n° 2020-1310, art. 37).
// It is false when nothing limits them, or when the area, 0, is not known.
func (g *Regime) MaxVisitors(area int) (int, bool) {
	switch {
	case !g.Visitors:
		return 0, true
	case g.SquareMetres == 0 || area == 0:
		return 0, false
	}
	return max(1, area/g.SquareMetres), true
}
