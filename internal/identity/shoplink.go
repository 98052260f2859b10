package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/tenancy"
)

// ShopLinkLife is how long the link of a message to a merchant opens its order.
const ShopLinkLife = 24 * time.Hour

// ShopLinks lets a merchant answer for one order without signing in: with a link that only the
// message to the shop's own address has. It is a capability that we sign and do not keep: order,
// shop and end, and an HMAC over them. To end all of them before their time, change the
// deployment's secret.
type ShopLinks struct {
	Communes *tenancy.Register
	Now      func() time.Time
	key      []byte
}

// NewShopLinks derives the key from a secret of the deployment, of 32 bytes or more.
func NewShopLinks(communes *tenancy.Register, secret []byte) *ShopLinks {
	return &ShopLinks{Communes: communes, Now: time.Now, key: derive(secret, "halles shop link")}
}

const (
	inseeSize    = 5
	linkSize     = inseeSize + 16 + 16 + 8
	linkMACSize  = 16
	linkFullSize = linkSize + linkMACSize
)

func (l *ShopLinks) mac(plain []byte) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write(plain)
	return mac.Sum(nil)[:linkMACSize]
}

// New makes the link of an order of a shop: what follows # in its address.
func (l *ShopLinks) New(shop, order tenancy.ID) string {
	plain := make([]byte, 0, linkFullSize)
	plain = append(plain, order.Commune...)
	plain = append(plain, order.Row[:]...)
	plain = append(plain, shop.Row[:]...)
	plain = binary.BigEndian.AppendUint64(plain, uint64(l.Now().Add(ShopLinkLife).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(plain, l.mac(plain)...))
}

// ShopLink is an open link.
type ShopLink struct {
	Merchant *Viewer    // of the order's shop; who has the link may ask for this order alone
	Order    tenancy.ID // the one
	EndsAt   time.Time
}

// Open opens a link, as it stands in a message or its part after #. Wrong and expired ones get
// the same answer: UNAUTHENTICATED.
func (l *ShopLinks) Open(ctx context.Context, link string) (*ShopLink, error) {
	_, after, whole := strings.Cut(strings.TrimSpace(link), "#")
	if !whole {
		after = strings.TrimSpace(link)
	}
	raw, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil || len(raw) != linkFullSize || !hmac.Equal(raw[linkSize:], l.mac(raw[:linkSize])) {
		return nil, errShopLink
	}
	commune := string(raw[:inseeSize])
	open := &ShopLink{
		Order:  tenancy.RowID(tenancy.KindOrder, commune, uuid.UUID(raw[inseeSize:inseeSize+16])),
		EndsAt: time.Unix(int64(binary.BigEndian.Uint64(raw[inseeSize+32:linkSize])), 0),
	}
	if !l.Now().Before(open.EndsAt) {
		return nil, errShopLink
	}
	codes, err := l.Communes.Codes(ctx)
	if err != nil {
		return nil, err
	}
	shop := tenancy.RowID(tenancy.KindShop, commune, uuid.UUID(raw[inseeSize+16:inseeSize+32]))
	open.Merchant = &Viewer{Kind: Merchant, all: codes, Shops: []tenancy.ID{shop}}
	return open, nil
}

var errShopLink = fault.Errorf(fault.Unauthenticated, "Ce lien n'est pas valable, ou a plus de 24 heures. Ouvrez celui du dernier message, ou le comptoir avec votre compte.")
