package scalar

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/tenancy"
)

// The functions below append what the Marshal functions write, for graph/direct.

const hex = "0123456789ABCDEF"

// AppendText appends a text as gqlgen quotes it.
func AppendText[S ~string](b []byte, text S) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(text) { // bytes
		c := text[i]
		if c >= 0x20 && c != '\\' && c != '"' {
			continue
		}
		b = append(b, text[start:i]...)
		switch start = i + 1; c {
		case '\t':
			b = append(b, `\t`...)
		case '\r':
			b = append(b, `\r`...)
		case '\n':
			b = append(b, `\n`...)
		case '\\', '"':
			b = append(b, '\\', c)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(b, text[start:]...), '"')
}

// AppendID appends an ID.
func AppendID(b []byte, id tenancy.ID) []byte {
	if id.Kind == tenancy.KindCategory {
		return strconv.AppendQuote(b, id.String()) // its name is the database's
	}
	return append(id.AppendTo(append(b, '"')), '"')
}

// AppendInt appends an Int.
func AppendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendCents appends an amount.
func AppendCents(b []byte, c money.Cents) []byte { return strconv.AppendInt(b, int64(c), 10) }

// AppendBasisPoints appends a rate.
func AppendBasisPoints(b []byte, r money.BasisPoints) []byte {
	return strconv.AppendInt(b, int64(r), 10)
}

// AppendFloat appends a Float.
func AppendFloat(b []byte, f float64) []byte { return strconv.AppendFloat(b, f, 'g', -1, 64) }

// AppendBool appends a Boolean.
func AppendBool(b []byte, is bool) []byte { return strconv.AppendBool(b, is) }

// AppendDateTime appends an instant in UTC, to the millisecond.
func AppendDateTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), "2006-01-02T15:04:05.999Z07:00"), '"')
}

// AppendDate appends a day.
func AppendDate(b []byte, d calendar.Date) []byte { return strconv.AppendQuote(b, d.String()) }

// AppendQuoted appends a text that Go quotes, as MarshalGQL of some types has it.
func AppendQuoted[S ~string](b []byte, text S) []byte {
	return strconv.AppendQuote(b, string(text))
}

// AppendEach appends a list.
func AppendEach[V any](b []byte, list []V, put func([]byte, V) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = put(b, v)
	}
	return append(b, ']')
}

// AppendJSON appends what encodes itself as JSON.
func AppendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	return append(b, text...)
}
