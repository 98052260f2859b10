package demo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// trade is a kind of shop: what it is called, when it opens, what it sells and when people buy.
type trade struct {
	category string   // in the tree of migrations/00006
	naf      string   // NAF rev. 2
	weight   int      // how common it is among shops
	village  bool     // found in communes of any size
	hours    rhythm   // its week
	season   season   // its year
	vat      int      // of its goods, unless a good says otherwise
	stock    [2]int   // pieces of each variant, from and to
	lead     [2]int   // minutes to prepare an order
	delivers int      // percent of its shops
	area     [2]int   // sales area, m²
	jobs     [2]int   // headcount
	services []string // beside what every shop offers
	names    []string // {nom} surname, {prenom} first name, {lieu} a place of the commune
	about    []string // what a shop says of itself; {commune}
	words    []string // what it says of a product
	goods    string   // one line for each: see parseGoods
	products []product
}

// product is an entry of a trade's catalogue.
type product struct {
	name   string
	option string
	forms  []form // at least one
	vat    int
}

// form is a variant of a catalogue entry.
type form struct {
	value string
	cents int
}

// sizes are the options that many goods share.
var sizes = map[string]string{
	"femme":    "Taille: 36, 38, 40, 42, 44",
	"homme":    "Taille: S, M, L, XL, XXL",
	"lettres":  "Taille: XS, S, M, L, XL",
	"enfant":   "Âge: 2 ans, 4 ans, 6 ans, 8 ans, 10 ans",
	"bébé":     "Âge: 3 mois, 6 mois, 12 mois, 18 mois",
	"pieds":    "Pointure: 36, 37, 38, 39, 40, 41",
	"pieds-h":  "Pointure: 40, 41, 42, 43, 44, 45",
	"petits":   "Pointure: 24, 26, 28, 30, 32",
	"bonnets":  "Taille: 85B, 90B, 90C, 95C",
	"couleurs": "Couleur: écru, bleu nuit, terracotta",
}

// trades are all trades with their catalogues.
var trades = sync.OnceValue(func() []*trade {
	all := slices.Concat(foodTrades, fashionTrades, cultureTrades, homeTrades, otherTrades)
	for _, t := range all {
		list, err := parseGoods(t)
		if err != nil {
			panic(err) // the catalogue is part of the program, as a template is
		}
		t.products = list
	}
	return all
})

// parseGoods reads a trade's catalogue. A line is
//
//	name {one|other} ; price in euros ; option: value, value price ; VAT in basis points
//
// where the last two may be missing, each alternative in braces is a product of its own, a
// value without a price costs the base price, and @femme stands for a list of sizes.
func parseGoods(t *trade) ([]product, error) {
	var list []product
	for _, line := range strings.Split(strings.TrimSpace(t.goods), "\n") {
		parts := strings.Split(line, ";")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		if len(parts) < 2 {
			return nil, fmt.Errorf("catalogue of %s: %q has no price", t.category, line)
		}
		base, err := parseEuros(parts[1])
		if err != nil {
			return nil, fmt.Errorf("catalogue of %s: %q: %w", t.category, line, err)
		}
		p := product{vat: t.vat, forms: []form{{cents: base}}}
		for _, part := range parts[2:] {
			if rate, err := strconv.Atoi(part); err == nil {
				p.vat = rate
				continue
			}
			if name, ok := strings.CutPrefix(part, "@"); ok {
				part = sizes[name]
			}
			option, values, ok := strings.Cut(part, ":")
			if !ok {
				return nil, fmt.Errorf("catalogue of %s: %q: no option in %q", t.category, line, part)
			}
			p.option, p.forms = option, nil
			for _, v := range strings.Split(values, ", ") {
				f := form{value: strings.TrimSpace(v), cents: base}
				if at := strings.LastIndexByte(f.value, ' '); at > 0 && strings.Contains(f.value[at:], ",") {
					if f.cents, err = parseEuros(f.value[at+1:]); err != nil {
						return nil, fmt.Errorf("catalogue of %s: %q: %w", t.category, line, err)
					}
					f.value = f.value[:at]
				}
				p.forms = append(p.forms, f)
			}
		}
		for _, name := range expand(parts[0]) {
			p.name = name
			list = append(list, p)
		}
	}
	return list, nil
}

// expand writes out the alternatives in braces.
func expand(s string) []string {
	before, rest, ok := strings.Cut(s, "{")
	inside, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return []string{s}
	}
	var all []string
	for _, one := range strings.Split(inside, "|") {
		for _, tail := range expand(after) {
			all = append(all, strings.Join(strings.Fields(before+one+tail), " "))
		}
	}
	return all
}

func parseEuros(s string) (cents int, err error) {
	euros, rest, ok := strings.Cut(s, ",")
	if !ok {
		rest = "00"
	}
	cents, err = strconv.Atoi(euros + rest)
	if err != nil || len(rest) != 2 || cents <= 0 {
		return 0, fmt.Errorf("%q is not a price", s)
	}
	return cents, nil
}
