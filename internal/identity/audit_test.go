package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

var groix = tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}

// Changes that race are written down one after the other: each once, none missing, the chain whole.
func TestAuditIsAChain(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	keys := identity.NewWidgetKeys(d.DB, tenancy.NewRegister(d.DB))
	audit := &identity.Audit{DB: d.DB, Cursors: page.NewSealer(fixture.Secret)}
	agent, admin := fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Admin)
	for commune, want := range map[string]int{fixture.Lorient: 0, fixture.Groix: 0} {
		if n, err := audit.Broken(t.Context(), commune); n != want || err != nil {
			t.Errorf("an empty log is broken at %d, %v", n, err)
		}
	}
	var wait sync.WaitGroup
	for i := range 12 {
		v, commune := agent, lorient
		if i%3 == 0 {
			v, commune = admin, groix
		}
		wait.Go(func() {
			k := fixture.WidgetKey(t, d, commune.Commune, site)
			if _, err := keys.Rotate(t.Context(), v, identity.RotateWidgetKeyInput{Key: k.ID()}); err != nil {
				t.Error(err)
			}
			if _, err := keys.Revoke(t.Context(), v, identity.RevokeWidgetKeyInput{Key: k.ID()}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for commune, want := range map[string]int{fixture.Lorient: 16, fixture.Groix: 8} {
		if n := pgtest.Scan[int](t, d, `select count(*) from audit_events where commune_id = $1`, commune); n != want {
			t.Errorf("%d events of %s, want %d", n, commune, want)
		}
		if n, err := audit.Broken(t.Context(), commune); n != 0 || err != nil {
			t.Errorf("the log of %s is broken at %d, %v", commune, n, err)
		}
	}
	// What is refused leaves nothing.
	if _, err := keys.Create(t.Context(), agent, identity.CreateWidgetKeyInput{Commune: groix, Name: "Site", Origins: []string{site}}); !errors.Is(err, fault.Forbidden) {
		t.Error(err)
	}

	// Whoever alters the log as the database's owner is found out, and where.
	for name, c := range map[string]struct {
		sql string
		at  int
	}{
		"Action":        {`update audit_events set action = 'WIDGET_KEY_CREATE' where commune_id = '56121' and seq = 5`, 5},
		"Time":          {`update audit_events set at = at + interval '1 microsecond' where commune_id = '56121' and seq = 3`, 3},
		"Who":           {`update audit_events set account_id = null where commune_id = '56121' and seq = 2`, 2},
		"Capacity":      {`update audit_events set kind = 'ADMIN' where commune_id = '56121' and seq = 2`, 2},
		"What":          {`update audit_events set object = object || 'x' where commune_id = '56121' and seq = 16`, 16},
		"State":         {`update audit_events set after_hash = sha256('') where commune_id = '56121' and seq = 9`, 9},
		"TakenOut":      {`delete from audit_events where commune_id = '56121' and seq = 7`, 7},
		"FirstTakenOut": {`delete from audit_events where commune_id = '56121' and seq = 1`, 1},
		"LastTakenOut":  {`delete from audit_events where commune_id = '56121' and seq = 16`, 16},
		"AllTakenOut":   {`delete from audit_events where commune_id = '56121'`, 1},
		"Moved":         {`update audit_events set seq = 17 where commune_id = '56121' and seq = 16`, 16},
		"HeadTakenOut":  {`delete from audit_heads where commune_id = '56121'`, 1},
		"HashedAnew": {`update audit_events set action = 'ROLE_GRANT' where commune_id = '56121' and seq = 4;
			update audit_events e set hash = audit_hash(p.hash, e.commune_id, e.seq, e.at, e.account_id, e.kind, e.action, e.object, e.before_hash, e.after_hash)
			from audit_events p where p.commune_id = '56121' and p.seq = 3 and e.commune_id = '56121' and e.seq = 4`, 5},
	} {
		// Altered, looked at and put back; one after the other.
		if _, err := d.Migrate.Exec(t.Context(), `create table kept as select * from audit_events; create table kept_heads as select * from audit_heads; `+c.sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n, err := audit.Broken(t.Context(), fixture.Lorient); n != c.at || err != nil {
			t.Errorf("%s: broken at %d, want %d, %v", name, n, c.at, err)
		}
		if n, err := audit.Broken(t.Context(), fixture.Groix); n != 0 || err != nil {
			t.Errorf("%s: the other commune's is broken at %d, %v", name, n, err)
		}
		d.Exec(t, `delete from audit_events`)
		d.Exec(t, `delete from audit_heads`)
		d.Exec(t, `insert into audit_events select * from kept`)
		d.Exec(t, `insert into audit_heads select * from kept_heads`)
		d.Exec(t, `drop table kept, kept_heads`)
	}
}

// No role of the program changes or removes what was written, and each writes and reads in its
// own communes only.
func TestAuditUnderRowLevelSecurity(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	keys := identity.NewWidgetKeys(d.DB, tenancy.NewRegister(d.DB))
	admin := fixture.Viewer(t, d, identity.Admin)
	for _, commune := range []tenancy.ID{lorient, groix} {
		if _, err := keys.Create(t.Context(), admin, identity.CreateWidgetKeyInput{Commune: commune, Name: "Site", Origins: []string{site}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, role := range d.DB.Roles() {
		scope := admin.Scope()
		scope.Role = role
		for _, sql := range []string{`update audit_events set action = 'NOTHING'`, `update audit_events set hash = hash`, `delete from audit_events`, `truncate audit_events`, `delete from audit_heads`} {
			err := d.DB.Write(t.Context(), scope, func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			if code := pg.Code(err); code != "42501" && code != "25006" {
				t.Errorf("%s may %s: %v", role, sql, err)
			}
		}
	}
	read := func(v *identity.Viewer, role pg.Role) (int, error) {
		scope := v.Scope()
		scope.Role = role
		n, err := pg.SelectScalars[int](t.Context(), d.DB, scope, `select count(*) from audit_events`)
		if err != nil {
			return -1, err
		}
		return n[0], nil
	}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want int
	}{
		"Admin": {admin, 2}, "Agent": {fixture.Viewer(t, d, identity.Agent, lorient), 1}, "Hotline": {fixture.Viewer(t, d, identity.Hotline), 0},
		"Customer": {fixture.Viewer(t, d, identity.Customer), 0}, "Visitor": {fixture.Viewer(t, d, identity.Visitor), 0},
	} {
		if n, err := read(c.v, pg.Identity); n != c.want || err != nil {
			t.Errorf("%s reads %d events, want %d, %v", name, n, c.want, err)
		}
		if n, err := read(c.v, pg.App); pg.Code(err) != "42501" {
			t.Errorf("%s reads %d events as halles_app, %v", name, n, err)
		}
	}
	// An agent's transaction cannot write into another commune's log.
	agent := fixture.Viewer(t, d, identity.Agent, lorient)
	for object, want := range map[tenancy.ID]string{lorient: "", groix: "42501"} {
		err := d.DB.Write(t.Context(), agent.Scope(), func(ctx context.Context, tx pgx.Tx) error {
			b := &pgx.Batch{}
			identity.QueueAudit(b, identity.AuditEntry{By: agent, At: time.Now(), Action: "ORDER_CANCEL", Object: object})
			return tx.SendBatch(ctx, b).Close()
		})
		if pg.Code(err) != want {
			t.Errorf("%s: %v", object, err)
		}
	}
}
