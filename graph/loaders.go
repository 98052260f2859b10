package graph

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/graph/loader"
	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// loaders are the relations of the schema, one line and one statement each: what most questions ask
// for, and the others, which are made when one of them is asked for.
type loaders struct {
	shop        *loader.Loader[tenancy.ID, *directory.Shop]
	shopSelling *loader.Loader[tenancy.ID, *directory.Shop] // by the product; for shop to know
	shopsOf     *loader.Loader[shopsKey, *directory.ShopConnection]
	product     *loader.Loader[tenancy.ID, *catalog.Product]
	productsOf  *loader.Loader[productsKey, *catalog.ProductConnection]
	variantsOf  *loader.Loader[tenancy.ID, []*catalog.Variant]

	with func(ctx context.Context, products []tenancy.ID, shops, variants bool) (*catalog.Whole, error) // see joined

	begin  sync.Once
	make   func() *otherLoaders
	others *otherLoaders
}

// otherLoaders are the relations that few questions ask for.
type otherLoaders struct {
	hours       *loader.Loader[tenancy.ID, []directory.OpeningInterval]
	fulfilments *loader.Loader[tenancy.ID, []*directory.Fulfilment]
	calendar    *loader.Loader[calendarKey, *calendar.Shop]
	closures    *loader.Loader[tenancy.ID, []*directory.Closure]
	restriction *loader.Loader[tenancy.ID, *directory.Restriction]
	scope       *loader.Loader[tenancy.ID, []string]
	restricting *loader.Loader[restrictionsKey, []*directory.Restriction]
	steps       *loader.Loader[tenancy.ID, []*directory.ShopStep]
	details     *loader.Loader[tenancy.ID, *directory.ShopDetails]
	activation  *loader.Loader[tenancy.ID, *directory.Activation]
	shopsIn     *loader.Loader[shopsKey, int]
	productsIn  *loader.Loader[tenancy.ID, int]
	variant     *loader.Loader[tenancy.ID, *catalog.Variant]
	stock       *loader.Loader[tenancy.ID, *int]
	delegations *loader.Loader[tenancy.ID, []*identity.Delegation]
	notice      *loader.Loader[tenancy.ID, *identity.CommuneNotice]
	slotCounts  *loader.Loader[tenancy.ID, *ordering.SlotCounts]
	affected    *loader.Loader[affectedKey, []*ordering.Affected]
	shopPhotos  *loader.Loader[tenancy.ID, []*media.Photo]
	goodsPhotos *loader.Loader[tenancy.ID, []*media.Photo]
	orders      *ordersBy
	ordersOf    *loader.Loader[ordersKey, *ordering.OrderConnection]
}

func (l *loaders) other() *otherLoaders {
	l.begin.Do(func() { l.others = l.make() })
	return l.others
}

// loaderByID loads values by the global ID of what they belong to.
type loaderByID[V any] = loader.Loader[tenancy.ID, V]

// orderLoaders are an order and its relations, read as one viewer.
type orderLoaders struct {
	order   *loader.Loader[tenancy.ID, *ordering.Order]
	lines   *loader.Loader[tenancy.ID, []*ordering.Line]
	history *loader.Loader[tenancy.ID, []*ordering.Event]
	contact *loader.Loader[tenancy.ID, *ordering.PersonContact]
	address *loader.Loader[tenancy.ID, *ordering.DeliveryAddress]
	change  *loader.Loader[tenancy.ID, *ordering.Change]
	again   *loader.Loader[tenancy.ID, *ordering.Again]
}

// ordersBy has the loaders of orders for each reader of a response. Nearly always that is the
// request's viewer; what a visitor placed or opened just now it reads as a guest, whose link
// came with the response itself.
type ordersBy struct {
	r  *Resolver
	mu sync.Mutex
	of map[*identity.Viewer]*orderLoaders
}

