package bench

import (
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// What the limit writes its answers with.

// text appends a string of JSON: as is but for what must be escaped.
func text(b, s []byte) []byte {
	b = append(b, '"')
	from := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}

// The binary forms of Postgres.
func int8of(v []byte) int64           { return int64(binary.BigEndian.Uint64(v)) }
func int4of(v []byte) int64           { return int64(int32(binary.BigEndian.Uint32(v))) }
func int2of(v []byte) int64           { return int64(int16(binary.BigEndian.Uint16(v))) }
func number(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// texts appends a text[] as a list of strings.
func texts(b, v []byte) []byte {
	b = append(b, '[')
	if int4of(v) > 0 { // dimensions
		n := int4of(v[12:])
		v = v[20:]
		for i := range n {
			if i > 0 {
				b = append(b, ',')
			}
			size := int4of(v)
			b, v = text(b, v[4:4+size]), v[4+size:]
		}
	}
	return append(b, ']')
}

var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// id appends a global ID of a row: "shop_56121_…", of a kind that ends in _.
func id(b []byte, kind string, commune, row []byte) []byte {
	b = append(append(append(append(b, '"'), kind...), commune...), '_')
	b = alphabet.AppendEncode(b, row)
	return append(b, '"')
}

// euros appends an amount as French shops write it.
func euros(b []byte, cents int64) []byte {
	whole := strconv.AppendInt(nil, cents/100, 10)
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b = utf8.AppendRune(b, '\u202f')
		}
		b = append(b, d)
	}
	return append(append(b, ',', byte('0'+cents%100/10), byte('0'+cents%10)), "\u00a0€"...)
}
