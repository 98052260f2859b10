// Package scalar reads and writes the schema's own scalars, strictly: a number is a number
// and not its text, and a value out of range is refused, never cut.
package scalar

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/money"
)

// integer reads a whole number of at most bits bits.
func integer(v any, bits int) (int64, error) {
	var n int64
	var err error
	switch v := v.(type) {
	case int64:
		n = v
	case int:
		n = int64(v)
	case json.Number:
		if n, err = strconv.ParseInt(v.String(), 10, 64); err != nil {
			// 3.0 is the integer 3 in JSON's eyes and in GraphQL's (spec, 3.5.1).
			f, floatErr := v.Float64()
			if floatErr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
				return 0, fault.Errorf(fault.Invalid, "%s n'est pas un entier de %d bits.", v, bits)
			}
			n = int64(f)
		}
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return 0, fault.Errorf(fault.Invalid, "%v n'est pas un entier de %d bits.", v, bits)
		}
		n = int64(v)
	default:
		return 0, fault.Errorf(fault.Invalid, "Il faut un nombre entier, sans guillemets.")
	}
	if bits == 32 && (n > math.MaxInt32 || n < math.MinInt32) {
		return 0, fault.Errorf(fault.Invalid, "%d ne tient pas dans un entier de 32 bits.", n)
	}
	return n, nil
}

// MarshalInt writes an Int.
func MarshalInt(n int) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Itoa(n)) })
}

// UnmarshalInt reads an Int: 32 bits, and a number (spec, 3.5.1).
func UnmarshalInt(v any) (int, error) {
	n, err := integer(v, 32)
	return int(n), err
}

// MarshalWhole writes a whole number of any size.
func MarshalWhole(n int) graphql.Marshaler { return MarshalInt(n) }

// UnmarshalWhole reads a whole number of 64 bits.
func UnmarshalWhole(v any) (int, error) {
	n, err := integer(v, 64)
	return int(n), err
}

// MarshalFloat writes a Float.
func MarshalFloat(f float64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatFloat(f, 'g', -1, 64)) })
}

// UnmarshalFloat reads a Float: a number that is finite, never "NaN" (spec, 3.5.2).
func UnmarshalFloat(v any) (f float64, err error) {
	switch v := v.(type) {
	case float64:
		f = v
	case int:
		f = float64(v)
	case int64:
		f = float64(v)
	case json.Number:
		f, err = v.Float64()
	default:
		return 0, fault.Errorf(fault.Invalid, "Il faut un nombre, sans guillemets.")
	}
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fault.Errorf(fault.Invalid, "Ce nombre est trop grand pour un Float de 64 bits.")
	}
	return f, nil
}

// MarshalCents writes an amount.
func MarshalCents(c money.Cents) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(int64(c), 10)) })
}

// UnmarshalCents reads an amount.
func UnmarshalCents(v any) (money.Cents, error) {
	n, err := integer(v, 64)
	return money.Cents(n), err
}

// MarshalBasisPoints writes a rate.
func MarshalBasisPoints(r money.BasisPoints) graphql.Marshaler { return MarshalInt(int(r)) }

// UnmarshalBasisPoints reads a rate.
func UnmarshalBasisPoints(v any) (money.BasisPoints, error) {
	n, err := integer(v, 32)
	return money.BasisPoints(n), err
}

// MarshalDateTime writes an instant in UTC, to the millisecond.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		fmt.Fprintf(w, `"%s"`, t.UTC().Format("2006-01-02T15:04:05.999Z07:00"))
	})
}

// UnmarshalDateTime reads an instant of RFC 3339.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	if !ok || err != nil {
		return time.Time{}, fault.Errorf(fault.Invalid, "Il faut un instant RFC 3339, comme 2020-10-30T08:00:00Z.")
	}
	return t.UTC(), nil
}

// MarshalText writes a text.
func MarshalText(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalText reads a scalar that is a text and nothing else: gqlgen's own takes numbers too,
// and for a list has an error that is not for people.
func UnmarshalText(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fault.Errorf(fault.Invalid, "Il faut un texte, entre guillemets.")
	}
	return s, nil
}

// MarshalDate writes a day.
func MarshalDate(d calendar.Date) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { fmt.Fprintf(w, "%q", d.String()) })
}

// UnmarshalDate reads a day of ISO 8601.
func UnmarshalDate(v any) (d calendar.Date, err error) {
	s, ok := v.(string)
	if !ok || d.UnmarshalText([]byte(s)) != nil {
		return 0, fault.Errorf(fault.Invalid, "Il faut une date, comme 2020-10-30.")
	}
	return d, nil
}

// MarshalMonth writes a month.
func MarshalMonth(m insight.Month) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { fmt.Fprintf(w, "%q", m.String()) })
}

// UnmarshalMonth reads a month, as in ISO 8601's dates.
func UnmarshalMonth(v any) (insight.Month, error) {
	s, ok := v.(string)
	m, err := insight.ParseMonth(s)
	if !ok || err != nil {
		return 0, fault.Errorf(fault.Invalid, "Il faut un mois, comme 2026-10.")
	}
	return m, nil
}

// MarshalJSON writes what encodes itself as JSON.
func MarshalJSON(v any) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // plain data
		}
		_, _ = w.Write(text)
	})
}

// UnmarshalJSON refuses: nothing takes any JSON.
func UnmarshalJSON(any) (any, error) {
	return nil, fault.Errorf(fault.Invalid, "Ce champ ne se donne pas.")
}
