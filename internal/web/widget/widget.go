// Package widget holds what the sites of communes load to show their shops: a script with French in
// it, and a file for each further language. They are made from src by `go generate`; nobody edits
// dist.
package widget

import (
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"path"
)

//go:generate go run -tags bundle ./bundle

//go:embed dist
var dist embed.FS

// Script is the name of the file that pages load.
const Script = "halles.js"

// File is what a browser may load.
type File struct {
	Body      []byte
	MediaType string
	Integrity string // "sha384-…", for the attribute of that name
}

// Release is one version of the widget.
type Release struct {
	Version string           // made of the bytes of its files: other bytes, another version
	Files   map[string]*File // by name
}

// Current is the version that this program was built with.
func Current() (*Release, error) {
	r := &Release{Files: map[string]*File{}}
	sum := sha256.New()
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := dist.ReadFile(name)
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
		digest := sha512.Sum384(body)
		r.Files[path.Base(name)] = &File{body, mime.TypeByExtension(path.Ext(name)), "sha384-" + base64.StdEncoding.EncodeToString(digest[:])}
		return err
	})
	r.Version = hex.EncodeToString(sum.Sum(nil))[:12]
	if err == nil && r.Files[Script] == nil {
		err = fmt.Errorf("the widget has no %s: run go generate ./internal/web/widget", Script)
	}
	return r, err
}
