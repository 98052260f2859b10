package privacy

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ErasedForCaller is the hotline's asking in a caller's name, in the log.
const ErasedForCaller identity.AuditAction = "CALLER_ERASE"

// EraseMyDataInput confirms that it is meant.
type EraseMyDataInput struct{ Confirm bool }

// EraseCallerDataInput names an order of whoever calls.
type EraseCallerDataInput struct{ Order tenancy.ID }

// EraseDataPayload is what was asked to be erased.
type EraseDataPayload struct {
	OrderCount int  // orders that lose their person within some minutes
	OpenCount  int  // orders that are under way, and keep it until their end
	Account    bool // the account is deleted too
	Message    string
}

// orderOf is an order that somebody wants empty.
type orderOf struct {
	CommuneID string
	ID        uuid.UUID
	Ended     bool
}

// EraseMine asks to erase what is kept of the viewer: of a guest the orders of its link, of an
// account all its orders and, unless some are under way or it has a role, the account itself. It
// is written into the ledger at once and carried out within some minutes.
//
// Faults: UNAUTHENTICATED for a visitor, INVALID without confirm.
func (p *Privacy) EraseMine(ctx context.Context, v *identity.Viewer, in EraseMyDataInput) (_ *EraseDataPayload, err error) {
	defer fault.Wrap(&err, "EraseMine()")
	if v.Kind != identity.Guest {
		if err := v.SignedIn(); err != nil {
			return nil, err
		}
	}
	if !in.Confirm {
		return nil, fault.At([]string{"input", "confirm"}, "Un effacement ne se défait pas : confirmez-le par confirm: true.")
	}
	scope, by := v.Scope(), identity.Guest
	where, args := "o.id = any($2)", []any{v.AllCommunes(), rowsOf(v.Orders)}
	if v.Kind != identity.Guest {
		scope, by = v.AsCustomer().Scope(), identity.Customer
		where, args = "o.customer_id = $2", []any{v.AllCommunes(), v.Account}
	}
	got := &EraseDataPayload{}
	err = p.DB.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
		*got = EraseDataPayload{}
		if err := p.ask(ctx, tx, by, where, args, got); err != nil || v.Kind != identity.Customer || got.OpenCount > 0 {
			return err
		}
		got.Account = true
		return ledger(ctx, tx, entry{Subject: "ACCOUNT", ID: v.Account, By: by, AskedAt: p.now()})
	})
	if err != nil {
		return nil, err
	}
	got.Message = got.told(v.Kind != identity.Guest)
	return got, nil
}

// EraseCaller asks so for whoever telephones: of the order that it names, and of all others of its
// telephone number. The log of the order's commune has it.
//
// Faults: FORBIDDEN but for the hotline, NOT_FOUND.
func (p *Privacy) EraseCaller(ctx context.Context, v *identity.Viewer, in EraseCallerDataInput) (_ *EraseDataPayload, err error) {
	defer fault.Wrap(&err, "EraseCaller(%s)", in.Order)
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if v.Kind != identity.Hotline {
		return nil, fault.Errorf(fault.Forbidden, "Le numéro vert efface pour qui téléphone ; les autres effacent leurs propres données.")
	}
	if err := in.Order.Want(tenancy.KindOrder, "input", "order"); err != nil {
		return nil, err
	}
	got := &EraseDataPayload{}
	err = p.DB.Write(ctx, v.Scope(), func(ctx context.Context, tx pgx.Tx) error {
		*got = EraseDataPayload{}
		var phone *string
		err := tx.QueryRow(ctx, `select c.phone from orders o join order_contacts c on c.commune_id = o.commune_id and c.order_id = o.id
			where o.commune_id = $1 and o.id = $2`, in.Order.Commune, in.Order.Row).Scan(&phone)
		if err != nil {
			if errors.Is(err, pgx.ErrNoRows) {
				return in.Order.NotFound()
			}
			return err
		}
		where := `(o.id = $2 or o.id in (select order_id from order_contacts c where c.commune_id = o.commune_id and c.phone = $3))`
		if err := p.ask(ctx, tx, identity.Hotline, where, []any{v.AllCommunes(), in.Order.Row, phone}, got); err != nil {
			return err
		}
		b := &pgx.Batch{}
		identity.QueueAudit(b, identity.AuditEntry{By: v, At: p.now(), Action: ErasedForCaller, Object: in.Order, Before: "kept", After: *got})
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, err
	}
	got.Message = got.told(false)
	return got, nil
}

// ask writes the orders that have ended into the ledger.
func (p *Privacy) ask(ctx context.Context, tx pgx.Tx, by identity.Kind, where string, args []any, got *EraseDataPayload) error {
	rows, err := tx.Query(ctx, `select o.commune_id, o.id, o.status in `+ordering.Ended+` as ended from orders o where o.commune_id = any($1) and `+where+` order by o.commune_id, o.id`, args...)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[orderOf])
	if err != nil {
		return err
	}
	for _, o := range list {
		if !o.Ended {
			got.OpenCount++
			continue
		}
		got.OrderCount++
		if err := ledger(ctx, tx, entry{Subject: "ORDER", Commune: &o.CommuneID, ID: o.ID, By: by, AskedAt: p.now()}); err != nil {
			return err
		}
	}
	return nil
}

func (got *EraseDataPayload) told(account bool) string {
	var s strings.Builder
	fmt.Fprintf(&s, "Effacement demandé pour %d commande(s) ; il est fait dans quelques minutes.", got.OrderCount)
	if got.OpenCount > 0 {
		fmt.Fprintf(&s, " %d commande(s) en cours gardent le contact jusqu'à leur fin : redemandez ensuite, ou annulez-les.", got.OpenCount)
	}
	switch {
	case got.Account:
		s.WriteString(" Votre compte est supprimé.")
	case account && got.OpenCount == 0:
		s.WriteString(" Votre compte a un rôle : demandez d'abord à votre commune ou à la plateforme de le retirer, puis redemandez l'effacement.")
	}
	return s.String()
}

