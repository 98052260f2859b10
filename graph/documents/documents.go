// Package documents holds the operations of our own clients: the widget's and the shared
// storefront's. A client names one by the hash of its text, so that a query is a short address
// that caches may keep; a server may be set to answer an audience nothing else.
//
// A file is one operation and bears its name. Its text is what is hashed, to the byte: whoever
// changes a file makes another document, and keeps the old one in its place, under another name,
// for as long as pages in use send it.
package documents

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
)

//go:embed widget/*.graphql spa/*.graphql
var files embed.FS

// Document is a registered operation.
type Document struct {
	Audience string // "widget": the folder, and an audience of the schema's
	Name     string // "WidgetShops": the operation and the file
	Kind     string // "query", "mutation" or "subscription"
	Text     string
	Hash     string // sha256 of the text, in hex: what requests send
}

var (
	list   = read()
	byHash = map[string]*Document{}
	byText = map[string]*Document{}
)

func init() {
	for i := range list {
		d := &list[i]
		if byHash[d.Short()] != nil {
			panic("two documents have one short hash: " + d.Name) // the files are in the program, and read when it starts: every test would fail
		}
		byHash[d.Hash], byHash[d.Short()], byText[d.Text] = d, d, d
	}
}

func read() (list []Document) {
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		sum := sha256.Sum256(text)
		list = append(list, Document{
			Audience: path.Dir(name), Name: strings.TrimSuffix(path.Base(name), ".graphql"), Kind: kind(string(text)),
			Text: string(text), Hash: hex.EncodeToString(sum[:]),
		})
		return err
	})
	if err != nil {
		panic(err) // the files are in the program
	}
	return list
}

// kind is the keyword that the document begins with, behind its comments.
func kind(text string) string {
	for line := range strings.Lines(text) {
		if word, _, _ := strings.Cut(line, " "); word != "#" {
			return word
		}
	}
	return ""
}

// Short is the beginning of the hash: it names the document too, in scripts that count their bytes.
// 64 bits tell a hundred texts of our own apart, and nobody else has one here.
func (d *Document) Short() string { return d.Hash[:16] }

// All lists the documents by audience and name.
func All() []Document { return list }

// ByHash is the document with the hash, whole or short, or nil.
func ByHash(hash string) *Document { return byHash[hash] }

// ByText is the document with exactly this text, or nil.
func ByText(text string) *Document { return byText[text] }

// Manifest lists the documents of an audience, or of all for "", in the form that Apollo's
// clients and routers read.
func Manifest(audience string) []byte {
	type operation struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
		Body string `json:"body"`
	}
	manifest := struct {
		Format     string      `json:"format"`
		Version    int         `json:"version"`
		Operations []operation `json:"operations"`
	}{"apollo-persisted-query-manifest", 1, []operation{}}
	for _, d := range list {
		if audience == "" || audience == d.Audience {
			manifest.Operations = append(manifest.Operations, operation{d.Hash, d.Name, d.Kind, d.Text})
		}
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		panic(err) // texts only
	}
	return append(text, '\n')
}
