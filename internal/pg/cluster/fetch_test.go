package cluster

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// repository serves the local Postgres as the public one serves its builds: a jar that holds a
// .txz, and beside it its SHA-256.
func repository(t *testing.T, corrupt bool) (url string, downloads *atomic.Int32) {
	t.Helper()
	if _, err := exec.LookPath("xz"); err != nil {
		t.Skip("needs the command xz to pack an archive")
	}
	local, err := Find(t.Context())
	if err != nil {
		t.Skip("needs a local Postgres to pack:", err)
	}
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	// What initdb needs beside the programs; Debian keeps share/ elsewhere, where it finds it.
	for _, name := range []string{"bin/initdb", "bin/postgres", "bin/pg_ctl", "lib/dict_snowball.so", "lib/plpgsql.so", "share"} {
		pack(t, archive, filepath.Dir(local.Dir), name)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	compress := exec.CommandContext(t.Context(), "xz", "-0", "--stdout")
	compress.Stdin = &packed
	txz, err := compress.Output()
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "postgres-linux-x86_64.txz", Method: zip.Store})
	if err == nil {
		_, err = w.Write(txz)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(jar.Bytes()))
	downloads = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.URL.Path, "/io/zonky/test/postgres/embedded-postgres-binaries-") || !strings.Contains(r.URL.Path, "/"+string(fetched)+"/"):
			http.NotFound(w, r)
		case strings.HasSuffix(r.URL.Path, ".jar.sha256"):
			_, _ = io.WriteString(w, sum)
		case strings.HasSuffix(r.URL.Path, ".jar"):
			downloads.Add(1)
			content := bytes.Clone(jar.Bytes())
			if corrupt {
				content[len(content)/2] ^= 1
			}
			_, _ = w.Write(content)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, downloads
}

// pack adds a file or a folder to the archive, where it exists.
func pack(t *testing.T, archive *tar.Writer, root, name string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // what is not there is not packed
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inside, _ := filepath.Rel(root, path) // path is below root
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: inside, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Three programs that start together on a machine without Postgres download it once, and what
// they got makes a cluster and serves.
func TestFetchedPostgresServes(t *testing.T) {
	t.Parallel()
	url, downloads := repository(t, false)
	dir := filepath.Dir(open(t))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := Fetch(t.Context(), Source{Dir: dir, Repository: url, Progress: io.Discard}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b, err := Fetch(t.Context(), Source{Dir: dir, Repository: "http://127.0.0.1:1", Progress: io.Discard})
	if err != nil {
		t.Fatal("the second time needs no network:", err)
	}
	if n := downloads.Load(); n != 1 {
		t.Errorf("%d downloads", n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "download-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	c, err := Start(t.Context(), Options{Dir: filepath.Join(dir, "data"), Binaries: b})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if got := query(t, c, "select 'served'"); got != "served" {
		t.Errorf("read %q", got)
	}
}

func TestFetchFails(t *testing.T) {
	t.Parallel()
	t.Run("WithoutNetwork", func(t *testing.T) {
		t.Parallel()
		_, err := Fetch(t.Context(), Source{Dir: t.TempDir(), Repository: "http://127.0.0.1:1", Progress: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "install Postgres 15 or later, or set HALLES_DATABASE_URL") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("OnACorruptDownload", func(t *testing.T) {
		t.Parallel()
		url, _ := repository(t, true)
		dir := t.TempDir()
		_, err := Fetch(t.Context(), Source{Dir: dir, Repository: url, Progress: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "checksums do not match") {
			t.Errorf("got %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "postgres-*")); len(left) > 0 {
			t.Errorf("kept %v", left)
		}
	})
}
