package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.book("  L'Île aux œufs ", "Broché", "Poche")
	in.Description, in.IdempotencyKey = p("Une île, des œufs."), p("a-key-of-sixteen-or-more")
	made := b.create(t, in)
	if made.Name != "L'Île aux œufs" || made.Slug != "l-ile-aux-oeufs" || made.Status != catalog.Active || made.Version != 1 {
		t.Errorf("made %+v", made)
	}
	if again := b.create(t, in); again.Row != made.Row {
		t.Error("the same key made a second product")
	}
	other := b.book("Un autre livre")
	other.IdempotencyKey = in.IdempotencyKey
	if _, err := b.Create(t.Context(), b.merchant, other); !errors.Is(err, fault.Conflict) {
		t.Errorf("another product under the key: %v", err)
	}
	in.IdempotencyKey = nil
	if second := b.create(t, in); second.Slug != "l-ile-aux-oeufs-2" {
		t.Errorf("the slug of a second product of the name is %s", second.Slug)
	}
	forms := b.variants(t, made.ID())
	if len(forms) != 2 || forms[0].OptionValue != "Broché" || forms[1].OptionValue != "Poche" || forms[0].PriceCents != 1290 || forms[0].Available != 5 || forms[0].SKU == forms[1].SKU {
		t.Errorf("variants %+v %+v", forms[0], forms[1])
	}
	if n := b.ledgerOff(t); n > 0 {
		t.Errorf("the ledger of %d variants is off", n)
	}
	if found := b.found(t, "oeuf ile"); len(found) != 2 {
		t.Errorf("found %q", found)
	}
	draft := b.book("Brouillon secret")
	draft.Publish = false
	hidden := b.create(t, draft)
	if found := b.found(t, "brouillon"); len(found) > 0 || hidden.Status != catalog.Draft {
		t.Errorf("a draft is found: %q", found)
	}
}

func TestCreateRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	taken := b.book("Déjà là")
	taken.Variants[0].Sku = p("A-1")
	b.create(t, taken)
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		change func(*catalog.CreateProductInput)
		want   []catalog.RefusalCode
		path   string
	}{
		"NameEmpty":       {func(in *catalog.CreateProductInput) { in.Name = "  " }, []catalog.RefusalCode{catalog.NameLength}, "input.name"},
		"NameTooLong":     {func(in *catalog.CreateProductInput) { in.Name = strings.Repeat("é", 201) }, []catalog.RefusalCode{catalog.NameLength}, "input.name"},
		"NameOfTwoLines":  {func(in *catalog.CreateProductInput) { in.Name = "a\nb" }, []catalog.RefusalCode{catalog.NameLength}, "input.name"},
		"DescriptionLong": {func(in *catalog.CreateProductInput) { in.Description = p(strings.Repeat("x", 4001)) }, []catalog.RefusalCode{catalog.DescriptionLength}, "input.description"},
		"UnknownCategory": {func(in *catalog.CreateProductInput) { in.Category = catalog.CategoryID("licornes") }, []catalog.RefusalCode{catalog.UnknownCategory}, "input.category"},
		"NoVariant":       {func(in *catalog.CreateProductInput) { in.Variants = nil }, []catalog.RefusalCode{catalog.NoVariant}, "input.variants"},
		"TooManyVariants": {func(in *catalog.CreateProductInput) { in.Variants = b.book("", many...).Variants }, []catalog.RefusalCode{catalog.TooManyVariants}, "input.variants"},
		"NegativePrice":   {func(in *catalog.CreateProductInput) { in.Variants[1].PriceCents = -1 }, []catalog.RefusalCode{catalog.PriceOutOfRange}, "input.variants.1.priceCents"},
		"PriceTooHigh":    {func(in *catalog.CreateProductInput) { in.Variants[1].PriceCents = 100_000_001 }, []catalog.RefusalCode{catalog.PriceOutOfRange}, "input.variants.1.priceCents"},
		"UnknownRate":     {func(in *catalog.CreateProductInput) { in.Variants[1].VatRate = 1960 }, []catalog.RefusalCode{catalog.VATRateInvalid}, "input.variants.1.vatRate"},
		"RateNoLonger":    {func(in *catalog.CreateProductInput) { in.Variants[0].VatRate = 700 }, []catalog.RefusalCode{catalog.VATRateInvalid}, "input.variants.0.vatRate"},
		"SKUOfAnother":    {func(in *catalog.CreateProductInput) { in.Variants[1].Sku = p("A-1") }, []catalog.RefusalCode{catalog.DuplicateSKU}, "input.variants.1.sku"},
		"SKUTwice":        {func(in *catalog.CreateProductInput) { in.Variants[0].Sku, in.Variants[1].Sku = p("B"), p("B ") }, []catalog.RefusalCode{catalog.DuplicateSKU}, "input.variants.1.sku"},
		"SKUEmpty":        {func(in *catalog.CreateProductInput) { in.Variants[0].Sku = p("") }, []catalog.RefusalCode{catalog.SKUInvalid}, "input.variants.0.sku"},
		"NoOption":        {func(in *catalog.CreateProductInput) { in.OptionName = nil }, []catalog.RefusalCode{catalog.OptionInvalid, catalog.OptionInvalid}, "input.variants.0.optionValue"},
		"NoValue":         {func(in *catalog.CreateProductInput) { in.Variants[1].OptionValue = nil }, []catalog.RefusalCode{catalog.OptionInvalid}, "input.variants.1.optionValue"},
		"ValueTwice":      {func(in *catalog.CreateProductInput) { in.Variants[1].OptionValue = p("broché") }, []catalog.RefusalCode{catalog.DuplicateOption}, "input.variants.1.optionValue"},
		"NegativeStock":   {func(in *catalog.CreateProductInput) { in.Variants[0].Stock = -1 }, []catalog.RefusalCode{catalog.QuantityOutOfRange}, "input.variants.0.stock"},
		"AllThatIsWrong":  {func(in *catalog.CreateProductInput) { in.Name, in.Variants[0].PriceCents = "", -5 }, []catalog.RefusalCode{catalog.NameLength, catalog.PriceOutOfRange}, "input.name"},
	} {
		t.Run(name, func(t *testing.T) {
			before := pgtest.Scan[string](t, b.Database, `select count(*) || ' ' || (select count(*) from variants) from products`)
			if name == "RateNoLonger" {
				b.Exec(t, `insert into vat_rates values (700, 'taux réduit de 2012', '2012-01-01', '2013-12-31')`)
			}
			in := b.book("Un livre", "Broché", "Poche")
			c.change(&in)
			made, err := b.Create(t.Context(), b.merchant, in)
			if err != nil || made.Product != nil || !slices.Equal(codes(made.Refusals), c.want) {
				t.Fatalf("%v, %+v, want %v", err, made, c.want)
			}
			if path := strings.Join(made.Refusals[0].Path, "."); path != c.path || made.Refusals[0].Message == "" {
				t.Errorf("refused at %s, want %s", path, c.path)
			}
			if after := pgtest.Scan[string](t, b.Database, `select count(*) || ' ' || (select count(*) from variants) from products`); after != before {
				t.Errorf("a refusal left rows: %s, before %s", after, before)
			}
		})
	}
}

