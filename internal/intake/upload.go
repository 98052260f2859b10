package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

const (
	// MaxUpload bounds a file, in bytes: 100,000 products are a quarter of it.
	MaxUpload = 50 << 20
	// piece is what is held in memory of a file on its way in or out.
	piece = 256 << 10
	// kept is how long a file waits to be used: a dry run, a talk about it, and the import.
	kept = 24 * time.Hour
	// maxWaiting bounds the files that one account may have waiting.
	maxWaiting = 20
)

// Upload is a file that was sent and waits to be used.
type Upload struct {
	CommuneID string
	Row       uuid.UUID `db:"id"`
	Name      string
	Size      int
	ExpiresAt time.Time
}

// ID is the upload's global ID.
func (u *Upload) ID() tenancy.ID { return tenancy.RowID(tenancy.KindUpload, u.CommuneID, u.Row) }

// acting refuses a viewer that may not import into a commune: merchants of its shops, its agents
// and admins may.
func acting(v *identity.Viewer, commune string) error {
	if err := importer(v); err != nil {
		return err
	}
	if v.Kind != identity.Merchant && v.Serves(commune) {
		return nil
	}
	for _, shop := range v.Shops {
		if shop.Commune == commune {
			return nil
		}
	}
	return fault.Errorf(fault.Forbidden, "Vous n'avez pas de boutique dans cette commune et ne la servez pas.")
}

// importer refuses a viewer of a kind that imports nothing anywhere.
func importer(v *identity.Viewer) error {
	if err := v.SignedIn(); err != nil && !v.IsPlatform() {
		return err
	}
	switch v.Kind {
	case identity.Merchant, identity.Agent, identity.Admin:
		return nil
	}
	return fault.Errorf(fault.Forbidden, "Seuls les commerçants, les agents d'une commune et les administrateurs peuvent importer un fichier.")
}

// owner is the account of a row that the viewer makes; null for the platform itself.
func owner(v *identity.Viewer) *uuid.UUID {
	if v.Account == uuid.Nil {
		return nil
	}
	return &v.Account
}

// Receive keeps a file for a day. It is written piece by piece, each in a transaction of its own:
// a slow sender holds nothing open, and a piece is all that is in memory.
//
// Faults: FORBIDDEN; LIMITED for a file above MaxUpload or too many that wait; INVALID for an
// empty one.
func (i *Intake) Receive(ctx context.Context, v *identity.Viewer, commune tenancy.ID, name string, r io.Reader) (_ *Upload, err error) {
	if err := commune.Want(tenancy.KindCommune, "commune"); err != nil {
		return nil, err
	}
	if _, err := i.Communes.ByInsee(ctx, commune.Commune); err != nil {
		return nil, err
	}
	if err := acting(v, commune.Commune); err != nil {
		return nil, err
	}
	now := i.now()
	u := &Upload{CommuneID: commune.Commune, Row: tenancy.NewRow(), Name: fileName(name), ExpiresAt: now.Add(kept)}
	scope := v.Scope().In(u.CommuneID)
	err = i.DB.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
		var waiting int
		if err := tx.QueryRow(ctx, `select count(*) from uploads where commune_id = $1 and account_id is not distinct from $2 and expires_at > $3`,
			u.CommuneID, owner(v), now).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= maxWaiting {
			return fault.Errorf(fault.Limited, "%d fichiers attendent déjà ; importez-les, ou attendez qu'ils expirent.", waiting)
		}
		_, err := tx.Exec(ctx, `insert into uploads (commune_id, id, account_id, name, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)`,
			u.CommuneID, u.Row, owner(v), u.Name, now, u.ExpiresAt)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("begin an upload: %w", err)
	}
	defer func() {
		if err != nil { // nothing is kept of what did not come whole
			_ = i.discard(context.WithoutCancel(ctx), scope, u)
		}
	}()
	buffer := make([]byte, piece)
	for number := 0; ; number++ {
		n, readErr := io.ReadFull(r, buffer)
		if u.Size += n; u.Size > MaxUpload {
			return nil, fault.Errorf(fault.Limited, "Le fichier dépasse %d Mio. Partagez-le en plusieurs.", MaxUpload>>20)
		}
		if n > 0 {
			if err := i.exec(ctx, scope, `insert into upload_chunks (commune_id, upload_id, number, account_id, bytes) values ($1, $2, $3, $4, $5)`,
				u.CommuneID, u.Row, number, owner(v), buffer[:n]); err != nil {
				return nil, fmt.Errorf("piece %d of an upload: %w", number, err)
			}
		}
		switch {
		case errors.Is(readErr, io.EOF), errors.Is(readErr, io.ErrUnexpectedEOF):
			if u.Size == 0 {
				return nil, fault.Errorf(fault.Invalid, "Le fichier est vide.")
			}
			err := i.exec(ctx, scope, `update uploads set complete = true, size = $3 where commune_id = $1 and id = $2`, u.CommuneID, u.Row, u.Size)
			return u, err
		case readErr != nil:
			return nil, readErr
		}
	}
}

