package directory_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
)

func TestSiretVectors(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/siret_vectors.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	vectors, err := csv.NewReader(f).ReadAll()
	if err != nil || len(vectors) < 10 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors[1:] {
		got := directory.Siret(v[0]).Valid()
		if v[1] == "siren" {
			got = directory.Siren(v[0]).Valid()
		}
		if want := v[2] == "true"; got != want {
			t.Errorf("%s %s is valid: %t, want %t (%s)", v[1], v[0], got, want, v[3])
		}
	}
}

func TestSiretAsWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"73282932000074", "732 829 320 00074", "732\u202f829\u202f320 00074", " 732.829.320-00074 "} {
		if s, ok := directory.ParseSiret(text); !ok || s != "73282932000074" || s.Siren() != "732829320" {
			t.Errorf("%q is read as %q, %t", text, s, ok)
		}
	}
	for _, v := range []any{"73282932000075", "", "732829320", "７3282932000074", 73282932000074, nil, "00000000000000"} {
		var s directory.Siret
		if err := s.UnmarshalGQL(v); fault.Of(err) == nil || fault.Of(err).Kind != fault.Invalid {
			t.Errorf("%v is taken for a SIRET: %v", v, err)
		}
	}
}

// One wrong digit never passes, nor two neighbours that changed places but for 0 and 9, which
// Luhn's sum does not tell apart. Of La Poste's numbers this is not so: their sum forgives both.
func TestSiretSlips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{13}`).Draw(t, "body")
		if strings.HasPrefix(body, "356000000") {
			t.Skip()
		}
		var s directory.Siret
		for check := range 10 {
			if s = directory.Siret(body + string(rune('0'+check))); s.Valid() {
				break
			}
		}
		if !s.Valid() {
			if strings.Trim(body, "0") != "" {
				t.Fatalf("no check digit for %s", body)
			}
			t.Skip()
		}
		at, add := rapid.IntRange(0, 13).Draw(t, "at"), rapid.IntRange(1, 9).Draw(t, "add")
		slip := []byte(s)
		slip[at] = '0' + (slip[at]-'0'+byte(add))%10
		if slipped := directory.Siret(slip); slipped.Siren() != "356000000" && slipped.Valid() {
			t.Errorf("%s and %s are both valid", s, slip)
		}
		if at < 13 {
			swap := []byte(s)
			swap[at], swap[at+1] = swap[at+1], swap[at]
			pair := string(swap[at : at+2])
			if swapped := directory.Siret(swap); swapped != s && pair != "09" && pair != "90" && swapped.Siren() != "356000000" && swapped.Valid() {
				t.Errorf("%s and %s are both valid", s, swap)
			}
		}
	})
}
