package ordering

import (
	"crypto/rand"
	"math/big"
)

// draw makes a word of n letters of an alphabet, each with the same chance.
func draw(alphabet string, n int) string {
	word := make([]byte, n)
	for i := range word {
		k, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet)))) // never fails (crypto/rand)
		word[i] = alphabet[k.Int64()]
	}
	return string(word)
}

// newNumber is an order's number: 8 of Crockford's letters, which survive the telephone and
// handwriting. Random, since consecutive numbers would tell a rival how many orders there are.
func newNumber() string { return draw("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 8) }

// newCode is a pickup code: three consonants, then three digits. No vowels, so that it spells
// no word, and none of the letters that are taken for a digit or for each other: B, I, O, Q, S, Z.
func newCode() string { return draw("CDFGHJKLMNPRTVWX", 3) + draw("0123456789", 3) }
