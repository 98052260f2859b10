package widget_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/internal/web/widget"
)

// What a page loads stays small: the script with French, and each further language.
func TestBudget(t *testing.T) {
	t.Parallel()
	r, err := widget.Current()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Files) != 3 {
		t.Errorf("%d files, not the script, Breton and English", len(r.Files))
	}
	for name, f := range r.Files {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped) // as servers do it, at the usual level
		_, _ = w.Write(f.Body)
		_ = w.Close()
		budget := 2 << 10
		if name == widget.Script {
			budget = 15 << 10
		}
		t.Logf("%s: %d bytes, %d zipped of %d", name, len(f.Body), zipped.Len(), budget)
		if zipped.Len() > budget {
			t.Errorf("%s is %d bytes zipped; the budget is %d", name, zipped.Len(), budget)
		}
	}
}

// The script asks by hashes that are registered for widgets, holds languages against what is
// served, and does nothing that a strict policy refuses or that stays in the browser.
func TestScript(t *testing.T) {
	t.Parallel()
	r, err := widget.Current()
	if err != nil {
		t.Fatal(err)
	}
	script := string(r.Files[widget.Script].Body)
	names := map[string]bool{}
	for _, hash := range regexp.MustCompile(`\b[0-9a-f]{64}\b`).FindAllString(script, -1) {
		d := documents.ByHash(hash)
		if d == nil || d.Audience != "widget" {
			t.Errorf("%s is no document of the widget's: run go generate ./internal/web/widget", hash)
			continue
		}
		names[d.Name] = true
	}
	for _, d := range documents.All() {
		if d.Audience == "widget" && !names[d.Name] && d.Name != "WidgetCategories" { // for those who write their own
			t.Errorf("nothing sends %s", d.Name)
		}
	}
	var french int
	for name, f := range r.Files {
		if name == widget.Script {
			continue
		}
		sum := sha256.Sum256(f.Body)
		if !strings.Contains(script, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the script holds %s against something else", name)
		}
		var texts []string
		if err := json.Unmarshal(f.Body, &texts); err != nil {
			t.Fatal(err)
		}
		if french != 0 && french != len(texts) {
			t.Errorf("%s has %d texts, another %d", name, len(texts), french)
		}
		french = len(texts)
	}
	for _, never := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "localStorage", "sessionStorage", "indexedDB", "document.cookie", ".style.", "<style", "document.write"} {
		if strings.Contains(script, never) {
			t.Errorf("the script has %s", never)
		}
	}
}
