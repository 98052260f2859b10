package pgtest_test

import (
	"slices"
	"testing"

	"github.com/audelor/halles/internal/pg"
)

// A scope is narrowed to communes that it has, each of them once: the list is sorted for each key that
// a statement looks up.
func TestScopeNamesACommuneOnce(t *testing.T) {
	t.Parallel()
	all := pg.Scope{Communes: []string{"56007", "56069", "56121"}}
	for _, one := range []struct{ named, kept []string }{
		{[]string{"56121", "56121", "56069", "56121"}, []string{"56121", "56069"}},
		{[]string{"29232", "56007", "29232"}, []string{"56007"}},
		{[]string{"29232"}, nil},
		{nil, nil},
	} {
		if kept := all.In(one.named...).Communes; !slices.Equal(kept, one.kept) {
			t.Errorf("of %v it keeps %v, want %v", one.named, kept, one.kept)
		}
	}
}
