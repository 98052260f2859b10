package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// sessionLife is how long an exchanged link is good for; the page exchanges it again.
const sessionLife = 30 * time.Minute

// guestPrefix tells a guest's session from a JWT, which starts with "ey".
const guestPrefix = "hg_"

// Guests lets people follow the orders of one basket without an account.
//
// The secret of a link is 32 random bytes that only its holder has: we keep an HMAC, so that
// whoever reads the database cannot follow a link. The session that it is exchanged for is a
// sealed token; what it opens is read from guest_links again at each request, so that a
// deleted link ends its sessions.
type Guests struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Now      func() time.Time
	pepper   []byte
	session  cipher.AEAD
}

// NewGuests derives its keys from a secret of the deployment, of 32 bytes or more, which all
// of its processes share.
func NewGuests(db *pg.DB, communes *tenancy.Register, secret []byte) *Guests {
	block, err := aes.NewCipher(derive(secret, "halles guest session"))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	session, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has GCM's block size
	}
	return &Guests{DB: db, Communes: communes, Now: time.Now, pepper: derive(secret, "halles guest link"), session: session}
}

func derive(secret []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// NewSecret draws the secret of a link, and the digest to store.
func (g *Guests) NewSecret() (secret string, digest []byte) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	secret = base64.RawURLEncoding.EncodeToString(raw[:])
	return secret, g.digest(secret)
}

func (g *Guests) digest(secret string) []byte {
	mac := hmac.New(sha256.New, g.pepper)
	mac.Write([]byte(secret))
	return mac.Sum(nil)
}

// GuestSession is what a link is exchanged for.
type GuestSession struct {
	Token     string // a bearer token, as a JWT would be
	ExpiresAt time.Time
	Guest     *Viewer // bound to the orders of the link
}

// LinkInput is a link to exchange.
type LinkInput struct {
	Secret string // what follows # in the link
}

// Exchange turns the secret of a link into a session. Wrong, expired and malformed secrets
// take the same way and get the same answer.
func (g *Guests) Exchange(ctx context.Context, in LinkInput) (*GuestSession, error) {
	digest := g.digest(in.Secret)
	v, until, err := g.holder(ctx, digest)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, fault.Errorf(fault.NotFound, "Ce lien n'est pas valable ou n'est plus valable. Reprenez-le en entier dans le message de confirmation.")
	}
	expires := g.Now().Add(sessionLife).UTC().Truncate(time.Second)
	if until.Before(expires) {
		expires = until.UTC()
	}
	nonce := make([]byte, g.session.NonceSize())
	_, _ = rand.Read(nonce)
	plain := binary.BigEndian.AppendUint64(digest, uint64(expires.Unix()))
	token := guestPrefix + base64.RawURLEncoding.EncodeToString(g.session.Seal(nonce, nonce, plain, nil))
	return &GuestSession{Token: token, ExpiresAt: expires, Guest: v}, nil
}

// fromToken is the viewer of a session, and when the session ends.
func (g *Guests) fromToken(ctx context.Context, token string) (*Viewer, time.Time, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, guestPrefix))
	size := g.session.NonceSize()
	var plain []byte
	if err == nil && len(raw) > size {
		plain, err = g.session.Open(nil, raw[:size], raw[size:], nil)
	}
	if err != nil || len(plain) != sha256.Size+8 {
		return nil, time.Time{}, fault.Errorf(fault.Unauthenticated, "Ce jeton n'est pas valable. Ouvrez de nouveau le lien de la commande.")
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(plain[sha256.Size:])), 0)
	if !g.Now().Before(expires) {
		return nil, time.Time{}, errSessionOver
	}
	v, _, err := g.holder(ctx, plain[:sha256.Size])
	if err == nil && v == nil {
		err = errSessionOver
	}
	return v, expires, err
}

var errSessionOver = fault.Errorf(fault.Unauthenticated, "Votre session a expiré. Ouvrez de nouveau le lien de la commande.")

// again is a guest as its link has it now, read again when that was longer ago than age.
func (g *Guests) again(ctx context.Context, v *Viewer, age time.Duration) (*Viewer, error) {
	if g.Now().Sub(v.read) < age {
		return v, nil
	}
	now, _, err := g.holder(ctx, v.link)
	switch {
	case err != nil:
		return nil, err
	case now == nil:
		return nil, errSessionOver
	case v.key != nil:
		return now.Through(v.key)
	}
	return now, nil
}

// holder is the guest whose link has the digest, and until when; nil for no link that holds.
func (g *Guests) holder(ctx context.Context, digest []byte) (*Viewer, time.Time, error) {
	type link struct {
		CommuneID string
		OrderID   uuid.UUID
		ExpiresAt time.Time
	}
	at := g.Now()
	rows, err := g.DB.Pool(pg.Identity).Query(ctx, `
		select commune_id, order_id, expires_at from guest_links
		where digest = $1 and expires_at > $2 order by commune_id, order_id`, digest, at)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("guest link: %w", err)
	}
	links, err := pgx.CollectRows(rows, pgx.RowToStructByName[link])
	if err != nil || len(links) == 0 {
		return nil, time.Time{}, err
	}
	codes, err := g.Communes.Codes(ctx)
	v, until := &Viewer{Kind: Guest, all: codes, link: digest, read: at}, links[0].ExpiresAt
	for _, l := range links {
		v.Orders = append(v.Orders, tenancy.RowID(tenancy.KindOrder, l.CommuneID, l.OrderID))
		if l.ExpiresAt.Before(until) {
			until = l.ExpiresAt
		}
	}
	return v, until, err
}
