package tenancy_test

import (
	"strings"
	"testing"

	"github.com/audelor/halles/internal/tenancy"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"L'Échoppe d'Œuvres n° 3": "l-echoppe-d-oeuvres-n-3",
		"  Kouign-amann !  ":      "kouign-amann",
		"متجر":                    "boutique",
		"":                        "boutique",
		strings.Repeat("é", 200):  strings.Repeat("e", 80),
	} {
		if got := tenancy.Slug(name, "boutique"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := tenancy.FreeSlug("a", []string{"a", "a-2"}); got != "a-3" {
		t.Errorf("the third is %q", got)
	}
}