func (b *ordersBy) as(v *identity.Viewer) *orderLoaders {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of[v] == nil {
		b.of[v] = &orderLoaders{
			order:   loader.New(b.r.Wait, as(v, b.r.Ordering.ByIDs), notFound[*ordering.Order]),
			lines:   loader.New(b.r.Wait, as(v, b.r.Ordering.LinesOf), loader.Zero),
			history: loader.New(b.r.Wait, as(v, b.r.Ordering.HistoryOf), loader.Zero),
			contact: loader.New(b.r.Wait, as(v, b.r.Ordering.ContactsOf), loader.Zero),
			address: loader.New(b.r.Wait, as(v, b.r.Ordering.AddressesOf), loader.Zero),
			again:   loader.New(b.r.Wait, as(v, b.r.Ordering.AgainOf), notFound[*ordering.Again]),
			change:  loader.New(b.r.Wait, as(v, b.r.Ordering.ChangesOf), loader.Zero),
		}
	}
	return b.of[v]
}

// linesOf loads an order's lines, but for those of one that was placed by the same request.
func linesOf(ctx context.Context, o *ordering.Order) ([]*ordering.Line, error) {
	if o.Written != nil {
		return o.Written, nil
	}
	return load(ctx).other().orders.as(o.Reader).lines.Load(ctx, o.ID())
}

type loadersKey struct{}

// response has the loaders of one response. They are made when the first is asked for: most of what an
// event tells thousands of subscribers, and the answer to an order, needs none.
type response struct {
	once sync.Once
	make func(ctx context.Context) *loaders
	all  *loaders
}

// withLoaders installs fresh loaders for one response, read with the viewer's rights.
func (r *Resolver) withLoaders(ctx context.Context, with *joints) context.Context {
	v := identity.From(ctx)
	if !v.IsAnybody() {
		with = nil
	}
	return context.WithValue(ctx, loadersKey{}, &response{make: func(ctx context.Context) *loaders { return loadersFor(r, v, with, direct.Short(ctx, "Shop")) }})
}

func load(ctx context.Context) *loaders {
	l := ctx.Value(loadersKey{}).(*response)
	l.once.Do(func() { l.all = l.make(ctx) })
	return l.all
}

// loadersFor makes them; short: nobody asks for more of a shop than lists show. It is no method: every package
// that names the Resolver would compile the loaders again, 1,200 functions, as types that a method names.
func loadersFor(r *Resolver, v *identity.Viewer, with *joints, short bool) *loaders {
	shops := r.Directory
	j := with.of(short)
	if short {
		shops = shops.Cards()
	}
	shop := loader.New(r.Wait, func(ctx context.Context, ids []tenancy.ID) (map[tenancy.ID]*directory.Shop, error) {
		return j.shop.Fetch(ctx, ids, as(v, shops.ByIDs))
	}, notFound[*directory.Shop])
	return &loaders{
		shop: shop,
		shopSelling: loader.New(r.Wait, knownTo(shop, func(ctx context.Context, ids []tenancy.ID) (map[tenancy.ID]*directory.Shop, error) {
			return j.shopSelling.Fetch(ctx, ids, as(v, shops.OfProducts))
		}), loader.Zero),
		shopsOf: loader.New(r.Wait, func(ctx context.Context, keys []shopsKey) (map[shopsKey]*directory.ShopConnection, error) {
			return j.shopsOf.Fetch(ctx, keys, loader.Grouped(shopsKey.split, joinShopsKey, shopPages(v, shops)))
		}, loader.Zero),
		product: loader.New(r.Wait, func(ctx context.Context, ids []tenancy.ID) (map[tenancy.ID]*catalog.Product, error) {
			return j.product.Fetch(ctx, ids, as(v, r.Catalog.ProductsByIDs))
		}, notFound[*catalog.Product]),
		productsOf: loader.New(r.Wait, func(ctx context.Context, keys []productsKey) (map[productsKey]*catalog.ProductConnection, error) {
			return j.productsOf.Fetch(ctx, keys, loader.Grouped(productsKey.split, joinProductsKey, r.productPages(v)))
		}, loader.Zero),
		variantsOf: loader.New(r.Wait, func(ctx context.Context, ids []tenancy.ID) (map[tenancy.ID][]*catalog.Variant, error) {
			return j.variantsOf.Fetch(ctx, ids, as(v, r.Catalog.VariantsOf))
		}, loader.Zero),
		with: func(ctx context.Context, products []tenancy.ID, with, variants bool) (*catalog.Whole, error) {
			sellers := shops
			if !with {
				sellers = nil
			}
			return j.wholesWith(with, variants).Fetch(ctx, products, func(ctx context.Context, products []tenancy.ID) (*catalog.Whole, error) {
				return r.Catalog.ProductsWith(ctx, v, v.Within(products), sellers, variants)
			})
		},
		make: func() *otherLoaders { return otherLoadersFor(r, v) },
	}
}

