package catalog_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

// While an import changes thousands of rows, whoever orders one of them waits for a moment only.
func TestOrdersDoNotWaitForAnImport(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	const n = 1200
	b.articles(t, "P", n)
	lines := []string{"reference;prix;stock;description"}
	for i := 1; i <= n; i++ {
		lines = append(lines, fmt.Sprintf("P-%d;11,00;20;Décrit", i))
	}
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	var longest time.Duration
	sold := 0
	wait.Go(func() {
		guest := fixture.Viewer(t, b.Database, identity.Visitor).GuestOf(tenancy.NewID(tenancy.KindOrder, b.shop.Commune))
		for i := 1; ctx.Err() == nil; i = (i+96)%n + 1 {
			began := time.Now()
			err := b.Database.DB.Write(context.WithoutCancel(ctx), guest.Scope().In(b.shop.Commune), func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `with taken as (update variants set stock = stock - 1 where commune_id = $1 and sku = $2 and published returning commune_id, id)
					insert into stock_moves (commune_id, id, variant_id, order_id, kind, quantity, at) select commune_id, $3, id, $3, 'ORDERED', -1, now() from taken`,
					b.shop.Commune, fmt.Sprintf("P-%d", i), tenancy.NewRow())
				return err
			})
			if err != nil {
				t.Error(err)
				return
			}
			sold++
			longest = max(longest, time.Since(began))
			time.Sleep(2 * time.Millisecond) // others test too
		}
	})
	began := time.Now()
	im := b.file(t, false, lines...)
	took := time.Since(began)
	stop()
	wait.Wait()
	if im.Status != intake.Applied || im.ChangedCount != n {
		t.Fatalf("%s, %d changed: %v", im.Status, im.ChangedCount, im.Issues)
	}
	if longest > max(time.Second, took/2) { // on a busy machine all is slow: never the whole time at least
		t.Errorf("an import of %v let an order wait %v", took, longest)
	}
	if wrong := pgtest.Scan[int](t, b.Database, `select count(*) from variants v where stock <> (select sum(quantity) from stock_moves m where m.variant_id = v.id)`); wrong != 0 {
		t.Errorf("the ledger of %d variants does not add up", wrong)
	}
	// What was sold before the plan is in its count; what was sold after stays sold.
	before := pgtest.Scan[int](t, b.Database, `select sum(10 - (before ->> 'stock')::int) from import_changes`)
	if left := pgtest.Scan[int](t, b.Database, `select sum(20 - stock) from variants`); left != sold-before || sold == 0 {
		t.Errorf("%d sold, %d of them before the plan, and %d missing from the stock", sold, before, left)
	}
	t.Logf("%d orders beside it, the longest took %v", sold, longest)
}

// A row that somebody changes between the plan and its execution ends the import, and all that it
// had done is put back.
func TestChangedMeanwhileNothingIsImported(t *testing.T) {
	t.Parallel()
	b := newImporter(t)
	lines := []string{"reference;prix;nom;tva"}
	last := b.articles(t, "R", 900) // three chunks
	for i := range 900 {
		lines = append(lines, fmt.Sprintf("R-%d;15,00;;", i+1))
	}
	lines = append(lines, "MADE;15;Neuf;20")
	before := b.rows(t)
	steps := b.Steps[intake.Products]
	b.Steps[intake.Products] = func(ctx context.Context, tx pgx.Tx, v *identity.Viewer, commune string) (*intake.Steps, error) {
		s, err := steps(ctx, tx, v, commune)
		chunks, lock := 0, s.Lock
		s.Lock = func(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int) error {
			if chunks++; chunks == 2 { // somebody else changes the last row, whose turn is yet to come
				b.Exec(t, `update variants set price_cents = 1 where id = $1`, last.Row)
			}
			return lock(ctx, tx, im, lines)
		}
		return s, err
	}
	im := b.file(t, false, lines...)
	if im.Status != intake.Failed || im.IssueCount != 1 || !strings.Contains(im.Issues[0].Message, "vient d'être modifié") {
		t.Fatalf("%s: %v", im.Status, im.Issues)
	}
	b.Exec(t, `update variants set price_cents = 1290 where id = $1`, last.Row)
	if diff := cmp.Diff(before, b.rows(t)); diff != "" {
		t.Errorf("left behind:\n%s", diff)
	}
}

