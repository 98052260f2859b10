// Package graph is the edge: it serves the schema of *.graphqls. A resolver takes the viewer,
// makes one call to a feature and returns what came; relations come from loaders.go.
package graph

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/privacy"
	"github.com/audelor/halles/internal/tenancy"
)

// Resolver answers the schema's fields. Each type's resolvers hold the Features and not the Resolver, whose
// methods, one a type, would all be made for each of them twice again: 7,000 functions of the 10,500 here.
type Resolver Features

// Features are what the schema is made of.
type Features struct {
	Communes    *tenancy.Register
	Directory   *directory.Directory
	Catalog     *catalog.Catalog
	Ordering    *ordering.Ordering
	Feed        *ordering.Feed
	Guests      *identity.Guests
	Keys        *identity.WidgetKeys
	Audit       *identity.Audit
	Members     *identity.Members
	Delegations *identity.Delegations
	Settings    *identity.Settings
	Intake      *intake.Intake
	Media       *media.Media
	Insight     *insight.Insight
	Privacy     *privacy.Privacy
	Wait        time.Duration // loaders gather keys this long: loader.Wait, longer in tests that count statements

	Registrations *directory.Registrations
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
		return found(load(ctx).other().variant.Load(ctx, id))
	case tenancy.KindOrder:
		return found(load(ctx).other().orders.as(identity.From(ctx)).order.Load(ctx, id))
	case tenancy.KindRegistration:
		return found(r.Registrations.ByID(ctx, identity.From(ctx), id))
	case tenancy.KindWidgetKey:
		return found(r.Keys.ByID(ctx, identity.From(ctx), id))
	}
	return nil, id.NotFound()
}

// maxNodes bounds nodes, as page.MaxFirst bounds a page.
const maxNodes = 100

// nodes finds several things, side by side so that they share a batch; those that cannot be
// had are nil, each with an error at its own place.
func (r *Resolver) nodes(ctx context.Context, ids []*tenancy.ID) ([]tenancy.Node, error) {
	if len(ids) > maxNodes {
		return nil, fault.At([]string{"ids"}, "%d identifiants d'un coup ; %d au plus.", len(ids), maxNodes)
	}
	nodes := make([]tenancy.Node, len(ids))
	var wait sync.WaitGroup
	for i, id := range ids {
		wait.Go(func() {
			var err error
			if nodes[i], err = r.node(ctx, *id); err != nil {
				graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(i)), err)
			}
		})
	}
	wait.Wait()
	return nodes, nil
}

// found keeps a nil pointer from becoming a Node that is not nil.
func found[T tenancy.Node](n T, err error) (tenancy.Node, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}