func otherLoadersFor(r *Resolver, v *identity.Viewer) *otherLoaders {
	return &otherLoaders{
		shopPhotos:  loader.New(r.Wait, as(v, r.Media.OfShops), loader.Zero),
		goodsPhotos: loader.New(r.Wait, as(v, r.Media.OfProducts), loader.Zero),
		hours:       loader.New(r.Wait, as(v, r.Directory.HoursOf), loader.Zero),
		fulfilments: loader.New(r.Wait, as(v, r.Directory.FulfilmentsOf), loader.Zero),
		calendar:    loader.New(r.Wait, loader.Grouped(calendarKey.split, joinCalendarKey, r.calendars(v)), noCalendar),
		closures:    loader.New(r.Wait, as(v, r.Directory.ClosuresOf), loader.Zero),
		restriction: loader.New(r.Wait, as(v, r.Directory.RestrictionsByIDs), notFound[*directory.Restriction]),
		scope:       loader.New(r.Wait, as(v, r.Directory.ScopesOf), loader.Zero),
		restricting: loader.New(r.Wait, loader.Grouped(restrictionsKey.split, joinRestrictionsKey, r.restrictionsOf(v)), loader.Zero),
		steps:       loader.New(r.Wait, as(v, r.Directory.StepsOf), loader.Zero),
		details:     loader.New(r.Wait, as(v, r.Directory.DetailsOf), loader.Zero),
		activation:  loader.New(r.Wait, as(v, r.Registrations.ActivationOf), loader.Zero),
		shopsIn:     loader.New(r.Wait, loader.Grouped(shopsKey.split, joinShopsKey, r.shopCounts(v)), loader.Zero),
		productsIn:  loader.New(r.Wait, as(v, r.Catalog.CountByShop), loader.Zero),
		variant:     loader.New(r.Wait, as(v, r.Catalog.VariantsByIDs), notFound[*catalog.Variant]),
		stock:       loader.New(r.Wait, as(v, r.Catalog.StockOf), loader.Zero),
		delegations: loader.New(r.Wait, as(v, r.Delegations.Of), loader.Zero),
		notice:      loader.New(r.Wait, as(v, r.Settings.NoticesOf), loader.Zero),
		slotCounts:  loader.New(r.Wait, as(v, r.Ordering.SlotCountsOf), loader.Zero),
		affected:    loader.New(r.Wait, loader.Grouped(affectedKey.split, joinAffectedKey, r.affected(v)), loader.Zero),
		orders:      &ordersBy{r: r, of: map[*identity.Viewer]*orderLoaders{}},
		ordersOf:    loader.New(r.Wait, loader.Grouped(ordersKey.split, joinOrdersKey, r.orderPages(v)), loader.Zero),
	}
}

// as binds a feature's look-up to the viewer, for whom nothing is in the communes of others' widgets.
func as[V any](v *identity.Viewer, fetch func(context.Context, *identity.Viewer, []tenancy.ID) (map[tenancy.ID]V, error)) loader.Fetch[tenancy.ID, V] {
	return func(ctx context.Context, ids []tenancy.ID) (map[tenancy.ID]V, error) {
		return fetch(ctx, v, v.Within(ids))
	}
}

