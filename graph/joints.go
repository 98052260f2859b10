package graph

import (
	"context"
	"runtime"

	"github.com/audelor/halles/graph/loader"
	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/tenancy"
)

// joints are the look-ups that responses to visitors do together: those that most questions ask for. Who
// has rights of his own, be it a widget's key, has none of them.
type joints struct{ whole, short *jointLoaders }

// jointLoaders are them for a form of shops, see direct.Short.
type jointLoaders struct {
	shop, shopSelling *jointByID[*directory.Shop]
	shopsOf           *loader.Joint[shopsKey, map[shopsKey]*directory.ShopConnection]
	product           *jointByID[*catalog.Product]
	productsOf        *loader.Joint[productsKey, map[productsKey]*catalog.ProductConnection]
	variantsOf        *jointByID[[]*catalog.Variant]
	wholes            [4]*loader.Joint[tenancy.ID, *catalog.Whole] // by what is read beside products
}

type jointByID[V any] = loader.Joint[tenancy.ID, map[tenancy.ID]V]

// apart is nobody's.
var apart = &jointLoaders{}

// newJoints are for one server; nil where nobody tells which contexts are apart.
func newJoints(apart func(context.Context) bool) *joints {
	if apart == nil {
		return nil
	}
	return &joints{whole: newJointLoaders(apart), short: newJointLoaders(apart)}
}

func newJointLoaders(apart func(context.Context) bool) *jointLoaders {
	// With as many under way as there are processors, more would wait for these.
	n := runtime.GOMAXPROCS(0)
	j := &jointLoaders{
		shop:        loader.NewJoint[tenancy.ID, map[tenancy.ID]*directory.Shop](n, apart),
		shopSelling: loader.NewJoint[tenancy.ID, map[tenancy.ID]*directory.Shop](n, apart),
		shopsOf:     loader.NewJoint[shopsKey, map[shopsKey]*directory.ShopConnection](n, apart),
		product:     loader.NewJoint[tenancy.ID, map[tenancy.ID]*catalog.Product](n, apart),
		productsOf:  loader.NewJoint[productsKey, map[productsKey]*catalog.ProductConnection](n, apart),
		variantsOf:  loader.NewJoint[tenancy.ID, map[tenancy.ID][]*catalog.Variant](n, apart),
	}
	for i := range j.wholes {
		j.wholes[i] = loader.NewJoint[tenancy.ID, *catalog.Whole](n, apart)
	}
	return j
}

// of are those for a form of shops.
func (j *joints) of(short bool) *jointLoaders {
	switch {
	case j == nil:
		return apart
	case short:
		return j.short
	}
	return j.whole
}

// wholesWith is for products with their shops, their variants, or both.
func (j *jointLoaders) wholesWith(shops, variants bool) *loader.Joint[tenancy.ID, *catalog.Whole] {
	i := 0
	if shops {
		i |= 1
	}
	if variants {
		i |= 2
	}
	return j.wholes[i]
}