// Of two people who edit what they both read, one is told of the other's change and loses
// nothing; nobody's change is overwritten.
func TestTwoEditors(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	made := b.create(t, b.book("Version 0"))
	other := fixture.Viewer(t, b.Database, identity.Merchant, b.shop)
	for version := 1; version <= 20; version++ {
		var answers [2]*catalog.ProductPayload
		var group sync.WaitGroup
		for i, v := range []*identity.Viewer{b.merchant, other} {
			group.Go(func() {
				var err error
				answers[i], err = b.Update(t.Context(), v, catalog.UpdateProductInput{Product: made.ID(), Version: version, Name: p(fmt.Sprintf("Version %d de %d", version, i))})
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if t.Failed() {
			return
		}
		winner := slices.IndexFunc(answers[:], func(a *catalog.ProductPayload) bool { return len(a.Refusals) == 0 })
		if winner < 0 {
			t.Fatalf("nobody won: %+v %+v", answers[0], answers[1])
		}
		won, lost := answers[winner], answers[1-winner]
		if won.Product.Version != version+1 || len(lost.Refusals) != 1 || lost.Refusals[0].Code != catalog.VersionConflict || *lost.Refusals[0].Version != version+1 ||
			lost.Product.Name != won.Product.Name || lost.Product.Version != version+1 {
			t.Fatalf("won %+v, lost %+v of %+v", won.Product, lost, lost.Product)
		}
	}
	if n := len(b.found(t, "version 20")); n != 1 {
		t.Errorf("found %d times", n)
	}
}

func TestUpdateAndVariants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, v := t.Context(), b.merchant
	made := b.create(t, b.book("Atlas des marées"))
	id, version := made.ID(), 1
	step := func(name string, got *catalog.ProductPayload, err error, want ...catalog.RefusalCode) {
		t.Helper()
		if err != nil || !slices.Equal(codes(got.Refusals), append([]catalog.RefusalCode{}, want...)) {
			t.Fatalf("%s: %v %+v, want %v", name, err, got, want)
		}
		if len(want) == 0 {
			version++
		}
		if got.Product.Version != version {
			t.Fatalf("%s: version %d, want %d", name, got.Product.Version, version)
		}
	}
	variant := func(i int) tenancy.ID { return b.variants(t, id)[i].ID() }
	got, err := b.Update(ctx, v, catalog.UpdateProductInput{Product: id, Version: version, Name: p("Almanach des marées"), Category: p(catalog.CategoryID("papeterie"))})
	step("renamed", got, err)
	if got.Product.Slug != "atlas-des-marees" || got.Product.CategoryID != "papeterie" || !got.Product.UpdatedAt.After(made.UpdatedAt) {
		t.Errorf("renamed: %+v", got.Product)
	}
	if len(b.found(t, "atlas")) != 0 || len(b.found(t, "almanach")) != 1 || len(b.found(t, "papeterie")) != 1 {
		t.Error("the index has not followed")
	}
	got, err = b.AddVariant(ctx, v, catalog.AddVariantInput{Product: id, Version: version, OptionName: p("Format"), NewVariantInput: catalog.NewVariantInput{OptionValue: p("Poche"), PriceCents: 500, VatRate: 550}})
	step("the first has no value", got, err, catalog.OptionInvalid)
	got, err = b.UpdateVariant(ctx, v, catalog.UpdateVariantInput{Variant: variant(0), Version: version, OptionName: p("Format"), OptionValue: p("Relié"), Sku: p("ALM-1")})
	step("valued", got, err)
	got, err = b.AddVariant(ctx, v, catalog.AddVariantInput{Product: id, Version: version, NewVariantInput: catalog.NewVariantInput{OptionValue: p("relié"), PriceCents: 500, VatRate: 550}})
	step("the same value", got, err, catalog.DuplicateOption)
	got, err = b.AddVariant(ctx, v, catalog.AddVariantInput{Product: id, Version: version, NewVariantInput: catalog.NewVariantInput{OptionValue: p("Poche"), Sku: p("ALM-1"), PriceCents: -5, VatRate: 550}})
	step("wrong price and code", got, err, catalog.PriceOutOfRange, catalog.DuplicateSKU)
	got, err = b.AddVariant(ctx, v, catalog.AddVariantInput{Product: id, Version: version, NewVariantInput: catalog.NewVariantInput{OptionValue: p("Poche"), PriceCents: 500, VatRate: 550, Stock: 3}})
	step("added", got, err)
	got, err = b.UpdateVariant(ctx, v, catalog.UpdateVariantInput{Variant: variant(1), Version: version, Sku: p("ALM-1")})
	step("another's code", got, err, catalog.DuplicateSKU)
	got, err = b.SetPrice(ctx, v, catalog.SetPriceInput{Variant: variant(1), Version: version, PriceCents: -1})
	step("negative", got, err, catalog.PriceOutOfRange)
	got, err = b.SetPrice(ctx, v, catalog.SetPriceInput{Variant: variant(1), Version: version, PriceCents: 590, VatRate: p(money.BasisPoints(1960))})
	step("no rate", got, err, catalog.VATRateInvalid)
	got, err = b.SetPrice(ctx, v, catalog.SetPriceInput{Variant: variant(1), Version: version - 1, PriceCents: 590})
	step("stale", got, err, catalog.VersionConflict)
	got, err = b.SetPrice(ctx, v, catalog.SetPriceInput{Variant: variant(1), Version: version, PriceCents: 590, VatRate: p(money.BasisPoints(2000))})
	step("priced", got, err)
	if f := b.variants(t, id)[1]; f.PriceCents != 590 || f.VATRate != 2000 || f.OptionName != "Format" || f.Available != 3 {
		t.Errorf("the second variant: %+v", f)
	}
	got, err = b.ArchiveVariant(ctx, v, catalog.VariantInput{Variant: variant(0), Version: version})
	step("archived", got, err)
	public, err := b.VariantsOf(ctx, fixture.Viewer(t, b.Database, identity.Visitor), []tenancy.ID{id})
	if err != nil || len(public[id]) != 1 || len(b.variants(t, id)) != 2 {
		t.Errorf("the public sees %d variants (%v), the merchant %d", len(public[id]), err, len(b.variants(t, id)))
	}
	if r := catalog.RangeOf(b.variants(t, id)); r.Max.Cents != 590 {
		t.Errorf("an archived variant's price counts: %+v", r)
	}
	got, err = b.ArchiveVariant(ctx, v, catalog.VariantInput{Variant: variant(1), Version: version})
	step("the last", got, err, catalog.NoVariant)
	got, err = b.Archive(ctx, v, catalog.ProductInput{Product: id, Version: version})
	step("withdrawn", got, err)
	if shown := pgtest.Scan[int](t, b.Database, `select count(*) from variants where published`); shown != 0 {
		t.Errorf("an archived product has %d variants for sale", shown)
	}
	if got.Product.Status != catalog.Archived || len(b.found(t, "almanach")) != 0 {
		t.Errorf("archived: %+v", got.Product)
	}
	got, err = b.Publish(ctx, v, catalog.ProductInput{Product: id, Version: version})
	step("back", got, err)
	if shown := pgtest.Scan[int](t, b.Database, `select count(*) from variants where published`); shown != 1 || len(b.found(t, "almanach")) != 1 {
		t.Errorf("%d variants are public: an archived one came back with its product", shown)
	}
	got, err = b.RestoreVariant(ctx, v, catalog.VariantInput{Variant: variant(0), Version: version})
	step("restored", got, err)
	if shown := pgtest.Scan[int](t, b.Database, `select count(*) from variants where published`); shown != 2 {
		t.Errorf("%d variants are public after the second was restored", shown)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.create(t, b.book("Beaujolais nouveau", "Bouteille", "Magnum"))
	for name, until := range map[string]time.Time{"Past": time.Now().Add(-time.Minute), "TooFar": time.Now().AddDate(2, 0, 0)} {
		got, err := b.Pause(t.Context(), b.merchant, catalog.PauseProductInput{Product: made.ID(), Version: 1, Until: &until})
		if err != nil || !slices.Equal(codes(got.Refusals), []catalog.RefusalCode{catalog.DateOutOfRange}) {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
	back := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	got, err := b.Pause(t.Context(), b.merchant, catalog.PauseProductInput{Product: made.ID(), Version: 1, Until: &back})
	if err != nil || len(got.Refusals) > 0 {
		t.Fatal(err, got)
	}
	a := catalog.BestOf(b.variants(t, made.ID()))
	if a.Orderable || a.Because.Code != catalog.OnPause || a.Because.Until == nil || !a.Because.Until.Equal(back) || !strings.Contains(a.Because.Message, "de nouveau à partir du") {
		t.Errorf("paused: %+v %+v", a, a.Because)
	}
	if len(b.found(t, "beaujolais")) != 1 {
		t.Error("a product on pause is not shown")
	}
	// A variant that is added meanwhile is on pause too.
	got, err = b.AddVariant(t.Context(), b.merchant, catalog.AddVariantInput{Product: made.ID(), Version: 2, NewVariantInput: catalog.NewVariantInput{OptionValue: p("Jéroboam"), PriceCents: 9000, VatRate: 2000, Stock: 2}})
	if err != nil || len(got.Refusals) > 0 || catalog.BestOf(b.variants(t, made.ID())).Orderable {
		t.Errorf("a new variant is sold during the pause: %v %+v", err, got)
	}
	b.Exec(t, `update variants set paused_until = now() - interval '1 second'`)
	if a := catalog.BestOf(b.variants(t, made.ID())); !a.Orderable {
		t.Errorf("past its end, the pause goes on: %+v", a.Because)
	}
	b.Exec(t, `update variants set paused_until = null`)
	if a := catalog.BestOf(b.variants(t, made.ID())); a.Orderable || a.Because.Until != nil {
		t.Errorf("without an end, the pause has one: %+v", a)
	}
	got, err = b.Resume(t.Context(), b.merchant, catalog.ProductInput{Product: made.ID(), Version: 3})
	if err != nil || len(got.Refusals) > 0 || !catalog.BestOf(b.variants(t, made.ID())).Orderable {
		t.Errorf("resumed: %v %+v", err, got)
	}
}

// A product that is made while its shop is published is public afterwards, whoever was first.
func TestMadeWhileTheShopIsPublished(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	for round := range 10 {
		shop := fixture.Shop(t, b.Database, fixture.ShopOpts{Status: directory.Pending})
		merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
		var group sync.WaitGroup
		group.Go(func() {
			in := b.book(fmt.Sprintf("Livre %d", round))
			in.Shop = shop
			if made, err := b.Create(t.Context(), merchant, in); err != nil || len(made.Refusals) > 0 {
				t.Error(made, err)
			}
		})
		group.Go(func() {
			if _, err := b.Migrate.Exec(t.Context(), `update shops set status = 'PUBLISHED' where id = $1`, shop.Row); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		if n := pgtest.Scan[int](t, b.Database, `select count(*) from catalog_search where shop_id = $1`, shop.Row); n != 2 {
			t.Fatalf("round %d: %d entries for the shop and its product", round, n)
		}
	}
}

// Whose shop it is not changes nothing there, and learns nothing.
func TestWhoMayEdit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shown, hidden := b.create(t, b.book("Public")), fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{Status: "DRAFT"})
	foreign := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	for name, c := range map[string]struct {
		v          *identity.Viewer
		shown, not fault.Kind
	}{
		"Visitor":         {fixture.Viewer(t, b.Database, identity.Visitor), fault.Unauthenticated, fault.NotFound},
		"Customer":        {fixture.Viewer(t, b.Database, identity.Customer), fault.Forbidden, fault.NotFound},
		"AnotherMerchant": {fixture.Viewer(t, b.Database, identity.Merchant, foreign), fault.Forbidden, fault.NotFound},
		"Agent":           {fixture.Viewer(t, b.Database, identity.Agent, b.shop), fault.Forbidden, fault.Forbidden},
		"Hotline":         {fixture.Viewer(t, b.Database, identity.Hotline), fault.Forbidden, fault.Forbidden},
		"Analyst":         {fixture.Viewer(t, b.Database, identity.Analyst), fault.Forbidden, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			kind := func(err error) fault.Kind {
				if f := fault.Of(err); f != nil {
					return f.Kind
				}
				return fault.Kind(fmt.Sprint(err))
			}
			for id, want := range map[tenancy.ID]fault.Kind{shown.ID(): c.shown, hidden.ID: c.not} {
				if _, err := b.Archive(t.Context(), c.v, catalog.ProductInput{Product: id, Version: 1}); kind(err) != want {
					t.Errorf("archive: %v, want %s", err, want)
				}
			}
			if _, err := b.CorrectStock(t.Context(), c.v, catalog.CorrectStockInput{Variant: b.variants(t, shown.ID())[0].ID(), Reason: catalog.Counted, Pieces: 0}); kind(err) != c.shown {
				t.Errorf("correct: %v, want %s", err, c.shown)
			}
			if _, err := b.Create(t.Context(), c.v, b.book("De qui ?")); kind(err) != c.shown {
				t.Errorf("create: %v, want %s", err, c.shown)
			}
			if _, err := b.ArchiveProducts(t.Context(), c.v, catalog.ArchiveProductsInput{Shop: b.shop, Products: []catalog.BulkProduct{{Product: shown.ID()}}}); kind(err) != c.shown {
				t.Errorf("archive many: %v, want %s", err, c.shown)
			}
		})
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from products where version > 1 or status = 'ARCHIVED'`); n > 0 {
		t.Errorf("%d products were changed", n)
	}
}
