package tenancy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxSlug bounds a slug, in bytes: longer addresses break in mails.
const MaxSlug = 80

// Slug is a name as part of a web address: "L'Échoppe d'Œuvres n° 3" is "l-echoppe-d-oeuvres-n-3".
// A name without a Latin letter or a digit is otherwise.
func Slug(name, otherwise string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(strings.NewReplacer("œ", "oe", "Œ", "oe", "æ", "ae", "Æ", "ae").Replace(name))) {
		switch {
		case b.Len() == MaxSlug:
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
	return otherwise
}

// FreeSlug is the slug, with a number behind it when it is among taken.
func FreeSlug(slug string, taken []string) string {
	s := slug
	for n := 2; slices.Contains(taken, s); n++ {
		s = fmt.Sprintf("%s-%d", slug, n)
	}
	return s
}
