package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

// Jobs has a server compare stock and ledger once a day, and forget what was searched.
func (c *Catalog) Jobs(j *job.Jobs) {
	job.Every(j, "stock_reconcile", 24*time.Hour, c.Reconcile)
	job.Every(j, "search_forget", time.Hour, c.ForgetSearches)
	job.Every(j, "search_words", 24*time.Hour, c.ForgetWords)
}

// maxTold bounds the differences that a report names.
const maxTold = 20

// Reconcile compares the stock of every variant with the sum of its moves. They change in the
// same transactions, so that none may differ; what does is reported as an error, which the log
// and the list of failed jobs keep. Nothing is mended: which of the two is right, the shelf says.
func (c *Catalog) Reconcile(ctx context.Context) error {
	rows, err := c.DB.Pool(pg.Worker).Query(ctx, `select insee from communes order by insee`)
	if err != nil {
		return err
	}
	communes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	type difference struct {
		ID            uuid.UUID
		Stock, Ledger int
	}
	n, told := 0, []string{}
	for _, commune := range communes {
		// One statement sees both as of one instant, however many orders come meanwhile.
		list, err := pg.Select[difference](ctx, c.DB, pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{commune}}, `
			select v.id, v.stock, coalesce(m.ledger, 0)::int as ledger
			from variants v left join (
				select variant_id, sum(quantity) as ledger from stock_moves where commune_id = $1 group by variant_id) m on m.variant_id = v.id
			where v.commune_id = $1 and v.stock <> coalesce(m.ledger, 0) order by v.id`, commune)
		if err != nil {
			return err
		}
		n += len(list)
		for _, d := range list {
			if len(told) < maxTold {
				told = append(told, fmt.Sprintf("%s/%s has %d, its ledger %d", commune, d.ID, d.Stock, d.Ledger))
			}
		}
	}
	if n > 0 {
		return fmt.Errorf("stock and ledger of %d variants differ: %s", n, strings.Join(told, "; "))
	}
	return nil
}
