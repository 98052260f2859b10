package bench

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/audelor/halles/internal/tenancy"
)

// Sample is what the requests ask for: rows that are there, drawn alike in each run.
type Sample struct {
	Communes []string // slugs of the communes with a full page of shops, the largest first
	Products []tenancy.ID
	Words    []Words
}

// Words is a text to look for in a commune.
type Words struct{ Commune, Text string }

// The pages of the workloads.
const (
	shopsAPage    = 20
	productsAShop = 10
	foundAPage    = 20
)

// Draw looks for what to ask for in a database of the demo, or any filled one; db sees all rows.
func Draw(ctx context.Context, db *pgxpool.Pool) (*Sample, error) {
	s := &Sample{}
	rows, err := db.Query(ctx, `
		select c.slug from communes c join shops s on s.commune_id = c.insee and s.status = 'PUBLISHED'
		group by c.insee having count(*) >= $1 order by count(*) desc, c.insee`, shopsAPage)
	if err != nil {
		return nil, err
	}
	if s.Communes, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, err
	}
	if len(s.Communes) == 0 {
		return nil, fmt.Errorf("no commune has %d published shops: fill the database with more, as `halles demo --shops 3000` does", shopsAPage)
	}
	type product struct {
		CommuneID string
		ID        uuid.UUID
	}
	// By a hash of the key: far from one another, and the same each time.
	rows, err = db.Query(ctx, `select commune_id, id from products where published order by md5(id::text) limit 2000`)
	if err != nil {
		return nil, err
	}
	products, err := pgx.CollectRows(rows, pgx.RowToStructByName[product])
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		s.Products = append(s.Products, tenancy.RowID(tenancy.KindProduct, p.CommuneID, p.ID))
	}
	// The first word of a product's name, in communes where a page of others have it too.
	rows, err = db.Query(ctx, `
		select commune_id, word from (select commune_id, split_part(name, ' ', 1) collate "C" as word from products where published) w
		where char_length(word) >= 4 group by commune_id, word having count(*) >= $1 order by md5(commune_id || word collate "C") limit 500`, foundAPage+1)
	if err != nil {
		return nil, err
	}
	type words struct{ CommuneID, Word string }
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[words])
	for _, w := range found {
		s.Words = append(s.Words, Words{Commune: w.CommuneID, Text: w.Word})
	}
	return s, err
}
