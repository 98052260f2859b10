package ordering_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	product := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Variants: 3})
	good := func() ordering.PlaceInput { return basket(pickup(shop, product.Variants...)) }
	before := b.fingerprint(t)
	type in = ordering.PlaceInput
	for name, c := range map[string]struct {
		spoil func(*in)
		path  string
	}{
		"NoShop":              {func(i *in) { i.Orders = nil }, "input orders"},
		"TooManyShops":        {func(i *in) { i.Orders = make([]ordering.ShopBasket, 21) }, "input orders"},
		"TheSameShopTwice":    {func(i *in) { i.Orders = append(i.Orders, i.Orders[0]) }, "input orders 1 shop"},
		"ShopOfAnotherKind":   {func(i *in) { i.Orders[0].Shop = product.ID }, "input orders 0 shop"},
		"NoLine":              {func(i *in) { i.Orders[0].Lines = nil }, "input orders 0 lines"},
		"Lines101":            {func(i *in) { i.Orders[0].Lines = slices.Repeat(i.Orders[0].Lines[:1], 101) }, "input orders 0 lines"},
		"VariantOfOtherKind":  {func(i *in) { i.Orders[0].Lines[2].Variant = product.ID }, "input orders 0 lines 2 variant"},
		"Quantity0":           {func(i *in) { i.Orders[0].Lines[1].Quantity = 0 }, "input orders 0 lines 1 quantity"},
		"QuantityMinus1":      {func(i *in) { i.Orders[0].Lines[1].Quantity = -1 }, "input orders 0 lines 1 quantity"},
		"Quantity2To31":       {func(i *in) { i.Orders[0].Lines[1].Quantity = 1 << 31 }, "input orders 0 lines 1 quantity"},
		"Quantity10000":       {func(i *in) { i.Orders[0].Lines[1].Quantity = 10000 }, "input orders 0 lines 1 quantity"},
		"QuantityOverflowing": {func(i *in) { i.Orders[0].Lines[1].Quantity = math.MaxInt }, "input orders 0 lines 1 quantity"},
		"MergedTooMany": {func(i *in) {
			i.Orders[0].Lines[0].Quantity = 9999
			i.Orders[0].Lines[1] = i.Orders[0].Lines[0]
		}, "input orders 0 lines 1 quantity"},
		"UnknownMode":  {func(i *in) { i.Orders[0].Mode = "PIGEON" }, "input orders 0 mode"},
		"LongNote":     {func(i *in) { i.Orders[0].Note = p(strings.Repeat("é", 1001)) }, "input orders 0 note"},
		"NulNote":      {func(i *in) { i.Orders[0].Note = p("a\x00b") }, "input orders 0 note"},
		"ShortKey":     {func(i *in) { i.IdempotencyKey = "0123456789abcde" }, "input idempotencyKey"},
		"LongKey":      {func(i *in) { i.IdempotencyKey = strings.Repeat("k", 101) }, "input idempotencyKey"},
		"KeyWithSpace": {func(i *in) { i.IdempotencyKey = "0123456789 abcdefg" }, "input idempotencyKey"},
		"PhoneChannel": {func(i *in) { i.Channel = p(ordering.Phone) }, "input channel"},
		"NoContact":    {func(i *in) { i.Contact = nil }, "input contact"},
		"NoName":       {func(i *in) { i.Contact = &ordering.PersonContact{Phone: anna.Phone} }, "input contact"},
		"OnlyName":     {func(i *in) { i.Contact = &ordering.PersonContact{Name: anna.Name} }, "input contact"},
		"LongName":     {func(i *in) { i.Contact = &ordering.PersonContact{Name: p(strings.Repeat("x", 201)), Phone: anna.Phone} }, "input contact name"},
		"NoPhone":      {func(i *in) { i.Contact = &ordering.PersonContact{Name: anna.Name, Phone: p("36 15")} }, "input contact phone"},
		"NoEmail":      {func(i *in) { i.Contact = &ordering.PersonContact{Name: anna.Name, Email: p("anna@")} }, "input contact email"},
		"TwoEmails":    {func(i *in) { i.Contact = &ordering.PersonContact{Name: anna.Name, Email: p("a@b.fr, c@d.fr")} }, "input contact email"},
		"InjectEmail":  {func(i *in) { i.Contact = &ordering.PersonContact{Name: anna.Name, Email: p("a@b.fr\r\nBcc: c@d.fr")} }, "input contact email"},
	} {
		bad := good()
		c.spoil(&bad)
		_, err := b.Place(t.Context(), b.visitor, bad)
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Invalid || strings.Join(f.Path, " ") != c.path || f.Message == "" {
			t.Errorf("%s: %v at %v", name, err, f)
		}
	}
	if b.fingerprint(t) != before {
		t.Error("bad input changed something")
	}
	b.place(t, b.visitor, good())
}

