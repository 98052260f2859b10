package media

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

const (
	// MaxOfShop bounds the photos of a shop itself.
	MaxOfShop = 10
	// MaxOfProduct bounds those of each product.
	MaxOfProduct = 6
	maxAlt       = 300 // characters: a sentence or two
)

// Photo is an image of a shop or a product.
type Photo struct {
	CommuneID  string
	Row        uuid.UUID  `db:"id"`
	ShopRow    uuid.UUID  `db:"shop_id"`
	ProductRow *uuid.UUID `db:"product_id"`
	Hash       string
	SmallHash  string
	Width      int // of the large image, in pixels
	Height     int
	Alt        string
}

const photoColumns = `p.commune_id, p.id, p.shop_id, p.product_id, p.hash, p.small_hash, p.width, p.height, p.alt`

// ID is the photo's global ID.
func (p *Photo) ID() tenancy.ID { return tenancy.RowID(tenancy.KindPhoto, p.CommuneID, p.Row) }

// URL is the image's path on this server.
func (p *Photo) URL() string { return "/media/" + p.Hash }

// SmallURL is the path of the image for lists.
func (p *Photo) SmallURL() string { return "/media/" + p.SmallHash }

func (p *Photo) shop() tenancy.ID { return tenancy.RowID(tenancy.KindShop, p.CommuneID, p.ShopRow) }

// OfShops lists the photos of shops, in their order.
func (m *Media) OfShops(ctx context.Context, v *identity.Viewer, shops []tenancy.ID) (map[tenancy.ID][]*Photo, error) {
	return m.of(ctx, v, shops, "shop_id", "and p.product_id is null", func(p *Photo) tenancy.ID { return p.shop() })
}

// OfProducts lists the photos of products, in their order.
func (m *Media) OfProducts(ctx context.Context, v *identity.Viewer, products []tenancy.ID) (map[tenancy.ID][]*Photo, error) {
	return m.of(ctx, v, products, "product_id", "", func(p *Photo) tenancy.ID {
		return tenancy.RowID(tenancy.KindProduct, p.CommuneID, *p.ProductRow)
	})
}

// of lists photos by a key. Who may see a shop or a product was asked before: it is a field of it.
func (m *Media) of(ctx context.Context, v *identity.Viewer, ids []tenancy.ID, key, and string, owner func(*Photo) tenancy.ID) (map[tenancy.ID][]*Photo, error) {
	communes, rows := tenancy.Columns(ids)
	list, err := pg.Select[Photo](ctx, m.DB, v.Scope().In(communes...), `
		select p.* from `+tenancy.Keys+` k (commune_id, id) cross join lateral (
			select `+photoColumns+` from photos p where p.commune_id = k.commune_id and p.`+key+` = k.id `+and+` order by p.position, p.id offset 0) p`, communes, rows)
	if err != nil {
		return nil, fmt.Errorf("photos: %w", err)
	}
	of := map[tenancy.ID][]*Photo{}
	for i := range list {
		of[owner(&list[i])] = append(of[owner(&list[i])], &list[i])
	}
	return of, nil
}

// Refusal is a no of the business: nothing was changed.
type Refusal struct {
	Code    RefusalCode
	Message string
	Path    []string
}

// RefusalCode is a Refusal for programs.
type RefusalCode string

// The refusals.
const (
	TooMany      RefusalCode = "TOO_MANY_PHOTOS"
	ImageUsed    RefusalCode = "IMAGE_USED"
	NotThePhotos RefusalCode = "NOT_THE_PHOTOS"
)

// AddInput is an image to show.
type AddInput struct {
	Media   tenancy.ID
	Shop    tenancy.ID
	Product *tenancy.ID
	Alt     string
}

// Payload is a photo as it stands now, or why not.
type Payload struct {
	Photo    *Photo
	Refusals []Refusal
}

