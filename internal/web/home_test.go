package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/web"
)

// consoleData is what the page hands to its script.
type consoleData struct {
	Examples []web.Example
	Tokens   []web.DemoToken
}

func (s *site) console() (page string, data consoleData) {
	s.t.Helper()
	a := s.do(http.MethodGet, "/", "")
	a.wants(s.t, 200)
	m := regexp.MustCompile(`(?s)<script type="application/json" id="console-data">(.*?)</script>`).FindStringSubmatch(a.body)
	if m == nil {
		s.t.Fatalf("no data for the script: %s", a.body)
	}
	if err := json.Unmarshal([]byte(m[1]), &data); err != nil {
		s.t.Fatal(err)
	}
	return a.body, data
}

func TestHomeSaysWhatRuns(t *testing.T) {
	t.Parallel()
	s := start(t)
	fixture.Shop(t, s.db, fixture.ShopOpts{Name: "Brouillon", Status: "DRAFT"})
	page, data := s.console()
	for _, part := range []string{`<html lang="fr">`, `<strong id="communes">25</strong>`, `<strong id="shops">1</strong>`, `<strong id="products">1</strong>`, "/graphiql", "/schema.graphql", "démonstration"} {
		if !strings.Contains(page, part) {
			t.Errorf("no %q in the page", part)
		}
	}
	if len(data.Tokens) != 2 || data.Tokens[0].Token != "" || data.Tokens[1].Token != s.merchant {
		t.Errorf("token menu: %+v", data.Tokens)
	}
	// What the policy forbids would fail without a word.
	if regexp.MustCompile(`(?i)\son[a-z]+=|<style|\sstyle=|<script>|https?://`).MatchString(page) {
		t.Error("the page has an inline script or style, or loads from elsewhere")
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/[^"]*)"`).FindAllStringSubmatch(page, -1) {
		a := s.do(http.MethodGet, html.UnescapeString(m[1]), "")
		a.wants(t, 200)
		if strings.HasPrefix(m[1], "/assets/") && !strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s is not kept: %v", m[1], a.Header)
		}
	}
}

// TestExamplesRun runs every example as the page would: as its role, with what it takes from
// the answers before it.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, data := s.console()
	if len(data.Examples) < 8 {
		t.Fatalf("%d examples", len(data.Examples))
	}
	tokens := map[string]string{}
	for _, token := range data.Tokens {
		tokens[token.Role] = token.Token
	}
	answers := map[string]any{}
	for _, e := range data.Examples {
		if e.Variables == nil {
			e.Variables = map[string]any{}
		}
		for _, take := range e.Take {
			value := at(answers[take.Example], take.Path)
			if value == nil {
				t.Errorf("%s takes %s of %s, which is not there", e.Key, take.Path, take.Example)
			}
			put(e.Variables, take.Variable, value)
		}
		for _, variable := range e.Fresh {
			put(e.Variables, variable, rand.Text())
		}
		body, err := json.Marshal(map[string]any{"query": e.Query, "variables": e.Variables})
		if err != nil {
			t.Fatal(err)
		}
		headers := []string{"Content-Type", "application/json"}
		if e.Bearer != nil {
			session, _ := at(answers[e.Bearer.Example], e.Bearer.Path).(string)
			headers = append(headers, "Authorization", "Bearer "+session)
		} else if token, ok := tokens[e.Role]; !ok {
			t.Errorf("%s asks as %q, whom the menu does not have", e.Key, e.Role)
		} else if token != "" {
			headers = append(headers, "Authorization", "Bearer "+token)
		}
		if strings.HasPrefix(e.Query, "subscription") {
			answers[e.Key] = s.firstEvent(string(body), headers...)
			continue
		}
		a := s.do(http.MethodPost, "/graphql", string(body), headers...)
		a.wants(t, 200)
		var response struct {
			Data   any
			Errors any
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(a.body)))
		if err := decoder.Decode(&response); err != nil || response.Errors != nil || response.Data == nil {
			t.Errorf("%s: %s\n%s", e.Key, a.body, s.log)
		}
		answers[e.Key] = response.Data
	}
	if got := at(answers["chercher"], "search.edges.0.node.name"); got != "Crêpes de froment" {
		t.Errorf("the search found %v", got)
	}
	if got := at(answers["relire"], "node.name"); got != "Crêperie du Port" {
		t.Errorf("the id taken over led to %v", got)
	}
	for key, want := range map[string]string{"accepter": "ACCEPTED", "prete": "READY", "retirer": "COLLECTED"} {
		for field := range answers[key].(map[string]any) {
			if got := at(answers[key], field+".order.status"); got != want {
				t.Errorf("%s leaves the order %v: %v", key, got, answers[key])
			}
		}
	}
	if got := at(answers["direct"], "orderUpdated.status"); got != "PLACED" {
		t.Errorf("the live order is %v", got)
	}
	if got := at(answers["suivi"], "order.nextActions.0"); got == nil {
		t.Errorf("the guest may do nothing to its new order: %v", answers["suivi"])
	}
	if got := at(answers["comptoir"], "viewer.shops.0.products.nodes.0.variants.0.stock"); got != 7.0 {
		t.Errorf("the merchant sees a stock of %v", got)
	}
}

// firstEvent is the data of the first event of a subscription.
func (s *site) firstEvent(body string, headers ...string) any {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/graphql", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Header.Set("Accept", "text/event-stream")
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var event struct{ Data any }
			if err := json.Unmarshal([]byte(data), &event); err != nil || event.Data == nil {
				s.t.Fatalf("%v in %s", err, data)
			}
			return event.Data
		}
	}
	s.t.Fatalf("no event: %v", lines.Err())
	return nil
}

func at(v any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			if step != "0" || len(node) == 0 {
				return nil
			}
			v = node[0]
		default:
			return nil
		}
	}
	return v
}

func put(variables map[string]any, path string, v any) {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		variables[head] = v
		return
	}
	if _, ok := variables[head].(map[string]any); !ok {
		variables[head] = map[string]any{}
	}
	put(variables[head].(map[string]any), rest, v)
}

func TestHomeOfAnEmptyProduction(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	s := bare(t, d)
	page, data := s.console()
	if strings.Contains(page, "démonstration") || len(data.Tokens) != 1 {
		t.Errorf("a production shows a demonstration: %+v", data.Tokens)
	}
	for _, e := range data.Examples {
		if e.Role != "" || e.Key == "produit" {
			t.Errorf("%s cannot run here", e.Key)
		}
	}
}