// knownTo has what a look-up by another key found known to the loader that has it by its ID.
func knownTo[V tenancy.Node](l *loader.Loader[tenancy.ID, V], fetch loader.Fetch[tenancy.ID, V]) loader.Fetch[tenancy.ID, V] {
	return func(ctx context.Context, keys []tenancy.ID) (map[tenancy.ID]V, error) {
		found, err := fetch(ctx, keys)
		for _, k := range keys { // among what was found for others too
			if v, there := found[k]; there {
				l.Know(v.ID(), v)
			}
		}
		return found, err
	}
}

// loadAll loads a list of things side by side, so that they share a batch.
func loadAll[V any](ctx context.Context, l *loader.Loader[tenancy.ID, V], ids []tenancy.ID) ([]V, error) {
	all := make([]V, len(ids))
	// Not WithContext: a batch runs in the context of whoever asked first, for others too.
	var group errgroup.Group
	for i, id := range ids {
		group.Go(func() (err error) {
			all[i], err = l.Load(ctx, id)
			return err
		})
	}
	return all, group.Wait()
}

// noticeOf is one thing that everybody reads of a commune's settings; all of them share a statement.
func noticeOf[V any](ctx context.Context, c *tenancy.Commune, field func(*identity.CommuneNotice) *V) (*V, error) {
	notice, err := load(ctx).other().notice.Load(ctx, c.ID())
	if err != nil {
		return nil, err
	}
	return field(notice), nil
}

// visible is a thing, or nil where the viewer may not see it: an order outlives its shop.
func visible[V any](v *V, err error) (*V, error) {
	if errors.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // the field's null
	}
	return v, err
}

// namesOnly tells whether no more is asked of products and shops than their names, and what is found by
// their IDs.
func namesOnly(ctx context.Context) bool {
	return direct.Only(ctx, "Product", "id", "slug", "name", "shop", "variants", "priceRange", "availability", "photos") &&
		direct.Only(ctx, "Shop", "id", "slug", "name", "commune", "openingHours", "fulfilments", "closures", "photos", "openNow", "service", "nextOpening", "regime", "slots", "products")
}

// beside has the loaders know what a search has read beside its page.
func beside(ctx context.Context) func(*catalog.SearchConnection, error) (*catalog.SearchConnection, error) {
	return func(found *catalog.SearchConnection, err error) (*catalog.SearchConnection, error) {
		if err != nil {
			return nil, err
		}
		l := load(ctx)
		l.product.Expect(len(found.Products))
		for _, p := range found.Products {
			l.product.Know(p.ID(), p)
		}
		l.shop.Expect(len(found.Shops))
		for _, s := range found.Shops {
			l.shop.Know(s.ID(), s)
		}
		return found, nil
	}
}

// searchResult is a shop or product that a search found, or nothing where it was withdrawn meanwhile.
func searchResult(ctx context.Context, id tenancy.ID) (tenancy.Node, error) {
	if id.Kind == tenancy.KindShop {
		if shop, err := visible(load(ctx).shop.Load(ctx, id)); shop != nil || err != nil {
			return shop, err
		}
		return nil, nil // the field's null
	}
	if product, err := visible(load(ctx).product.Load(ctx, id)); product != nil || err != nil {
		return product, err
	}
	return nil, nil // the field's null
}

func notFound[V any](id tenancy.ID) (v V, err error) { return v, id.NotFound() }

// byID loads one thing by an id that a client gave, after a look at its kind.
func byID[V any](ctx context.Context, l *loader.Loader[tenancy.ID, V], id tenancy.ID, kind tenancy.Kind) (v V, err error) {
	if err := id.Want(kind, "id"); err != nil {
		return v, err
	}
	return l.Load(ctx, id)
}

// productsKey is a page of a shop's products.
type productsKey struct {
	shop tenancy.ID
	page pageKey
}

// pageKey is a page's arguments; after is empty for the first page, and no cursor is empty. A
// cursor is its parent's alone: a later page has its parent in the key too, so that it is asked
// for, and refused, by itself.
type pageKey struct {
	first int
	after string
	of    string
}

func newProductsKey(shop tenancy.ID, first int, after *string) productsKey {
	return productsKey{shop, newPageKey(first, after, shop.String())}
}

func (k productsKey) split() (pageKey, tenancy.ID) { return k.page, k.shop }

