package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/pg/cluster"
)

// mark says in the database's own comment that it belongs to a demo, and what fills it. It is
// there before the first table, so that a demo never touches another's data.
type mark struct {
	State  state  `json:"state"`
	Shops  int    `json:"shops,omitempty"`
	Orders int    `json:"orders,omitempty"`
	Seed   uint64 `json:"seed,omitempty"`
	Today  string `json:"today,omitempty"` // "2026-11-24"

	Migration int64 `json:"migration,omitempty"` // the newest that was applied
	Unchecked bool  `json:"unchecked,omitempty"` // foreign keys are not validated yet
}

const markPrefix = "halles demo "

type state string

const (
	nothing state = "nothing" // an empty database
	foreign state = "foreign" // somebody else's
	filling state = "filling" // a demo's that was not finished
	filled  state = "filled"
)

func markOf(p Plan, migration int64) mark {
	return mark{Migration: migration, State: filled, Shops: p.Shops, Orders: p.Orders, Seed: p.Seed, Today: p.Today.Format(time.DateOnly)}
}

// found is what a look at a database tells.
type found struct {
	state state
	mark  mark
}

func (f found) plan() (Plan, error) {
	today, err := Day(f.mark.Today)
	return Plan{Shops: f.mark.Shops, Orders: f.mark.Orders, Seed: f.mark.Seed, Today: today, Issuer: issuer}, err
}

// Day reads a date as the day it is in Lorient.
func Day(date string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, date, paris())
	if err != nil {
		return day, Refused(fmt.Sprintf("%q is not a day: write it as 2020-10-30.", date))
	}
	return day, nil
}

// Today is the day given, or, for "", the last one whose noon is past in Lorient: the data ends at
// noon, and none of it is still to come.
func Today(now time.Time, date string) (time.Time, error) {
	if date == "" {
		now = now.In(paris())
		if now.Hour() < 12 {
			now = now.AddDate(0, 0, -1)
		}
		date = now.Format(time.DateOnly)
	}
	return Day(date)
}

// silent keeps an error for those who ask what it was; its words are in the sentence already.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// look reads the mark of the database that an administrator is connected to.
func look(ctx context.Context, conn *pgx.Conn) (found, error) {
	var major int
	var comment string
	var tables bool
	err := conn.QueryRow(ctx, `
		select current_setting('server_version_num')::int / 10000,
			coalesce((select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()), ''),
			exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
				where n.nspname !~ '^(pg_|information_schema$)'
				and not exists (select from pg_depend where objid = c.oid and deptype = 'e'))`).Scan(&major, &comment, &tables)
	switch text, marked := strings.CutPrefix(comment, markPrefix); {
	case err != nil:
		return found{}, err
	case major < cluster.Oldest:
		return found{}, Refused(fmt.Sprintf("The database runs on Postgres %d: halles needs %d or later.", major, cluster.Oldest))
	case marked:
		f := found{}
		if err := json.Unmarshal([]byte(text), &f.mark); err != nil {
			return f, fmt.Errorf("the demo's mark %q: %w", comment, err)
		}
		f.state = f.mark.State
		return f, nil
	case tables:
		return found{state: foreign}, nil
	}
	return found{state: nothing}, nil
}

// put writes the mark. It does not wait for the disk: whatever waits later, as an order does,
// waits for all that was written before it, and with it for the mark.
func put(ctx context.Context, conn *pgx.Conn, m mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "set synchronous_commit = off; comment on database "+pgx.Identifier{conn.Config().Database}.Sanitize()+
		" is '"+strings.ReplaceAll(markPrefix+string(text), "'", "''")+"'")
	return err
}

// empty drops all that an interrupted demo left. The mark stays.
func empty(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "drop schema public cascade; create schema public; grant usage on schema public to public")
	return err
}

// nameDatabase gives the empty database that every cluster comes with our name: to make another
// takes a tenth of a second.
func nameDatabase(ctx context.Context, template, name string) error {
	return withConn(ctx, template, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "alter database postgres rename to "+pgx.Identifier{name}.Sanitize())
		return err
	})
}

func withConn(ctx context.Context, url string, fn func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(fn(conn), conn.Close(context.WithoutCancel(ctx)))
}
