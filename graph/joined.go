package graph

import (
	"context"
	"slices"

	"github.com/audelor/halles/graph/direct"
	"github.com/audelor/halles/graph/loader"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/tenancy"
)

// joined has products read in one statement with their shops and their variants, where a document that
// names them asks for these too. Who may see which of them is looked at as ever, one by one.
func joined(ctx context.Context, asked []direct.Fetcher) []direct.Fetcher {
	if len(asked) < 2 {
		return asked
	}
	l := load(ctx)
	products := l.product.Asked()
	if len(products) == 0 {
		return asked
	}
	w := &wholeProducts{loaders: l, shops: slices.Equal(products, l.shopSelling.Asked()), variants: slices.Equal(products, l.variantsOf.Asked())}
	if !w.shops && !w.variants {
		return asked
	}
	return append(slices.DeleteFunc(asked, w.replaces), w)
}

// wholeProducts reads what loaders were asked for of the same products.
type wholeProducts struct {
	*loaders
	shops, variants bool
}

func (w *wholeProducts) replaces(f direct.Fetcher) bool {
	return f == direct.Fetcher(w.product) || w.shops && f == direct.Fetcher(w.shopSelling) || w.variants && f == direct.Fetcher(w.variantsOf)
}

// Fetch reads it. Where that fails each is read by itself, so that what one of them finds is shown, but
// for a fault that each would meet.
func (w *wholeProducts) Fetch(ctx context.Context) {
	found, err := w.with(ctx, w.product.Asked(), w.shops, w.variants)
	if err != nil && fault.Of(err) == nil {
		w.product.Fetch(ctx)
		if w.shops {
			w.shopSelling.Fetch(ctx)
		}
		if w.variants {
			w.variantsOf.Fetch(ctx)
		}
		return
	}
	if found == nil {
		found = &catalog.Whole{}
	}
	w.product.FetchBy(ctx, just(found.Products, err))
	if w.shops {
		w.shopSelling.FetchBy(ctx, knownTo(w.shop, just(found.Shops, err)))
	}
	if w.variants {
		w.variantsOf.FetchBy(ctx, just(found.Variants, err))
	}
}

// just is a look-up that has been done.
func just[V any](found map[tenancy.ID]V, err error) loader.Fetch[tenancy.ID, V] {
	return func(context.Context, []tenancy.ID) (map[tenancy.ID]V, error) { return found, err }
}
