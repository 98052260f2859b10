package main

import (
	"fmt"
	"strconv"
	"strings"
)

// keeping is how much memory answers to visitors may take.
type keeping struct {
	Cache mebibytes `env:"HALLES_CACHE" default:"32MiB" help:"How much memory answers to visitors may take, as 32MiB; or none. They are kept until something published changes, for a second at most after it; a page of shops with products has some 70 KB."`
}

// mebibytes are a number of bytes, written "32MiB" or "none".
type mebibytes int

// UnmarshalText reads it.
func (m *mebibytes) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*m = 0
		return nil
	}
	number, ok := strings.CutSuffix(string(text), "MiB")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > 1<<20 {
		return fmt.Errorf("%q is not an amount of memory: write a number of mebibytes, from 1MiB to 1048576MiB, or none", text)
	}
	*m = mebibytes(n << 20)
	return nil
}

// String writes it as UnmarshalText reads it.
func (m mebibytes) String() string {
	if m == 0 {
		return "none"
	}
	return strconv.Itoa(int(m)>>20) + "MiB"
}
