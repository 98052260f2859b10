package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/web/guide/guidetest"
)

// The demo signs people in as a production's issuer does: its own server finds the issuer, reads
// its keys and takes its tokens, those of demo.json and those of a sign-in by the page.
func TestDemoSignsIn(t *testing.T) {
	t.Parallel()
	d, data := pgtest.Empty(t, ""), t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	out, problems, ended := &output{}, &output{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--shops", "10", "--orders", "0", "--data", data, "--database-url", d.AdminURL()}, nil, out, problems)
	}()
	t.Cleanup(func() { stop(); <-ended })
	var file demo.File
	for range 6000 { // two minutes
		if text, err := os.ReadFile(filepath.Join(data, "demo.json")); err == nil {
			if err := json.Unmarshal(text, &file); err != nil {
				t.Fatal(err)
			}
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if file.URL == "" {
		t.Fatalf("it does not start: %s%s", out, problems)
	}
	ask := func(token string) string {
		t.Helper()
		status, body := get(t, file.GraphQL+"?query="+url.QueryEscape("{ viewer { kind name } }"), "Authorization", "Bearer "+token)
		if status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
		return body
	}
	for who, kind := range map[string]string{"customer": "CUSTOMER", "merchant": "MERCHANT", "agent": "AGENT", "hotline": "HOTLINE", "analyst": "ANALYST", "admin": "ADMIN"} {
		if body := ask(file.Tokens[who]); !strings.Contains(body, `"kind":"`+kind+`"`) {
			t.Errorf("%s: %s", who, body)
		}
	}

	issuer := file.URL + "dev-issuer"
	if status, body := get(t, issuer+"/.well-known/openid-configuration"); status != http.StatusOK || !strings.Contains(body, `"issuer":"`+issuer+`"`) {
		t.Fatalf("%d %s", status, body)
	}
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	form := url.Values{
		"response_type": {"code"}, "client_id": {"test"}, "redirect_uri": {"http://localhost:1/"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "name": {"Anna Le Goff"},
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path string, form url.Values) (http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.Header, string(body)
	}
	header, body := post("/authorize", form)
	to, err := url.Parse(header.Get("Location"))
	if err != nil || to.Query().Get("code") == "" {
		t.Fatalf("%v %s", header, body)
	}
	_, body = post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "client_id": {"test"}, "redirect_uri": {"http://localhost:1/"}, "code_verifier": {verifier},
	})
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &tokens); err != nil {
		t.Fatal(err)
	}
	if body := ask(tokens.Access); !strings.Contains(body, `"kind":"CUSTOMER"`) || !strings.Contains(body, "Anna Le Goff") {
		t.Errorf("somebody new: %s", body)
	}

	t.Run("Guide", func(t *testing.T) {
		if n := guidetest.Run(t, strings.TrimSuffix(file.URL, "/"), file.Tokens); n < 15 {
			t.Errorf("%d examples of the guide ran", n)
		}
	})
}

func TestDemoRefusesProduction(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	code, _, stderr := halles(t, []string{"HALLES_ENV=production"}, "demo", "--data", data)
	if code != 2 || !strings.Contains(stderr, "HALLES_ENV is production") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("something was made all the same")
	}
}
