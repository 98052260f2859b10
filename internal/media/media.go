// Package media keeps the photos of shops and products: it takes images as phones make them, keeps
// two clean ones of each, and hands them out under an address made of their bytes, which may
// therefore be cached for ever.
//
// What is kept is always a JPEG that we have made: whatever else a file was (a page, a program, the
// place where it was taken) does not come through. Nothing is fetched from an address that somebody
// gives.
package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Media keeps images.
type Media struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Now      func() time.Time // time.Now when nil
	busy     chan struct{}    // bounds the photos that are unpacked at a time
}

const (
	// unpacked is how many photos are unpacked at a time, some 100 MB each.
	unpacked = 2
	// kept is how long an image waits to become a photo.
	kept = 24 * time.Hour
	// maxWaiting bounds the images that one account may have waiting: a shop's and some products'.
	maxWaiting = 60
)

// New returns the images in db.
func New(db *pg.DB, communes *tenancy.Register) *Media {
	return &Media{DB: db, Communes: communes, busy: make(chan struct{}, unpacked)}
}

func (m *Media) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// Image is an image that was sent and waits to become a photo.
type Image struct {
	CommuneID string
	Row       uuid.UUID
	Width     int
	Height    int
	ExpiresAt time.Time
}

// ID is the image's global ID.
func (i *Image) ID() tenancy.ID { return tenancy.RowID(tenancy.KindMedia, i.CommuneID, i.Row) }

// mayIn refuses a viewer that has no shop in a commune and does not serve it.
func mayIn(v *identity.Viewer, commune string) error {
	if err := v.SignedIn(); err != nil {
		return err
	}
	if v.Kind == identity.Merchant {
		for _, s := range v.Shops {
			if s.Commune == commune {
				return nil
			}
		}
	}
	if may(v, tenancy.ID{Commune: commune}) {
		return nil
	}
	return fault.Errorf(fault.Forbidden, "Seuls les commerçants de la commune, ses agents et les administrateurs peuvent envoyer des photos.")
}

// acts tells whether the viewer is of a kind that may change photos at all.
func acts(v *identity.Viewer) bool {
	return v.Kind == identity.Merchant || v.Kind == identity.Agent || v.Kind == identity.Admin
}

// may tells whether the viewer may change a shop's photos.
func may(v *identity.Viewer, shop tenancy.ID) bool {
	return acts(v) && (v.Runs(shop) || (v.Kind == identity.Agent || v.Kind == identity.Admin) && v.Serves(shop.Commune))
}

// Receive takes an image as it was sent and keeps it for a day.
//
// Faults: FORBIDDEN; LIMITED when it is too large or too many wait; INVALID for what is no photo.
func (m *Media) Receive(ctx context.Context, v *identity.Viewer, commune tenancy.ID, r io.Reader) (*Image, error) {
	if err := commune.Want(tenancy.KindCommune, "commune"); err != nil {
		return nil, err
	}
	if _, err := m.Communes.ByInsee(ctx, commune.Commune); err != nil {
		return nil, err
	}
	if err := mayIn(v, commune.Commune); err != nil {
		return nil, err
	}
	file, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(file) > MaxBytes {
		return nil, fault.Errorf(fault.Limited, "La photo dépasse %d Mo. Envoyez-en une plus petite.", MaxBytes>>20)
	}
	select {
	case m.busy <- struct{}{}:
		defer func() { <-m.busy }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p, err := Read(file)
	if err != nil {
		return nil, err
	}
	now := m.now()
	i := &Image{CommuneID: commune.Commune, Row: tenancy.NewRow(), Width: p.Width, Height: p.Height, ExpiresAt: now.Add(kept)}
	var account *uuid.UUID
	if v.Account != uuid.Nil {
		account = &v.Account
	}
	err = m.DB.Write(ctx, v.Scope().In(i.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		var waiting int
		if err := tx.QueryRow(ctx, `select count(*) from media i where i.commune_id = $1 and i.account_id is not distinct from $2 and i.expires_at > $3
			and not exists (select from photos p where p.commune_id = i.commune_id and p.media_id = i.id)`, i.CommuneID, account, now).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= maxWaiting {
			return fault.Errorf(fault.Limited, "%d images attendent déjà ; ajoutez-les à une boutique ou à un produit.", waiting)
		}
		b := &pgx.Batch{}
		b.Queue(`insert into media (commune_id, id, account_id, width, height, large_hash, small_hash, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			i.CommuneID, i.Row, account, i.Width, i.Height, hash(p.Large), hash(p.Small), i.ExpiresAt)
		for _, bytes := range [][]byte{p.Large, p.Small} {
			b.Queue(`insert into media_files (commune_id, media_id, hash, bytes) values ($1, $2, $3, $4) on conflict do nothing`, i.CommuneID, i.Row, hash(bytes), bytes)
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, fmt.Errorf("keep an image: %w", err)
	}
	return i, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ErrUnknown says that no image has an address.
var ErrUnknown = errors.New("no image has this address")

// File is the JPEG with a hash.
func (m *Media) File(ctx context.Context, hash string) ([]byte, error) {
	codes, err := m.Communes.Codes(ctx)
	if err != nil {
		return nil, err
	}
	if len(hash) != sha256.Size*2 {
		return nil, ErrUnknown
	}
	files, err := pg.SelectScalars[[]byte](ctx, m.DB, pg.Scope{Role: pg.Public, Kind: "visitor", Communes: codes},
		`select bytes from media_files where hash = $1 and commune_id = any($2) limit 1`, hash, codes)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", hash, err)
	}
	if len(files) == 0 {
		return nil, ErrUnknown
	}
	return files[0], nil
}

// Expire forgets images that became no photo within their day, and those of photos that were
// removed. Every server may run it at any time.
func (m *Media) Expire(ctx context.Context) error {
	codes, err := m.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	return m.DB.Write(ctx, pg.Scope{Role: pg.Worker, Communes: codes}, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `delete from media i where i.commune_id = any($1) and i.expires_at <= $2
			and not exists (select from photos p where p.commune_id = i.commune_id and p.media_id = i.id)`, codes, m.now())
		return err
	})
}
