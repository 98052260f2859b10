// Package graph is the edge: it serves the schema of *.graphqls. A resolver takes the viewer,
// makes one call to a feature and returns what came; relations come from loaders.go.
package graph

import (
	"context"
	"time"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/tenancy"
)

// Resolver holds the features that the schema is made of.
type Resolver struct {
	Communes  *tenancy.Register
	Directory *directory.Directory
	Catalog   *catalog.Catalog
	Wait      time.Duration // loaders gather keys this long: loader.Wait, longer in tests that count statements
}

// node finds anything that has a global ID.
func (r *Resolver) node(ctx context.Context, id tenancy.ID) (tenancy.Node, error) {
	switch id.Kind {
	case tenancy.KindCommune:
		return found(r.Communes.ByInsee(ctx, id.Commune))
	case tenancy.KindCategory:
		return found(r.Catalog.Category(ctx, id.Name))
	case tenancy.KindShop:
		return found(load(ctx).shop.Load(ctx, id))
	case tenancy.KindProduct:
		return found(load(ctx).product.Load(ctx, id))
	case tenancy.KindVariant:
		return found(load(ctx).variant.Load(ctx, id))
	}
	return nil, id.NotFound()
}

// found keeps a nil pointer from becoming a Node that is not nil.
func found[T tenancy.Node](n T, err error) (tenancy.Node, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}
