package migrations_test

import (
	"io/fs"
	"os"
	"testing"
)

// sources are the steps by file name.
func sources(t testing.TB) map[string]string {
	t.Helper()
	sources, files := map[string]string{}, os.DirFS(".")
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("read %d steps: %v", len(names), err)
	}
	for _, path := range names {
		text, err := fs.ReadFile(files, path)
		if err != nil {
			t.Fatal(err)
		}
		sources[path] = string(text)
	}
	return sources
}