// Add shows an image on a shop or a product, after those that are there.
//
// Faults: NOT_FOUND for what is another's or has expired; INVALID for a text that is missing.
func (m *Media) Add(ctx context.Context, v *identity.Viewer, in AddInput) (_ *Payload, err error) {
	defer fault.Wrap(&err, "add photo %s to %s", in.Media, in.Shop)
	if err := in.Media.Want(tenancy.KindMedia, "input", "media"); err != nil {
		return nil, err
	}
	if err := in.Shop.Want(tenancy.KindShop, "input", "shop"); err != nil {
		return nil, err
	}
	if in.Product != nil {
		if err := in.Product.Want(tenancy.KindProduct, "input", "product"); err != nil {
			return nil, err
		}
		if in.Product.Commune != in.Shop.Commune {
			return nil, in.Product.NotFound()
		}
	}
	alt := strings.TrimSpace(in.Alt)
	switch n := utf8.RuneCountInString(alt); {
	case n == 0 || strings.ContainsRune(alt, 0):
		return nil, fault.At([]string{"input", "alt"}, "Dites ce que l'on voit sur la photo, pour les personnes qui ne la voient pas.")
	case n > maxAlt:
		return nil, fault.At([]string{"input", "alt"}, "Ce texte a %d caractères ; %d au plus.", n, maxAlt)
	case in.Media.Commune != in.Shop.Commune:
		return nil, in.Media.NotFound()
	}
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if !may(v, in.Shop) {
		return nil, in.Shop.NotFound()
	}
	p := &Photo{CommuneID: in.Shop.Commune, Row: tenancy.NewRow(), ShopRow: in.Shop.Row, Alt: alt}
	most, position := MaxOfShop, 0
	if in.Product != nil {
		p.ProductRow, most = &in.Product.Row, MaxOfProduct
	}
	var refused []Refusal
	err = m.DB.Write(ctx, v.Scope().In(p.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		refused = nil
		n, err := lock(ctx, tx, p)
		if err != nil {
			return err
		}
		if n >= most {
			refused = []Refusal{{TooMany, fmt.Sprintf("Il y a déjà %d photos ; retirez-en une d'abord.", n), []string{"input"}}}
			return nil
		}
		err = tx.QueryRow(ctx, `select i.large_hash, i.small_hash, i.width, i.height from media i
			where i.commune_id = $1 and i.id = $2 and i.account_id is not distinct from $3 and i.expires_at > $4`,
			p.CommuneID, in.Media.Row, account(v), m.now()).Scan(&p.Hash, &p.SmallHash, &p.Width, &p.Height)
		if errors.Is(err, pgx.ErrNoRows) {
			return in.Media.NotFound()
		}
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select coalesce(max(position), 0) + 1 from photos where commune_id = $1 and shop_id = $2 and product_id is not distinct from $3`,
			p.CommuneID, p.ShopRow, p.ProductRow).Scan(&position); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `insert into photos (commune_id, id, shop_id, product_id, media_id, hash, small_hash, width, height, alt, position)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict on constraint photos_media_once do nothing`,
			p.CommuneID, p.Row, p.ShopRow, p.ProductRow, in.Media.Row, p.Hash, p.SmallHash, p.Width, p.Height, p.Alt, position)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			refused = []Refusal{{ImageUsed, "Cette image est déjà une photo. Envoyez-la de nouveau pour la montrer ailleurs.", []string{"input", "media"}}}
			return nil
		}
		return audit(ctx, tx, v, m.now(), "PHOTO_ADD", p.ID(), nil, p)
	})
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return &Payload{Refusals: refused}, nil
	}
	return &Payload{Photo: p}, nil
}

// lock makes changes of the photos of one shop or product wait for each other, finds out that the
// product is the shop's, and counts the photos.
func lock(ctx context.Context, tx pgx.Tx, p *Photo) (n int, err error) {
	sql, args := `select from shops where commune_id = $1 and id = $2 for no key update`, []any{p.CommuneID, p.ShopRow}
	owner := p.shop()
	if p.ProductRow != nil {
		sql, args = `select from products where commune_id = $1 and shop_id = $2 and id = $3 for no key update`, append(args, *p.ProductRow)
		owner = tenancy.RowID(tenancy.KindProduct, p.CommuneID, *p.ProductRow)
	}
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	if tag.RowsAffected() == 0 {
		return 0, owner.NotFound()
	}
	err = tx.QueryRow(ctx, `select count(*) from photos where commune_id = $1 and shop_id = $2 and product_id is not distinct from $3`, p.CommuneID, p.ShopRow, p.ProductRow).Scan(&n)
	return n, err
}

func account(v *identity.Viewer) *uuid.UUID {
	if v.Account == uuid.Nil {
		return nil
	}
	return &v.Account
}

// RemoveInput is a photo to take away.
type RemoveInput struct{ Photo tenancy.ID }

// RemovePayload is what is left.
type RemovePayload struct{ Photos []*Photo }

// Remove takes a photo away; its image goes with the next sweep.
//
// Faults: NOT_FOUND.
func (m *Media) Remove(ctx context.Context, v *identity.Viewer, in RemoveInput) (_ *RemovePayload, err error) {
	defer fault.Wrap(&err, "remove %s", in.Photo)
	if err := in.Photo.Want(tenancy.KindPhoto, "input", "photo"); err != nil {
		return nil, err
	}
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if !acts(v) {
		return nil, in.Photo.NotFound()
	}
	left := &RemovePayload{}
	return left, m.DB.Write(ctx, v.Scope().In(in.Photo.Commune), func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select `+photoColumns+` from photos p where p.commune_id = $1 and p.id = $2 for update`, in.Photo.Commune, in.Photo.Row)
		if err != nil {
			return err
		}
		p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Photo])
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !may(v, p.shop()) {
			return in.Photo.NotFound()
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from photos where commune_id = $1 and id = $2`, p.CommuneID, p.Row); err != nil {
			return err
		}
		if left.Photos, err = siblings(ctx, tx, p); err != nil {
			return err
		}
		return audit(ctx, tx, v, m.now(), "PHOTO_REMOVE", p.ID(), p, nil)
	})
}

// siblings are the photos beside one, in order.
func siblings(ctx context.Context, tx pgx.Tx, p *Photo) ([]*Photo, error) {
	rows, err := tx.Query(ctx, `select `+photoColumns+` from photos p where p.commune_id = $1 and p.shop_id = $2 and p.product_id is not distinct from $3 order by p.position, p.id`,
		p.CommuneID, p.ShopRow, p.ProductRow)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Photo])
}

// ReorderInput is all photos of a shop or a product, in the order wanted.
type ReorderInput struct{ Photos []tenancy.ID }

// ReorderPayload is the photos in their order, or why not.
type ReorderPayload struct {
	Photos   []*Photo
	Refusals []Refusal
}

// Reorder puts the photos of a shop or a product into another order.
//
// Faults: NOT_FOUND.
func (m *Media) Reorder(ctx context.Context, v *identity.Viewer, in ReorderInput) (_ *ReorderPayload, err error) {
	defer fault.Wrap(&err, "reorder photos %v", in.Photos)
	if len(in.Photos) == 0 || len(in.Photos) > MaxOfShop {
		return nil, fault.At([]string{"input", "photos"}, "Nommez toutes les photos de la boutique ou du produit, dans l'ordre voulu.")
	}
	rowsOf := make([]uuid.UUID, len(in.Photos))
	for i, id := range in.Photos {
		if err := id.Want(tenancy.KindPhoto, "input", "photos"); err != nil {
			return nil, err
		}
		if rowsOf[i] = id.Row; id.Commune != in.Photos[0].Commune {
			return nil, id.NotFound()
		}
	}
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if !acts(v) {
		return nil, in.Photos[0].NotFound()
	}
	done := &ReorderPayload{}
	return done, m.DB.Write(ctx, v.Scope().In(in.Photos[0].Commune), func(ctx context.Context, tx pgx.Tx) error {
		*done = ReorderPayload{}
		rows, err := tx.Query(ctx, `select `+photoColumns+` from photos p where p.commune_id = $1 and p.id = $2`, in.Photos[0].Commune, in.Photos[0].Row)
		if err != nil {
			return err
		}
		p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Photo])
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !may(v, p.shop()) {
			return in.Photos[0].NotFound()
		}
		if err != nil {
			return err
		}
		if _, err := lock(ctx, tx, p); err != nil {
			return err
		}
		before, err := siblings(ctx, tx, p)
		if err != nil {
			return err
		}
		known, asked := ids(before), slices.Clone(rowsOf)
		sort := func(list []uuid.UUID) []uuid.UUID {
			slices.SortFunc(list, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
			return list
		}
		if !slices.Equal(sort(known), sort(asked)) {
			done.Refusals = []Refusal{{NotThePhotos, "Les photos ont changé : relisez-les, et nommez-les toutes, chacune une fois.", []string{"input", "photos"}}}
			return nil
		}
		if _, err := tx.Exec(ctx, `update photos p set position = k.position from unnest($2::uuid[]) with ordinality k (id, position) where p.commune_id = $1 and p.id = k.id`,
			p.CommuneID, rowsOf); err != nil {
			return err
		}
		if done.Photos, err = siblings(ctx, tx, p); err != nil {
			return err
		}
		object := p.shop()
		if p.ProductRow != nil {
			object = tenancy.RowID(tenancy.KindProduct, p.CommuneID, *p.ProductRow)
		}
		return audit(ctx, tx, v, m.now(), "PHOTO_REORDER", object, ids(before), ids(done.Photos))
	})
}

func ids(photos []*Photo) []uuid.UUID {
	list := make([]uuid.UUID, len(photos))
	for i, p := range photos {
		list[i] = p.Row
	}
	return list
}
