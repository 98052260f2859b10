package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxSlug bounds a slug: longer ones break in mails.
const maxSlug = 60

// slug is a shop's name as part of a web address: "L'Échoppe d'Œuvres" is "l-echoppe-d-oeuvres". A
// name in another script is "boutique".
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(strings.NewReplacer("œ", "oe", "Œ", "oe", "æ", "ae", "Æ", "ae").Replace(name))) {
		switch {
		case b.Len() == maxSlug:
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if s := strings.TrimSuffix(b.String(), "-"); s != "" {
		return s
	}
	return "boutique"
}

// free is the slug, with a number behind it when it is taken.
func free(slug string, taken []string) string {
	s := slug
	for n := 2; slices.Contains(taken, s); n++ {
		s = fmt.Sprintf("%s-%d", slug, n)
	}
	return s
}