func TestRefusalsSayWhatToDoAndChangeNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := b.Database
	both := []directory.FulfilmentMode{directory.Pickup, directory.Delivery}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	big := fixture.Shop(t, d, fixture.ShopOpts{Modes: both, Minimum: 2000, Fee: 500})
	mute := fixture.Shop(t, d, fixture.ShopOpts{Modes: []directory.FulfilmentMode{}})
	suspended := fixture.Shop(t, d, fixture.ShopOpts{Status: directory.Suspended})
	faraway := fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix})
	book := fixture.Product(t, d, shop, fixture.ProductOpts{Name: "Le Cheval d'orgueil", PriceCents: 1000, Stock: 3})
	many := fixture.Product(t, d, shop, fixture.ProductOpts{Name: "Cartes", Stock: 50})
	gone := fixture.Product(t, d, shop, fixture.ProductOpts{Stock: fixture.None})
	draft := fixture.Product(t, d, shop, fixture.ProductOpts{Status: "DRAFT"})
	dear := fixture.Product(t, d, big, fixture.ProductOpts{PriceCents: 1500, Stock: 20})
	hidden := fixture.Product(t, d, suspended, fixture.ProductOpts{})
	silent := fixture.Product(t, d, mute, fixture.ProductOpts{})
	far := fixture.Product(t, d, faraway, fixture.ProductOpts{})
	of := func(shop tenancy.ID, mode directory.FulfilmentMode, variant tenancy.ID, quantity int) ordering.ShopBasket {
		return ordering.ShopBasket{Shop: shop, Mode: mode, Lines: []ordering.BasketLine{{Variant: book.Variants[0], Quantity: 1}, {Variant: variant, Quantity: quantity}}[1:]}
	}
	nowhere := tenancy.NewID(tenancy.KindShop, "99999")
	cases := []struct {
		name      string
		order     ordering.ShopBasket
		code      ordering.RefusalCode
		path      string
		available *int
		says      string
	}{
		{"SoldOut", of(shop, directory.Pickup, gone.Variants[0], 1), ordering.OutOfStock, "lines 0 quantity", p(0), "épuisé"},
		{"FewLeft", of(shop, directory.Pickup, book.Variants[0], 4), ordering.OutOfStock, "lines 0 quantity", p(3), "que 3"},
		{"ManyLeftIsNotTold", of(shop, directory.Pickup, many.Variants[0], 51), ordering.OutOfStock, "lines 0 quantity", p(5), "au moins 5"},
		{"Draft", of(shop, directory.Pickup, draft.Variants[0], 1), ordering.UnknownVariant, "lines 0 variant", nil, "ne vend"},
		{"UnknownVariant", of(shop, directory.Pickup, tenancy.NewID(tenancy.KindVariant, fixture.Lorient), 1), ordering.UnknownVariant, "lines 0 variant", nil, "ne vend"},
		{"AnotherShopsVariant", of(shop, directory.Pickup, dear.Variants[0], 1), ordering.UnknownVariant, "lines 0 variant", nil, "ne vend"},
		{"AnotherCommunesVariant", of(shop, directory.Pickup, far.Variants[0], 1), ordering.UnknownVariant, "lines 0 variant", nil, "ne vend"},
		{"ForgedVariant", of(shop, directory.Pickup, tenancy.RowID(tenancy.KindVariant, fixture.Groix, book.Variants[0].Row), 1), ordering.UnknownVariant, "lines 0 variant", nil, "ne vend"},
		{"ModeNotOffered", of(shop, directory.Delivery, book.Variants[0], 1), ordering.ModeNotOffered, "mode", nil, "PICKUP"},
		{"NoModeAtAll", of(mute, directory.Pickup, silent.Variants[0], 1), ordering.ModeNotOffered, "mode", nil, "ne prend pas"},
		{"Suspended", of(suspended, directory.Pickup, hidden.Variants[0], 1), ordering.ShopUnavailable, "shop", nil, "ne prend pas"},
		{"UnknownShop", of(tenancy.NewID(tenancy.KindShop, fixture.Lorient), directory.Pickup, book.Variants[0], 1), ordering.ShopUnavailable, "shop", nil, "ne prend pas"},
		{"UnknownCommune", of(nowhere, directory.Pickup, book.Variants[0], 1), ordering.ShopUnavailable, "shop", nil, "ne prend pas"},
		{"ForgedShop", of(tenancy.RowID(tenancy.KindShop, fixture.Groix, shop.Row), directory.Pickup, book.Variants[0], 1), ordering.ShopUnavailable, "shop", nil, "ne prend pas"},
		{"BelowMinimum", of(big, directory.Delivery, dear.Variants[0], 1), ordering.BelowMinimum, "lines", nil, "5,00"},
		{
			"LinePriceChanged",
			ordering.ShopBasket{Shop: shop, Mode: directory.Pickup, Lines: []ordering.BasketLine{
				{Variant: many.Variants[0], Quantity: 1}, {Variant: book.Variants[0], Quantity: 1, ExpectedCents: p[money.Cents](999)},
			}},
			ordering.PriceChanged, "lines 1 expectedCents", nil, "10,00",
		},
		{"TotalChanged", ordering.ShopBasket{
			Shop: big, Mode: directory.Delivery, ExpectedCents: p[money.Cents](3000),
			Lines: []ordering.BasketLine{{Variant: dear.Variants[0], Quantity: 2}},
		}, ordering.PriceChanged, "expectedCents", nil, "35,00"},
	}
	before := b.fingerprint(t)
	var all ordering.PlaceInput
	for _, c := range cases {
		in := basket(c.order)
		payload, err := b.Place(t.Context(), b.visitor, in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		all = in
		r := &payload.Results[0]
		order, err := r.Order()
		if order != nil || err != nil || len(r.Refusals) != 1 || payload.GuestSecret != nil || r.ShopID != c.order.Shop {
			t.Errorf("%s: %v %v %+v", c.name, order, err, r.Refusals)
			continue
		}
		got := r.Refusals[0]
		if got.Code != c.code || strings.Join(got.Path, " ") != "input orders 0 "+c.path || !strings.Contains(got.Message, c.says) || !cmp.Equal(got.Available, c.available) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	// All that is wrong with an order is told at once, each at its own line.
	payload, err := b.Place(t.Context(), b.visitor, basket(pickup(shop, gone.Variants[0], book.Variants[0], dear.Variants[0])))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, r := range payload.Results[0].Refusals {
		told = append(told, string(r.Code)+" "+r.Path[4])
	}
	if !cmp.Equal(told, []string{"OUT_OF_STOCK 0", "UNKNOWN_VARIANT 2"}) {
		t.Errorf("told %v", told)
	}
	if b.fingerprint(t) != before {
		t.Error("a refusal changed something")
	}
	// A refusal does not use its key up: what was sold out may be back.
	all.Orders[0].ExpectedCents = nil
	b.place(t, b.visitor, all)
}

func TestRefusedAndPlacedStandSideBySide(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop, other := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{Commune: fixture.Lanester})
	book, gone := fixture.Product(t, b.Database, shop, fixture.ProductOpts{}), fixture.Product(t, b.Database, other, fixture.ProductOpts{Stock: fixture.None})
	payload, err := b.Place(t.Context(), b.visitor, basket(pickup(shop, book.Variants[0]), pickup(other, gone.Variants[0])))
	if err != nil {
		t.Fatal(err)
	}
	order, err := payload.Results[0].Order()
	refused, errRefused := payload.Results[1].Order()
	if order == nil || err != nil || refused != nil || errRefused != nil || len(payload.Results[1].Refusals) != 1 {
		t.Fatalf("%v %v, %v %v %+v", order, err, refused, errRefused, payload.Results[1].Refusals)
	}
	if guest := b.guest(t, payload.GuestSecret); !cmp.Equal(guest.Orders, []tenancy.ID{order.ID()}) {
		t.Fatalf("the link opens %v", guest.Orders)
	}
}
