package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// widgetKey is the row of the demo's key of Lorient. It is the same at each start, so that pages
// that show the key go on working.
var widgetKey = uuid.MustParse("01757b12-4c00-7000-8000-000000056121")

// OpenWidgets gives Lorient a widget key for pages of the origins, or moves the one of an
// earlier start to them.
func (d *Demo) OpenWidgets(ctx context.Context, origins ...string) error {
	conn, err := d.migrator(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var commune tenancy.Commune
	var key string
	var same bool // as an earlier start on the same port left it: nothing to write, and to wait for a disk for
	err = conn.QueryRow(ctx, `
		select c.slug, coalesce(k.key, ''), coalesce(k.origins = $3 and k.revoked_at is null and k.valid_until is null, false)
		from communes c left join widget_keys k on k.commune_id = c.insee and k.id = $2 where c.insee = $1`,
		lorient, widgetKey, origins).Scan(&commune.Slug, &key, &same)
	if err == nil && !same {
		err = conn.QueryRow(ctx, `
			insert into widget_keys (commune_id, id, key, name, origins, created_at) values ($1, $2, $3, 'Pages de démonstration', $4, $5)
			on conflict (commune_id, id) do update set origins = excluded.origins, revoked_at = null, valid_until = null returning key`,
			lorient, widgetKey, identity.NewKeyText(&commune), origins, time.Now()).Scan(&key)
	}
	if err != nil {
		return fmt.Errorf("the demo's widget key: %w", err)
	}
	d.WidgetKeys = map[string]string{commune.Slug: key}
	return nil
}

// migrator is a connection as halles_migrate: the administrator's of a private cluster, the first time.
func (d *Demo) migrator(ctx context.Context) (*pgx.Conn, error) {
	if conn := d.admin; conn != nil {
		d.admin = nil
		if _, err := conn.Exec(ctx, "set role "+string(migrateRole)); err != nil {
			return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
		}
		return conn, nil
	}
	url, err := d.Database.RoleURL(migrateRole)
	if err != nil {
		return nil, err
	}
	return pgx.Connect(ctx, url)
}

func (d *Demo) closeAdmin() {
	if d.admin != nil {
		_ = d.admin.Close(context.Background()) // Postgres stops next
	}
}