func joinProductsKey(p pageKey, shop tenancy.ID) productsKey { return productsKey{shop, p} }

func (k pageKey) cursor() *string {
	if k.after == "" {
		return nil
	}
	return &k.after
}

func newPageKey(first int, after *string, parent string) pageKey {
	if after == nil {
		return pageKey{first: first}
	}
	if *after == "" {
		return pageKey{first, "-", parent} // an empty cursor is a wrong one, not the first page
	}
	return pageKey{first, *after, parent}
}

func (r *Resolver) productPages(v *identity.Viewer) func(context.Context, pageKey, []tenancy.ID) (map[tenancy.ID]*catalog.ProductConnection, error) {
	return func(ctx context.Context, p pageKey, shops []tenancy.ID) (map[tenancy.ID]*catalog.ProductConnection, error) {
		return r.Catalog.ListByShop(ctx, v, shops, p.first, p.cursor())
	}
}

// shopsKey is a page of a commune's shops; query is directory.ShopQuery as JSON, since a key
// must be comparable, and empty for the usual one, all shops by name.
type shopsKey struct {
	commune string
	shopsPage
}

type shopsPage struct {
	query string
	pageKey
}

func newShopsKey(commune string, q directory.ShopQuery, first int, after *string) shopsKey {
	page := newPageKey(first, after, commune)
	if q.Filter == nil && q.Near == nil && q.OrderBy == nil {
		return shopsKey{commune, shopsPage{pageKey: page}}
	}
	query, err := json.Marshal(q)
	if err != nil {
		panic(err) // plain data: a Float of a request is finite
	}
	return shopsKey{commune, shopsPage{string(query), page}}
}

func (k shopsKey) split() (shopsPage, string) { return k.shopsPage, k.commune }

func joinShopsKey(p shopsPage, commune string) shopsKey { return shopsKey{commune, p} }

func shopPages(v *identity.Viewer, shops *directory.Directory) func(context.Context, shopsPage, []string) (map[string]*directory.ShopConnection, error) {
	return func(ctx context.Context, p shopsPage, communes []string) (map[string]*directory.ShopConnection, error) {
		return shops.ListByCommune(ctx, v, communes, p.asked(), p.first, p.cursor())
	}
}

func (r *Resolver) shopCounts(v *identity.Viewer) func(context.Context, shopsPage, []string) (map[string]int, error) {
	return func(ctx context.Context, p shopsPage, communes []string) (map[string]int, error) {
		return r.Directory.CountByCommune(ctx, v, communes, p.asked())
	}
}

func (p shopsPage) asked() (q directory.ShopQuery) {
	if p.query == "" {
		return q
	}
	if err := json.Unmarshal([]byte(p.query), &q); err != nil {
		panic(err) // written by newShopsKey
	}
	return q
}

// ordersKey is a page of a shop's orders; statuses are joined by spaces.
type ordersKey struct {
	shop tenancy.ID
	ordersPage
}

type ordersPage struct {
	statuses string
	pageKey
}

func newOrdersKey(shop tenancy.ID, of []ordering.Status, first int, after *string) ordersKey {
	names := make([]string, len(of))
	for i, s := range of {
		names[i] = string(s)
	}
	return ordersKey{shop, ordersPage{strings.Join(names, " "), newPageKey(first, after, shop.String())}}
}

func (k ordersKey) split() (ordersPage, tenancy.ID) { return k.ordersPage, k.shop }

func joinOrdersKey(p ordersPage, shop tenancy.ID) ordersKey { return ordersKey{shop, p} }

func (r *Resolver) orderPages(v *identity.Viewer) func(context.Context, ordersPage, []tenancy.ID) (map[tenancy.ID]*ordering.OrderConnection, error) {
	return func(ctx context.Context, p ordersPage, shops []tenancy.ID) (map[tenancy.ID]*ordering.OrderConnection, error) {
		var of []ordering.Status
		for _, s := range strings.Fields(p.statuses) {
			of = append(of, ordering.Status(s))
		}
		return r.Ordering.ListByShop(ctx, v, shops, of, p.first, p.cursor())
	}
}
