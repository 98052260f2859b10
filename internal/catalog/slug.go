package catalog

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxSlug bounds a name in web addresses, in bytes.
const maxSlug = 80

// slug is a name for web addresses: "L'Épicerie n° 3" is "l-epicerie-n-3"; "produit" where no
// letter is left.
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
	return "produit"
}

// free is the slug, with a number behind it when it is taken.
func free(slug string, taken []string) string {
	is := make(map[string]bool, len(taken))
	for _, t := range taken {
		is[t] = true
	}
	s := slug
	for n := 2; is[s]; n++ {
		s = fmt.Sprintf("%s-%d", slug, n)
	}
	return s
}
