package widget_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/audelor/halles/graph/documents"
	"github.com/audelor/halles/internal/web/widget"
)

// What a page loads stays small: the script with French, and each further language.
func TestBudget(t *testing.T) {
	t.Parallel()
	all, err := widget.All()
	if err != nil {
		t.Fatal(err)
	}
	r := all.Current
	if len(r.Files) != 3 {
		t.Errorf("%d files, not the script, Breton and English", len(r.Files))
	}
	for name, f := range r.Files {
		budget := 2 << 10
		if name == widget.Script {
			budget = 15 << 10
		}
		t.Logf("%s: %d bytes, %d zipped of %d", name, len(f.Body), len(f.Zipped), budget)
		if len(f.Zipped) > budget {
			t.Errorf("%s is %d bytes zipped; the budget is %d", name, len(f.Zipped), budget)
		}
	}
}

// A script, that of an earlier release too, asks by hashes that are registered for widgets; the
// present one or the last sends each of them, holds languages against what is served, and does nothing that a strict
// policy refuses or that stays in the browser.
func TestScript(t *testing.T) {
	t.Parallel()
	all, err := widget.All()
	if err != nil {
		t.Fatal(err)
	}
	names := sends(t, all.Current)
	for _, kept := range all.Kept { // a page may have pinned any of them
		maps.Copy(names, sends(t, kept))
	}
	for _, d := range documents.All() {
		if d.Audience == "widget" && !names[d.Name] && d.Name != "WidgetCategories" { // for those who write their own
			t.Errorf("nothing sends %s", d.Name)
		}
	}
	if all.Pinned == nil || all.Find(all.Pinned.Version) != all.Pinned || all.Find("v1") != all.Current || all.Find("v2") != nil {
		t.Error("the releases are not found by their versions")
	}
	script, texts := string(all.Current.Files[widget.Script].Body), 0
	for name, f := range all.Current.Files {
		if name == widget.Script {
			continue
		}
		sum := sha256.Sum256(f.Body)
		if !strings.Contains(script, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the script holds %s against something else", name)
		}
		var list []string
		if err := json.Unmarshal(f.Body, &list); err != nil {
			t.Fatal(err)
		}
		if texts != 0 && texts != len(list) {
			t.Errorf("%s has %d texts, another %d", name, len(list), texts)
		}
		texts = len(list)
	}
	for _, never := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "localStorage", "sessionStorage", "indexedDB", "document.cookie", ".style.", "<style", "document.write"} {
		if strings.Contains(script, never) {
			t.Errorf("the script has %s", never)
		}
	}
}

// sends are the documents that a release asks by.
func sends(t *testing.T, r *widget.Release) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, hash := range regexp.MustCompile(`"([0-9a-f]{16}|[0-9a-f]{64})"`).FindAllStringSubmatch(string(r.Files[widget.Script].Body), -1) {
		if d := documents.ByHash(hash[1]); d == nil || d.Audience != "widget" {
			t.Errorf("%s sends %s, which is no document of the widget's", r.Version, hash[1])
		} else {
			names[d.Name] = true
		}
	}
	return names
}