// A process that dies in the middle is followed by another, which goes on where the journal stands.
func TestCrashIsResumed(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]int{"BeforeTheFirstChunk": 1, "BetweenChunks": 2, "BeforeTheNewRows": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newImporter(t)
			lines := []string{"reference;prix;stock;nom;tva"}
			b.articles(t, "R", 500) // two chunks
			for i := range 500 {
				lines = append(lines, fmt.Sprintf("R-%d;15,00;20;;", i+1))
			}
			lines = append(lines, "MADE;15;3;Neuf;20")
			steps, crash := b.Steps[intake.Products], errors.New("killed")
			b.Steps[intake.Products] = func(ctx context.Context, tx pgx.Tx, v *identity.Viewer, commune string) (*intake.Steps, error) {
				s, err := steps(ctx, tx, v, commune)
				n, lock := 0, s.Lock
				s.Lock = func(ctx context.Context, tx pgx.Tx, im *intake.Import, lines []int) error {
					if n++; n == at {
						return crash
					}
					return lock(ctx, tx, im, lines)
				}
				if at == 3 {
					s.Create = func(context.Context, pgx.Tx, *intake.Import, time.Time, func(int)) error { return crash }
				}
				return s, err
			}
			_, err := b.Run(t.Context(), b.merchant, strings.NewReader(strings.Join(lines, "\n")), intake.Options{Commune: b.shop.Commune, Kind: intake.Products, FileName: "x.csv"})
			if !errors.Is(err, crash) {
				t.Fatal(err)
			}
			b.Steps[intake.Products] = steps
			if n, err := b.Resume(t.Context()); n != 0 || err != nil {
				t.Fatalf("resumed %d while the first may still be at work, %v", n, err)
			}
			later := newIntake(b.Database)
			later.Now = func() time.Time { return time.Now().Add(time.Minute) }
			if n, err := later.Resume(t.Context()); n != 1 || err != nil {
				t.Fatalf("resumed %d, %v", n, err)
			}
			if got := pgtest.Scan[string](t, b.Database, `select status || ' ' || done_count from imports`); got != "APPLIED 501" {
				t.Errorf("resumed, it is %s", got)
			}
			if got := pgtest.Scan[string](t, b.Database, `select concat_ws(' ', count(*), count(*) filter (where price_cents = 1500 and stock in (20, 3)),
				(select sum(quantity) from stock_moves)) from variants`); got != "501 501 10003" {
				t.Errorf("articles, right ones, ledger: %s", got)
			}
		})
	}
}

// A hundred thousand new products, of which nothing is kept in memory on the way. How long it takes
// is told, not asked for: that is a figure of the machine.
func TestImportOfAHundredThousandProducts(t *testing.T) {
	n := 100_000
	if os.Getenv("HALLES_LONG") == "" {
		n = 2100
		t.Parallel()
	}
	d := pgtest.New(t, pgtest.Crowd, pgtest.Fresh) // what was read of it is counted
	communes, cursors := tenancy.NewRegister(d.DB), page.NewSealer(make([]byte, 32))
	in := intake.New(d.DB, communes, cursors)
	cat := catalog.New(d.DB, communes, cursors)
	if in.Steps[intake.Products] = cat.ImportSteps; n < 100_000 {
		cat.MakeAtOnce(250) // several times
	}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	file, to := io.Pipe()
	go func() {
		w := bufio.NewWriter(to)
		fmt.Fprintln(w, "reference;nom;description;prix;tva;stock")
		words := strings.Fields("galette complète beurre salé confiture fraise pomme cidre brut biscuit roman policier enfant carnet pull laine marin coton bleu table chêne lampe savon")
		for i := range n {
			fmt.Fprintf(w, "T-%d;%s %s %s %d;Article de %s;%d,%02d;20;%d\n", i, words[i%23], words[i/7%23], words[i/11%23], i, words[i/3%23], i%90+1, i%100, i%50)
		}
		_ = to.CloseWithError(w.Flush())
	}()
	var most uint64
	var stages []string
	began := time.Now()
	merchant := fixture.Viewer(t, d, identity.Merchant, shop)
	im, err := in.Run(t.Context(), merchant, file, intake.Options{
		Commune: shop.Commune, Kind: intake.Products, FileName: "cent-mille.csv", Progress: func(stage string, _, _ int) {
			if len(stages) == 0 || stages[len(stages)-1] != stage {
				stages = append(stages, stage)
			}
			if n == 100_000 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		},
	})
	if err != nil || im.Status != intake.Applied || im.CreatedCount != n {
		t.Fatalf("%+v %v", im, err)
	}
	t.Logf("%d products in %v, %d MB of heap at most", n, time.Since(began), most>>20)
	if most > 100<<20 {
		t.Errorf("%d bytes of heap", most)
	}
	if got := pgtest.Scan[string](t, d, `select concat_ws(' ', count(*), count(*) filter (where v.published), count(s.words), sum(v.stock) - (select sum(quantity) from stock_moves))
		from variants v left join catalog_search s on s.commune_id = v.commune_id and s.kind = 'PRODUCT' and s.id = v.product_id`); got != fmt.Sprintf("%d %d %d 0", n, n, n) {
		t.Errorf("products, published, found by words, missing from the ledger: %s", got)
	}
	if strings.Join(stages, " ") != "lecture création" {
		t.Errorf("it tells of %v", stages)
	}
	began = time.Now()
	im, refused, err := in.Undo(t.Context(), merchant, im.ID(), nil)
	if err != nil || len(refused) > 0 || im.Status != intake.Undone || im.LeftCount > 0 {
		t.Fatalf("undone: %+v %v %v", im, refused, err)
	}
	t.Logf("undone in %v", time.Since(began))
	// However many there are, what is read for each is as much: plans for a table of one row looked for
	// each of them through all. Sessions that end tell what they have read.
	d.DB.Close()
	for pgtest.Scan[int](t, d, `select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`) > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	read := pgtest.Scan[int](t, d, `select sum(seq_tup_read) + (select sum(idx_tup_read) from pg_stat_user_indexes) from pg_stat_user_tables`)
	t.Logf("%d rows read for each product", read/n)
	if read > 200*n {
		t.Errorf("%d rows were read to make %d", read, n)
	}
}
