package demo

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg/cluster"
)

// unsettled tells whether the private cluster runs ahead of the disk.
func (d *Demo) unsettled() bool { return d.cluster != nil && d.cluster.Unsettled() }

// settle has a private cluster that ran ahead of the disk while it was filled wait for it from now on, and
// waits until all that there is lies on it. What fails, or is stopped, the next start does.
func (d *Demo) settle(ctx context.Context, log *slog.Logger) {
	if !d.unsettled() || ctx.Err() != nil {
		return
	}
	if err := settle(ctx, d.cluster, d.Database.URL); err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "what was filled is not on the disk yet", "error", err)
	}
}

func settle(ctx context.Context, c *cluster.Cluster, admin string) error {
	err := withConn(ctx, admin, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `alter system reset fsync`); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, `select pg_reload_conf()`); err != nil {
			return err
		}
		for waits := ""; waits != "on"; {
			if err := conn.QueryRow(ctx, `show fsync`).Scan(&waits); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
		_, err := conn.Exec(ctx, `checkpoint`)
		return err
	})
	if err != nil {
		return err
	}
	return c.Settled()
}
