package directory

import (
	"io"
	"strconv"
	"strings"

	"github.com/audelor/halles/internal/fault"
)

// Siret names an establishment: the SIREN of its enterprise, 9 digits, and its number there, 5.
// One that is well formed may still not exist: that the register tells, and later.
type Siret string // "73282932000074"

// Siren names an enterprise, 9 digits. Statistics count enterprises, not shops.
type Siren string // "732829320"

// La Poste has more establishments than Luhn's check digit leaves numbers for: the digits of
// theirs sum up to a multiple of 5 instead. Its head office came before that.
const (
	laPoste     Siren = "356000000"
	laPosteHead Siret = "35600000000048"
)

// Siren is the enterprise that the establishment belongs to.
func (s Siret) Siren() Siren { return Siren(s[:9]) }

// Valid tells whether s has the form of a SIRET: 14 digits, not all zeros, that pass Luhn's check
// or, for an establishment of La Poste, its own.
func (s Siret) Valid() bool {
	switch {
	case !digits(string(s), 14):
		return false
	case s.Siren() == laPoste && s != laPosteHead:
		return digitSum(string(s))%5 == 0
	}
	return luhn(string(s))
}

// Valid tells whether s has the form of a SIREN: 9 digits that pass Luhn's check and are not all
// zeros.
func (s Siren) Valid() bool { return digits(string(s), 9) && luhn(string(s)) }

// ParseSiret reads a SIRET as people write it: "732 829 320 00074".
func ParseSiret(text string) (Siret, bool) {
	s := Siret(separators.Replace(text))
	return s, s.Valid()
}

// digits tells whether s is n digits that are not all zeros, which would pass every sum.
func digits(s string, n int) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == n && strings.Trim(s, "0") != ""
}

func digitSum(digits string) (n int) {
	for _, c := range []byte(digits) {
		n += int(c - '0')
	}
	return n
}

// luhn doubles every second digit from the right (ISO/IEC 7812-1, annex B).
func luhn(digits string) bool {
	n := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		n += d
	}
	return n%10 == 0
}

// MarshalGQL writes the 14 digits.
func (s Siret) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(s))) }

// UnmarshalGQL reads a SIRET as people write it, or says what is wrong with it.
func (s *Siret) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if ok {
		*s, ok = ParseSiret(text)
	}
	if !ok {
		return fault.Errorf(fault.Invalid, "Ce n'est pas un SIRET : il faut ses 14 chiffres. Relisez-les : un chiffre faux ou deux chiffres échangés suffisent.")
	}
	return nil
}
