//go:build bundle

// Bundle makes what browsers load of the widget from its sources: the script with French, the style
// sheet and the documents' hashes in it, and a file for each further language. `go generate` runs
// it; the tag keeps esbuild out of every other build.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/audelor/halles/graph/documents"
)

func main() {
	release := flag.Bool("release", false, "also keep what was made as a version that pages may pin")
	flag.Parse()
	err := run()
	if err == nil && *release {
		err = keep()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run() error {
	sources, err := readSources()
	if err != nil {
		return err
	}
	languages, err := readLanguages(sources)
	if err != nil {
		return err
	}
	asked := hashes(sources)
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"src/main.ts"}, Outfile: "dist/halles.js", Bundle: true, Write: true,
		Format: api.FormatIIFE, Target: api.ES2022, Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LogLevel: api.LogLevelWarning,
		MangleProps: "^(" + strings.Join(own, "|") + ")$",
		TsconfigRaw: `{"compilerOptions": {"useDefineForClassFields": false}}`, // shorter
		Plugins: []api.Plugin{
			made("documents", asked.hashes), made("words", map[string]any{"codes": languages.codes, "french": languages.french, "integrity": languages.integrity}),
			{Name: "sources", Setup: func(b api.PluginBuild) { load(b, languages.number, asked.number) }},
			{Name: "css", Setup: minifyStyle},
		},
	})
	if len(result.Errors) > 0 {
		return errors.New("the sources do not build")
	}
	return nil
}

// own are names of our own members, which neither the API nor the browser has: they are shortened.
var own = []string{
	"asked", "bar", "bare", "changed", "count", "diagnose", "ends", "foot", "guest", "heading", "host", "land",
	"level", "links", "list", "listeners", "live", "locales", "main", "onBasket", "onChange", "onOrders",
	"onSlow", "plural", "post", "price_", "put", "root", "said", "send", "sentence", "small", "tell", "trouble",
	"turn", "view", "watch", "ways", "when",
}

// keep copies what was made to where nothing is changed any more, under its date and version: the
// hash of its files that package widget serves it by.
func keep() error {
	files, err := filepath.Glob("dist/*") // sorted
	if err != nil {
		return err
	}
	sum := sha256.New()
	bodies := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.Base(file), len(body))
		sum.Write(body)
		bodies[filepath.Base(file)] = body
	}
	day, version := time.Now().Format(time.DateOnly), hex.EncodeToString(sum.Sum(nil))[:12]
	if kept, err := filepath.Glob("released/*_" + version); err != nil || len(kept) > 0 {
		return err // it is one already
	}
	same, err := filepath.Glob("released/" + day + "*")
	if err != nil {
		return err
	}
	if n := len(same); n > 0 { // the second of a day is b, which sorts behind the first
		day += string(rune('a' + n))
	}
	folder := filepath.Join("released", day+"_"+version)
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // published
		return err
	}
	for name, body := range bodies {
		if err := os.WriteFile(filepath.Join(folder, name), body, 0o644); err != nil { //nolint:gosec // published
			return err
		}
	}
	return nil
}

func readSources() (map[string]string, error) {
	files, err := filepath.Glob("src/*.ts")
	if err != nil {
		return nil, err
	}
	sources := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sources[filepath.Base(file)] = string(text)
	}
	return sources, nil
}

// asking is what the sources ask: they name a document, and what is shipped has its number.
type asking struct {
	hashes  []string
	numbers map[string]int
}

var document = regexp.MustCompile(`"(Widget\w+)"`)

func hashes(sources map[string]string) *asking {
	a := &asking{numbers: map[string]int{}}
	all := strings.Join(slices.Collect(maps.Values(sources)), "\n")
	for _, d := range documents.All() {
		if d.Audience == "widget" && strings.Contains(all, `"`+d.Name+`"`) {
			a.numbers[d.Name] = len(a.hashes)
			a.hashes = append(a.hashes, d.Short())
		}
	}
	return a
}