// fileName is what the sender calls the file, for people to know it by; never a path of ours.
func fileName(name string) string {
	const most = 200 // characters; the column's bound
	clean := make([]rune, 0, len(name))
	for _, c := range name {
		if c >= ' ' && c != utf8.RuneError && c != 0x7f && len(clean) < most {
			clean = append(clean, c)
		}
	}
	if len(clean) == 0 {
		return "fichier"
	}
	return string(clean)
}

// exec runs one statement in a transaction of its own.
func (i *Intake) exec(ctx context.Context, scope pg.Scope, sql string, args ...any) error {
	return i.DB.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

func (i *Intake) discard(ctx context.Context, scope pg.Scope, u *Upload) error {
	return i.exec(ctx, scope, `delete from uploads where commune_id = $1 and id = $2`, u.CommuneID, u.Row)
}

// upload finds a file that the viewer sent and that has not expired.
func (i *Intake) upload(ctx context.Context, v *identity.Viewer, id tenancy.ID) (*Upload, error) {
	if err := id.Want(tenancy.KindUpload, "input", "upload"); err != nil {
		return nil, err
	}
	if err := importer(v); err != nil {
		return nil, err
	}
	if acting(v, id.Commune) != nil {
		return nil, id.NotFound()
	}
	found, err := pg.Select[Upload](ctx, i.DB, v.Scope().In(id.Commune), `
		select commune_id, id, name, size, expires_at from uploads
		where commune_id = $1 and id = $2 and account_id is not distinct from $3 and complete and expires_at > $4`,
		id.Commune, id.Row, owner(v), i.now())
	if err != nil {
		return nil, fmt.Errorf("upload %s: %w", id, err)
	}
	if len(found) == 0 {
		return nil, id.NotFound()
	}
	return &found[0], nil
}

// pieces reads an upload within a transaction, a piece at a time.
type pieces struct {
	ctx    context.Context //nolint:containedctx // an io.Reader has no other way to be told
	tx     pgx.Tx
	upload *Upload
	next   int
	held   []byte
}

func (p *pieces) Read(into []byte) (int, error) {
	if len(p.held) == 0 {
		err := p.tx.QueryRow(p.ctx, `select bytes from upload_chunks where commune_id = $1 and upload_id = $2 and number = $3`,
			p.upload.CommuneID, p.upload.Row, p.next).Scan(&p.held)
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		p.next++
	}
	n := copy(into, p.held)
	p.held = p.held[n:]
	return n, nil
}

// Expire forgets files whose day is over, and the journals of imports that nobody can undo any
// more. Every server may run it at any time.
func (i *Intake) Expire(ctx context.Context) error {
	codes, err := i.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	scope, now := pg.Scope{Role: pg.Worker, Communes: codes}, i.now()
	if err := i.exec(ctx, scope, `delete from uploads where commune_id = any($1) and expires_at <= $2`, codes, now); err != nil {
		return fmt.Errorf("expire uploads: %w", err)
	}
	if err := i.exec(ctx, scope, `delete from imports where commune_id = any($1) and lease_until is null
		and (created_at <= $2 or status in ('CHECKED', 'REFUSED') and created_at <= $3)`, codes, now.Add(-undoable), now.Add(-kept)); err != nil {
		return fmt.Errorf("expire imports: %w", err)
	}
	return nil
}
