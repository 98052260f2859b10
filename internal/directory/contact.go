package directory

import (
	"net/mail"
	"regexp"
	"strings"
)

var (
	international = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	french        = regexp.MustCompile(`^0[1-9][0-9]{8}$`)
	separators    = strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "", "\u00a0", "", "\u202f", "")
)

// Phone reads a telephone number as people write it and returns E.164. A number of ten digits
// is French.
func Phone(text string) (e164 string, ok bool) {
	s := strings.Replace(separators.Replace(text), "+330", "+33", 1) // +33 (0)6 …
	if strings.HasPrefix(s, "00") {
		s = "+" + s[2:]
	}
	if french.MatchString(s) {
		s = "+33" + s[1:]
	}
	return s, international.MatchString(s) && (!strings.HasPrefix(s, "+33") || len(s) == 12)
}

// Email looks at the form of an address only: one mailbox of a domain with a dot, at most 254
// bytes (RFC 5321).
func Email(text string) (ok bool) {
	parsed, err := mail.ParseAddress(text)
	_, domain, _ := strings.Cut(text, "@")
	return err == nil && parsed.Address == text && len(text) <= 254 && strings.Contains(domain, ".") && !strings.ContainsAny(text, "\"\r\n")
}