// number puts numbers in the place of the names of documents; where they are types, nothing of
// them is shipped.
func (a *asking) number(text string) string {
	return document.ReplaceAllStringFunc(text, func(name string) string {
		if n, there := a.numbers[strings.Trim(name, `"`)]; there {
			return strconv.Itoa(n)
		}
		return name
	})
}

// languages are lists of texts, all in one order. The sources name a text, t("found"); what is
// shipped has its number, and names for those only that are made of a code at run time.
type languages struct {
	codes     []string // the first names of the order
	numbers   map[string]int
	french    []string
	integrity map[string]string // by language, of the files
}

var named = regexp.MustCompile(`\bt\("([\w-]+)"`)

func readLanguages(sources map[string]string) (*languages, error) {
	french, err := read("src/lang/fr.json")
	if err != nil {
		return nil, err
	}
	literal := map[string]bool{}
	for file, text := range sources {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if french[m[1]] == "" {
				return nil, fmt.Errorf("%s names the text %s, which is none", file, m[1])
			}
			literal[m[1]] = true
		}
	}
	l := &languages{numbers: map[string]int{}, integrity: map[string]string{}}
	var rest []string
	for name := range french {
		code := 'A' <= name[0] && name[0] <= 'Z' // of the API's, though a source may name it too
		if literal[name] && !code {
			rest = append(rest, name)
		} else {
			l.codes = append(l.codes, name)
		}
	}
	slices.Sort(l.codes)
	slices.Sort(rest)
	order := slices.Concat(l.codes, rest)
	for i, name := range order {
		l.numbers[name] = i
		l.french = append(l.french, french[name])
	}
	files, err := filepath.Glob("src/lang/*.json")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == "fr" { // in the script
			continue
		}
		if l.integrity[name], err = write(name, file, order, french); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return l, nil
}

// write makes the file of a language, and returns what browsers hold it against.
func write(name, file string, order []string, french map[string]string) (integrity string, err error) {
	words, err := read(file)
	if err != nil {
		return "", err
	}
	if err := sameNames(french, words); err != nil {
		return "", err
	}
	var texts []string
	for _, name := range order {
		texts = append(texts, words[name])
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(texts); err != nil {
		return "", err
	}
	sum := sha256.Sum256(body.Bytes())
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), os.WriteFile("dist/"+name+".json", body.Bytes(), 0o644) //nolint:gosec // published
}

func read(file string) (words map[string]string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &words); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return words, nil
}

func sameNames(french, other map[string]string) error {
	var wrong []string
	for name := range french {
		if other[name] == "" {
			wrong = append(wrong, name+" is missing")
		}
	}
	for name := range other {
		if french[name] == "" {
			wrong = append(wrong, name+" is none of the French")
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, ", "))
	}
	return nil
}

// number puts numbers in the place of the names of texts.
func (l *languages) number(text string) string {
	return named.ReplaceAllStringFunc(text, func(call string) string {
		return "t(" + strconv.Itoa(l.numbers[named.FindStringSubmatch(call)[1]])
	})
}

// load reads the sources as the functions change them.
func load(b api.PluginBuild, change ...func(string) string) {
	b.OnLoad(api.OnLoadOptions{Filter: `\.ts$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := os.ReadFile(args.Path)
		body := string(text)
		for _, f := range change {
			body = f(body)
		}
		return api.OnLoadResult{Contents: &body, Loader: api.LoaderTS}, err
	})
}

// made is a module that is made here.
func made(name string, value any) api.Plugin {
	return api.Plugin{Name: name, Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: "^" + name + "$"}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: name, Namespace: name}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: name}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			text, err := json.Marshal(value)
			body := string(text)
			return api.OnLoadResult{Contents: &body, Loader: api.LoaderJSON}, err
		})
	}}
}

func minifyStyle(b api.PluginBuild) {
	b.OnLoad(api.OnLoadOptions{Filter: `\.css$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		style := api.Transform(string(text), api.TransformOptions{Loader: api.LoaderCSS, MinifyWhitespace: true, MinifySyntax: true, Charset: api.CharsetUTF8})
		body := string(style.Code)
		return api.OnLoadResult{Contents: &body, Loader: api.LoaderText, Errors: style.Errors}, nil
	})
}
