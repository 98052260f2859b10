// Package page serves lists that grow: Relay connections read by keyset, never by offset.
//
// A cursor is the sort key of a row, sealed. Sealed means three things: a forged or altered
// cursor is refused; a cursor of one list is refused by another; and what it holds cannot be
// read, so that the cursors of an event feed tell nobody's volume.
package page

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/audelor/halles/internal/fault"
)

// MaxFirst bounds a page: what a reader can use, and what one statement should return.
const MaxFirst = 100

// Info is GraphQL's PageInfo.
type Info struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Ends is the info with the cursors of the first and the last of a page's n edges: sealed when they
// are asked for, which most readers do not.
func (i Info) Ends(n int, cursor func(at int) string) Info {
	if n > 0 {
		i.StartCursor, i.EndCursor = new(cursor(0)), new(cursor(n-1))
	}
	return i
}

// CheckFirst refuses a page size outside 1 to MaxFirst.
func CheckFirst(first int) error {
	if first < 1 || first > MaxFirst {
		return fault.At([]string{"first"}, "first vaut %d ; demandez de 1 à %d éléments, puis la suite avec after.", first, MaxFirst)
	}
	return nil
}

// Sealer seals and opens cursors.
type Sealer struct {
	aead  cipher.AEAD
	nonce []byte
}

// NewSealer derives its keys from a secret of the deployment, of 32 bytes or more. All
// processes of a deployment share it: a cursor of one must open at another.
func NewSealer(secret []byte) *Sealer {
	block, err := aes.NewCipher(derive(secret, "halles cursor key"))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has GCM's block size
	}
	return &Sealer{aead: aead, nonce: derive(secret, "halles cursor nonce")}
}

func derive(secret []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// Seal makes the cursor of a position in a list. The list's name holds whatever changes the
// meaning of a position: field, order, parent. The nonce is drawn from the content (RFC 5297's
// idea): the same row keeps the same cursor, so that answers can be cached and compared.
func (s *Sealer) Seal(list string, position any) string {
	plain, err := json.Marshal(position)
	if err != nil {
		panic(err) // positions are structs of ours
	}
	mac := hmac.New(sha256.New, s.nonce)
	mac.Write([]byte(list))
	mac.Write([]byte{0})
	mac.Write(plain)
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, []byte(list)))
}

// Open reads a cursor into position, or says INVALID: forged, cut off, or of another list.
func (s *Sealer) Open(list, cursor string, position any) error {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if size := s.aead.NonceSize(); err == nil && len(raw) > size {
		if plain, err := s.aead.Open(nil, raw[:size], raw[size:], []byte(list)); err == nil {
			return json.Unmarshal(plain, position)
		}
	}
	return fault.At([]string{"after"}, "Ce curseur n'appartient pas à cette liste. Reprenez sans after, avec les mêmes filtre et tri.")
}
