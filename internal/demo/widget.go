package demo

import (
	"context"
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
	url, err := d.Database.RoleURL(migrateRole)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var commune tenancy.Commune
	var key string
	err = conn.QueryRow(ctx, `select slug from communes where insee = $1`, lorient).Scan(&commune.Slug)
	if err == nil {
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
