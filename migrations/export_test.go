package migrations

import (
	"io/fs"
	"testing"
)

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
