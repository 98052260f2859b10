package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// A file is sent, tried, imported and undone over the API.
func TestImportOverTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	bearer := []string{"Authorization", "Bearer " + s.merchant}
	send := func(path, body, kind string, headers ...string) answer {
		return s.do(http.MethodPost, path, body, append([]string{"Content-Type", kind}, headers...)...)
	}
	const file = "Référence;Nom;Prix TTC;TVA;Stock\nGAL-1;Galette complète;8,50 €;10 %;20\n"
	sent := send("/import?commune=lorient&name=cr%C3%AApes.csv", file, "text/csv", bearer...)
	sent.wants(t, http.StatusCreated, `"name":"crêpes.csv"`)
	upload := gjson.Get(sent.body, "id").String()
	run := func(dry bool) gjson.Result {
		t.Helper()
		a := s.ask(fmt.Sprintf(`mutation { importProducts(input: {upload: %q, dryRun: %t}) { refusals { code } import {
			id status fileName lineCount createdCount changedCount unchangedCount issueCount issues { line column message }
			changes(first: 10) { nodes { line kind state label fields { name before after } } pageInfo { hasNextPage } } } } }`, upload, dry), bearer...)
		a.wants(t, http.StatusOK, `"issueCount":0`)
		return gjson.Get(a.body, "data.importProducts.import")
	}
	tried := run(true)
	if tried.Get("status").String() != "CHECKED" || tried.Get("createdCount").Int() != 1 || tried.Get("changes.nodes.0.fields.#(name=prix).after").String() != "8,50\u00a0€" {
		t.Errorf("tried: %s", tried)
	}
	if n := pgtest.Scan[int](t, s.db, `select count(*) from variants where sku = 'GAL-1'`); n != 0 {
		t.Error("a dry run made an article")
	}
	done := run(false)
	if done.Get("status").String() != "APPLIED" || done.Get("changes.nodes.0.fields").String() != tried.Get("changes.nodes.0.fields").String() {
		t.Errorf("imported: %s", done)
	}
	if n := pgtest.Scan[string](t, s.db, `select stock || ' ' || price_cents from variants where sku = 'GAL-1'`); n != "20 850" {
		t.Errorf("stock and price %s", n)
	}
	s.ask(fmt.Sprintf(`mutation { undoImport(input: {import: %q}) { import { status leftCount } refusals { code } } }`, done.Get("id")), bearer...).
		wants(t, http.StatusOK, `"status":"UNDONE","leftCount":0`)
	s.ask(fmt.Sprintf(`mutation { undoImport(input: {import: %q}) { import { status } refusals { code message path } } }`, done.Get("id")), bearer...).
		wants(t, http.StatusOK, `"code":"IMPORT_NOT_APPLIED"`)
	s.ask(fmt.Sprintf(`{ import(id: %q) { status kind createdAt finishedAt doneCount commune { slug } } }`, done.Get("id")), bearer...).
		wants(t, http.StatusOK, `"status":"UNDONE","kind":"PRODUCTS"`)

	// A commune's agent does so with shops.
	subject, _ := fixture.Account(t, s.db, identity.Agent, tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient})
	agent := []string{"Authorization", "Bearer " + sign(t, subject, time.Hour)}
	template := s.do(http.MethodGet, "/import/boutiques.csv", "").body
	sent = send("/import?commune=lorient&name=boutiques.csv", template, "text/csv", agent...)
	sent.wants(t, http.StatusCreated, `"name":"boutiques.csv"`)
	for _, run := range [][2]string{{"true", "CHECKED"}, {"false", "APPLIED"}} {
		dry, status := run[0], run[1]
		s.ask(fmt.Sprintf(`mutation { importShops(input: {upload: %q, dryRun: %s}) { refusals { code } import { status kind createdCount issueCount } } }`, gjson.Get(sent.body, "id"), dry), agent...).
			wants(t, http.StatusOK, fmt.Sprintf(`"status":%q,"kind":"SHOPS","createdCount":1,"issueCount":0`, status))
	}

	customer, _ := fixture.Account(t, s.db, identity.Customer)
	for name, c := range map[string]struct {
		a      answer
		status int
		want   string
	}{
		"Nobody":         {send("/import?commune=lorient", file, "text/csv"), http.StatusUnauthorized, "Connectez-vous"},
		"ACustomer":      {send("/import?commune=lorient", file, "text/csv", "Authorization", "Bearer "+sign(t, customer, time.Hour)), http.StatusForbidden, ""},
		"AForm":          {send("/import?commune=lorient", file, "application/x-www-form-urlencoded", bearer...), http.StatusUnsupportedMediaType, "text/csv"},
		"AFormWithAFile": {send("/import?commune=lorient", file, "multipart/form-data; boundary=x", bearer...), http.StatusUnsupportedMediaType, ""},
		"PlainText":      {send("/import?commune=lorient", file, "text/plain", bearer...), http.StatusUnsupportedMediaType, ""},
		"NoCommune":      {send("/import", file, "text/csv", bearer...), http.StatusBadRequest, "commune"},
		"NoSuchCommune":  {send("/import?commune=nulle-part", file, "text/csv", bearer...), http.StatusNotFound, ""},
		"Elsewhere":      {send("/import?commune=groix", file, "text/csv", bearer...), http.StatusForbidden, ""},
		"NothingInIt":    {send("/import?commune=lorient", "", "text/csv", bearer...), http.StatusBadRequest, "vide"},
		"TooBig":         {send("/import?commune=lorient", strings.Repeat("x", intake.MaxUpload+1), "text/csv", bearer...), http.StatusRequestEntityTooLarge, "50 Mio"},
	} {
		t.Run(name, func(t *testing.T) { c.a.wants(t, c.status, c.want) })
	}
	if n := pgtest.Scan[int](t, s.db, `select count(*) from uploads`); n != 2 {
		t.Errorf("%d files are kept", n)
	}
	s.do(http.MethodGet, "/import/produits.csv", "").wants(t, http.StatusOK, "reference;boutique;produit;nom")
}
