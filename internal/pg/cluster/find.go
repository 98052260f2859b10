// Package cluster finds or fetches Postgres and runs a private cluster of it: the demo's and
// the tests'. It stands on the floor because both need it.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// Oldest is the oldest major version that serves: its initdb knows ICU locales.
const Oldest = 15

// Binaries is an installation of Postgres.
type Binaries struct {
	Dir   string // holds initdb and postgres
	Major int
}

// ErrNone says that no installation was found at all.
var ErrNone = errors.New("no Postgres on this machine")

// places are the folders in which packages put the programs, beside PATH.
func places() []string {
	patterns := []string{
		"/usr/lib/postgresql/*/bin",                              // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                       // PGDG on Red Hat
		"/usr/libexec/postgresql*",                               // Alpine
		"/usr/local/opt/postgresql@*/bin",                        // Homebrew on Intel
		"/opt/homebrew/opt/postgresql@*/bin",                     // Homebrew on Apple silicon
		"/Applications/Postgres.app/Contents/Versions/*/bin",     // Postgres.app
		`C:\Program Files\PostgreSQL\*\bin`,                      // EDB's installer
		"/usr/local/pgsql/bin", "/usr/local/bin", "/opt/pgsql/*", // from source
	}
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, p := range patterns {
		found, _ := filepath.Glob(p) // the patterns are well-formed
		dirs = append(dirs, found...)
	}
	return dirs
}

// Find returns the newest local installation. ErrNone when there is none; an error that names
// what was found when all are too old.
func Find(ctx context.Context) (Binaries, error) { return findIn(ctx, places()) }

func findIn(ctx context.Context, dirs []string) (Binaries, error) {
	var best Binaries
	seen, old := map[string]bool{}, ""
	for _, dir := range dirs {
		// PATH may hold links to the real folder, which also has share/ beside it.
		program, err := filepath.EvalSymlinks(filepath.Join(dir, executable("postgres")))
		if err != nil || seen[program] {
			continue
		}
		seen[program] = true
		b := Binaries{Dir: filepath.Dir(program)}
		if b.Major, err = major(ctx, program); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(b.Dir, executable("initdb"))); err != nil {
			continue
		}
		if b.Major < Oldest {
			old = fmt.Sprintf("%d in %s", b.Major, b.Dir)
		} else if b.Major > best.Major {
			best = b
		}
	}
	switch {
	case best.Major > 0:
		return best, nil
	case old != "":
		return best, fmt.Errorf("Postgres %s is too old: install version %d or later", old, Oldest)
	}
	return best, ErrNone
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

var version = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// major asks pg_ctl, which is installed beside it and of the same version: postgres has forty
// libraries to load first. What `pg_ctl --version` prints stands in the program as it is, and to read
// it takes a tenth of a millisecond where to run it takes twenty; who does not find it runs it.
func major(ctx context.Context, postgres string) (int, error) {
	if ctl := filepath.Join(filepath.Dir(postgres), executable("pg_ctl")); isFile(ctl) {
		postgres = ctl
		if m := inside(ctl); m > 0 {
			return m, nil
		}
	}
	out, err := exec.CommandContext(ctx, postgres, "--version").Output()
	if err != nil {
		return 0, err
	}
	m := version.FindStringSubmatch(strings.TrimSpace(string(out)))
	if m == nil {
		return 0, fmt.Errorf("%s --version says %q", postgres, out)
	}
	return strconv.Atoi(m[1])
}

// ownVersion is what pg_ctl says of itself, with the end of its line.
var ownVersion = regexp.MustCompile(`\x00pg_ctl \(PostgreSQL\) (\d+)[^\x00\n]*\n?\x00`)

// inside reads the major version from the program itself, or 0. A program says one version: where
// several stand in it, none is believed.
func inside(ctl string) int {
	const much = 4 << 20 // ten times a pg_ctl: what is larger is something else
	if info, err := os.Stat(ctl); err != nil || info.Size() > much {
		return 0
	}
	program, err := os.ReadFile(ctl)
	if err != nil {
		return 0
	}
	found := ownVersion.FindAllSubmatch(program, 2)
	if len(found) != 1 {
		return 0
	}
	m, _ := strconv.Atoi(string(found[0][1])) // digits
	return m
}
