package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Resolver finds the viewer behind a credential.
type Resolver struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Issuer   *Issuer
	Guests   *Guests
}

// Visitor is the viewer without a credential.
func (r *Resolver) Visitor(ctx context.Context) (*Viewer, error) {
	codes, err := r.Communes.Codes(ctx)
	return &Viewer{Kind: Visitor, all: codes}, err
}

// FromToken is the viewer that a token names, with the roles and shops granted to it now, and
// the instant at which the token stops being good. A guest's session is a token too.
func (r *Resolver) FromToken(ctx context.Context, token string) (*Viewer, time.Time, error) {
	if strings.HasPrefix(token, guestPrefix) {
		return r.Guests.fromToken(ctx, token)
	}
	if r.Issuer == nil {
		return nil, time.Time{}, fault.Errorf(fault.Unauthenticated, "Ce serveur ne reconnaît aucun jeton de connexion.")
	}
	subject, expires, err := r.Issuer.Check(token)
	if err != nil {
		return nil, time.Time{}, err
	}
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	v := &Viewer{Kind: Customer, all: codes}
	err = r.DB.Pool(pg.Identity).QueryRow(ctx, `select id, name from accounts where issuer = $1 and subject = $2`,
		r.Issuer.Name, subject).Scan(&v.Account, &v.Name)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, time.Time{}, fault.Errorf(fault.Unauthenticated, "Ce compte n'existe pas. Reconnectez-vous.")
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("account of %q: %w", subject, err)
	}
	return v, expires, r.grant(ctx, v)
}

// rank orders roles: who holds several asks as the one that reaches furthest.
var rank = []Kind{Admin, Hotline, Agent, Analyst, Merchant}

func (r *Resolver) grant(ctx context.Context, v *Viewer) error {
	type grant struct {
		Role      Kind
		CommuneID *string
		ShopID    *uuid.UUID
	}
	rows, err := r.DB.Pool(pg.Identity).Query(ctx, `select role, commune_id, shop_id from grants where account_id = $1 order by commune_id, shop_id`, v.Account)
	if err != nil {
		return err
	}
	grants, err := pgx.CollectRows(rows, pgx.RowToStructByName[grant])
	if err != nil {
		return err
	}
	held := map[Kind]bool{}
	for _, g := range grants {
		held[g.Role] = true
	}
	for _, kind := range rank {
		if held[kind] {
			v.Kind = kind
			break
		}
	}
	for _, g := range grants {
		switch {
		case g.Role != v.Kind:
		case g.Role == Merchant:
			v.Shops = append(v.Shops, tenancy.RowID(tenancy.KindShop, *g.CommuneID, *g.ShopID))
		case g.Role == Agent:
			v.Communes = append(v.Communes, *g.CommuneID)
		}
	}
	if v.Kind == Hotline || v.Kind == Admin {
		v.Communes = v.all
	}
	return nil
}
