// Package guidetest runs the guide's examples against a server, as they are shown.
package guidetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/web/guide"
)

// Run asks the server at url each GraphQL example in turn, with the tokens by role, that of the
// federation's router among them, and fails the test where an answer is not what it must be. It
// returns how many it ran.
func Run(t *testing.T, url string, tokens map[string]string) (ran int) {
	t.Helper()
	examples, err := guide.Examples()
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]gjson.Result{}
	find := func(take guide.Take) (any, error) {
		v := answers[take.Key].Get(take.Path)
		if !v.Exists() || v.Type == gjson.Null {
			return nil, fmt.Errorf("%s is not in the answer to %s: %s", take.Path, take.Key, answers[take.Key])
		}
		return v.Value(), nil
	}
	for _, e := range examples {
		if e.Language != "graphql" {
			continue
		}
		variables, err := e.With(find)
		if err != nil {
			t.Errorf("%s: %v", e.Key, err)
			continue
		}
		headers := map[string]string{}
		switch {
		case e.Bearer.Key != "":
			token, err := find(e.Bearer)
			if err != nil {
				t.Errorf("%s: %v", e.Key, err)
				continue
			}
			headers["Authorization"] = "Bearer " + token.(string)
		case e.As == "router":
			headers["X-Halles-Router"] = tokens["router"]
		case e.As != "visitor":
			if tokens[e.As] == "" {
				t.Errorf("%s asks as %q, who has no token", e.Key, e.As)
			}
			headers["Authorization"] = "Bearer " + tokens[e.As]
		}
		body, err := json.Marshal(map[string]any{"query": e.Text, "variables": variables})
		if err != nil {
			t.Fatal(err)
		}
		answer := ask(t, url+"/graphql", body, headers, strings.HasPrefix(e.Text, "subscription"))
		answers[e.Key] = answer.Get("data")
		ran++
		if code := answer.Get("errors.0.extensions.code").String(); code != e.Error {
			t.Errorf("%s: the code is %q, not %q: %s", e.Key, code, e.Error, answer)
		}
		for at, want := range e.Expect {
			if got := answer.Get("data." + at).String(); got != want {
				t.Errorf("%s: %s is %q, not %q: %s", e.Key, at, got, want, answer)
			}
		}
	}
	return ran
}

// ask sends a request and reads its answer; of a subscription the first event.
func ask(t *testing.T, url string, body []byte, headers map[string]string, follows bool) gjson.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if follows {
		r.Header.Set("Accept", "text/event-stream")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if follows {
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				return gjson.Parse(data)
			}
		}
		t.Fatal("no event")
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return gjson.ParseBytes(raw)
}
