package money_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/audelor/halles/internal/money"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for c, want := range map[money.Cents]string{
		0: "0,00\u00a0€", 5: "0,05\u00a0€", 1230: "12,30\u00a0€", -99: "-0,99\u00a0€",
		123450: "1\u202f234,50\u00a0€", 100000000: "1\u202f000\u202f000,00\u00a0€",
	} {
		if got := c.Format(); got != want {
			t.Errorf("%d: got %q, want %q", int64(c), got, want)
		}
	}
}

// The same sandwich is 5.5 % to take home and 10 % to eat now: two groups, each rounded once.
func TestTheSameSandwichUnderTwoRates(t *testing.T) {
	t.Parallel()
	got := money.Split([]money.Line{{550, 550}, {550, 1000}, {550, 550}})
	want := []money.VAT{{1000, 50, 550}, {550, 57, 1100}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestNoCentIsLostAndEachGroupIsRoundedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rates := []money.BasisPoints{2000, 1000, 550, 210, 0}
		var lines []money.Line
		var sum money.Cents
		for range rapid.IntRange(0, 100).Draw(t, "lines") {
			l := money.Line{
				Cents: money.Cents(rapid.Int64Range(0, 1_000_000_00).Draw(t, "cents")),
				Rate:  rapid.SampledFrom(rates).Draw(t, "rate"),
			}
			lines, sum = append(lines, l), sum+l.Cents
		}
		var gross money.Cents
		for _, g := range money.Split(lines) {
			gross += g.Gross
			// |tax·(1+r) − gross·r| ≤ half a cent·(1+r), in exact arithmetic.
			exact := big.NewRat(int64(g.Gross)*int64(g.Rate), 10000+int64(g.Rate))
			diff := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(g.Cents)), exact)
			if diff.Abs(diff).Cmp(big.NewRat(1, 2)) > 0 {
				t.Fatalf("rate %d: tax %d of %d is off by %s", g.Rate, g.Cents, g.Gross, diff.FloatString(4))
			}
		}
		if gross != sum {
			t.Fatalf("groups add up to %d, lines to %d", gross, sum)
		}
	})
}
