package migrations

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"testing"
)

// UpTo is Up as far as a step.
var UpTo = upTo

// Exceptions are the tables without the tenants' locks, and why.
func Exceptions() (names []string, reasons map[string]string) {
	reasons = map[string]string{}
	for name, e := range exceptions {
		reasons[name] = e.reason
	}
	return slices.Sorted(maps.Keys(exceptions)), reasons
}

// CheckWithout is Check with one exception less.
func CheckWithout(ctx context.Context, db querier, name string) ([]Finding, error) {
	fewer := maps.Clone(exceptions)
	delete(fewer, name)
	return check(ctx, db, fewer)
}

// Sources are the steps by file name.
func Sources(t testing.TB) map[string]string {
	t.Helper()
	sources := map[string]string{}
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		sources[path] = string(text)
		return err
	})
	if err != nil || len(sources) == 0 {
		t.Fatalf("read %d steps: %v", len(sources), err)
	}
	return sources
}
