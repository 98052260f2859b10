// Package widget holds what the sites of communes load to show their shops: a script with French in
// it, and a file for each further language. They are made from src by `go generate`; nobody edits
// dist.
package widget

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

//go:generate go run -tags bundle ./bundle

// dist is what the sources make. released keeps what pages may have pinned, a folder for each
// version: `go run -tags bundle ./bundle -release` in this folder puts dist there, and nothing ever
// leaves it.
//
//go:embed dist released
var made embed.FS

// Script is the name of the file that pages load.
const Script = "halles.js"

// File is what a browser may load.
type File struct {
	Body      []byte
	Zipped    []byte // by gzip, as small as it gets: it is made once, and sent often
	MediaType string
	Integrity string // "sha384-…", for the attribute of that name
}

// Release is one version of the widget.
type Release struct {
	Version string           // made of the bytes of its files: other bytes, another version
	Files   map[string]*File // by name
}

// Releases are the versions that are served.
type Releases struct {
	Current *Release   // what v1 is
	Pinned  *Release   // the last that was released: its address and its bytes are for good
	Kept    []*Release // all that were, the first first
	byName  map[string]*Release
}

// Find is the version that an address names, or nil.
func (r *Releases) Find(version string) *Release { return r.byName[version] }

// All reads the versions that the program was built with.
func All() (*Releases, error) {
	current, err := read("dist")
	if err != nil {
		return nil, err
	}
	r := &Releases{Current: current, byName: map[string]*Release{"v1": current, current.Version: current}}
	folders, err := made.ReadDir("released")
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		pinned, err := read("released/" + folder.Name())
		if err != nil {
			return nil, err
		}
		date, version, _ := strings.Cut(folder.Name(), "_") // sorted by their dates
		if pinned.Version != version || date == "" {
			return nil, fmt.Errorf("the widget's release %s was changed: its bytes are %s", folder.Name(), pinned.Version)
		}
		r.byName[version], r.Pinned, r.Kept = pinned, pinned, append(r.Kept, pinned)
	}
	return r, nil
}

func read(folder string) (*Release, error) {
	r := &Release{Files: map[string]*File{}}
	sum := sha256.New()
	err := fs.WalkDir(made, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := made.ReadFile(name)
		fmt.Fprintf(sum, "%s %d\n", path.Base(name), len(body))
		sum.Write(body)
		digest := sha512.Sum384(body)
		var zipped bytes.Buffer
		zip, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		_, _ = zip.Write(body)
		_ = zip.Close()
		r.Files[path.Base(name)] = &File{body, zipped.Bytes(), mime.TypeByExtension(path.Ext(name)), "sha384-" + base64.StdEncoding.EncodeToString(digest[:])}
		return err
	})
	r.Version = hex.EncodeToString(sum.Sum(nil))[:12]
	if err == nil && r.Files[Script] == nil {
		err = fmt.Errorf("the widget has no %s in %s: run go generate ./internal/web/widget", Script, folder)
	}
	return r, err
}