// entry is a line of the ledger, also in its file.
type entry struct {
	Subject string        `json:"subject"` // ORDER or ACCOUNT
	Commune *string       `json:"commune,omitempty"`
	ID      uuid.UUID     `json:"id"`
	By      identity.Kind `json:"by"`
	AskedAt time.Time     `json:"askedAt"`
}

func ledger(ctx context.Context, tx pgx.Tx, e entry) error {
	_, err := tx.Exec(ctx, `insert into erasures (id, subject, commune_id, subject_id, by_kind, asked_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
		tenancy.NewRow(), e.Subject, e.Commune, e.ID, string(e.By), e.AskedAt)
	return err
}

// Carry carries out what the ledger has and is not done, and returns how many it were. To do it
// twice changes nothing.
func (p *Privacy) Carry(ctx context.Context) (n int, err error) {
	type todo struct {
		ID        uuid.UUID
		Subject   string
		CommuneID *string
		SubjectID uuid.UUID
	}
	list, err := pg.Select[todo](ctx, p.DB, pg.Scope{Role: pg.Worker, Kind: "job"}, `select id, subject, commune_id, subject_id from erasures where done_at is null order by id`)
	if err != nil {
		return 0, err
	}
	for _, t := range list {
		if t.Subject == "ORDER" {
			err = p.Ordering.Erase(ctx, *t.CommuneID, []uuid.UUID{t.SubjectID})
		} else {
			err = p.eraseAccount(ctx, t.SubjectID)
		}
		if err == nil {
			_, err = p.DB.Pool(pg.Worker).Exec(ctx, `update erasures set done_at = $2 where id = $1`, t.ID, p.now())
		}
		if err != nil {
			return n, fmt.Errorf("erase %s %s: %w", t.Subject, t.SubjectID, err)
		}
		n++
	}
	return n, nil
}

// eraseAccount deletes an account with its sessions, after what it ordered and began lost it. One
// that got a role since stays, without its orders.
func (p *Privacy) eraseAccount(ctx context.Context, account uuid.UUID) error {
	codes, err := p.Registrations.Communes.Codes(ctx)
	if err != nil {
		return err
	}
	for _, commune := range codes {
		orders, err := pg.SelectScalars[uuid.UUID](ctx, p.DB, pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{commune}},
			`select id from orders where commune_id = $1 and customer_id = $2`, commune, account)
		if err == nil {
			err = p.Ordering.Erase(ctx, commune, orders)
		}
		if err != nil {
			return err
		}
	}
	if err := p.Registrations.Disown(ctx, account); err != nil {
		return err
	}
	_, err = p.DB.Pool(pg.Worker).Exec(ctx, `delete from accounts a where a.id = $1 and not exists (select from grants g where g.account_id = a.id)`, account)
	if err == nil && p.Forget != nil {
		p.Forget(account)
	}
	return err
}

// WriteLedger writes the ledger as lines of JSON, ids only: what to keep beside the backups.
func (p *Privacy) WriteLedger(ctx context.Context, w io.Writer) (n int, err error) {
	rows, err := p.DB.Pool(pg.Worker).Query(ctx, `select subject, commune_id, subject_id, by_kind, asked_at from erasures order by asked_at, id`)
	if err != nil {
		return 0, err
	}
	out := json.NewEncoder(w)
	var e entry
	_, err = pgx.ForEachRow(rows, []any{&e.Subject, &e.Commune, &e.ID, &e.By, &e.AskedAt}, func() error {
		n++
		return out.Encode(e)
	})
	return n, err
}

// Replay brings a database that was restored from a backup up to the ledger: what was erased after
// the backup is erased again, and all cursors of before have expired. A file with a line that is
// wrong changes nothing.
func (p *Privacy) Replay(ctx context.Context, r io.Reader) (lines, erased int, err error) {
	in, list := bufio.NewScanner(r), []entry{}
	for in.Scan() {
		var e entry
		if err := json.Unmarshal(in.Bytes(), &e); err != nil || e.ID == uuid.Nil || (e.Subject != "ORDER" && e.Subject != "ACCOUNT") || (e.Subject == "ORDER") != (e.Commune != nil) {
			return 0, 0, fmt.Errorf("line %d is no entry of the ledger: nothing was changed; take the file that `halles privacy ledger` wrote", len(list)+1)
		}
		list = append(list, e)
	}
	if err := in.Err(); err != nil {
		return 0, 0, err
	}
	err = p.DB.Write(ctx, pg.Scope{Role: pg.Worker, Kind: "job"}, func(ctx context.Context, tx pgx.Tx) error {
		for _, e := range list {
			if err := ledger(ctx, tx, e); err != nil {
				return err
			}
		}
		// All of it anew: what the backup has of it may be older than its own ledger says.
		if _, err := tx.Exec(ctx, `update erasures set done_at = null where done_at is not null`); err != nil {
			return err
		}
		return ordering.NewEpoch(ctx, tx)
	})
	if err != nil {
		return 0, 0, err
	}
	erased, err = p.Carry(ctx)
	return len(list), erased, err
}

func (p *Privacy) now() time.Time { return p.Now().UTC().Truncate(time.Microsecond) }

func rowsOf(ids []tenancy.ID) []uuid.UUID {
	list := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		list[i] = id.Row
	}
	return list
}
