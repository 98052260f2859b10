package directory_test

import (
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// A dossier that nobody touched for three months is gone with the person in it, and its SIRET is
// free; one that was submitted, that is young, or that waits for a call is kept.
func TestUnfinishedDossiersAreForgotten(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	hotline := fixture.Viewer(t, d, identity.Hotline, lorient)
	var dossiers []*directory.Registration
	for n := range 4 {
		p, err := r.Start(t.Context(), hotline, directory.StartRegistrationInput{Commune: lorient, Answers: complete(n)})
		if err != nil || p.Registration == nil {
			t.Fatal(p, err)
		}
		dossiers = append(dossiers, p.Registration)
	}
	if p, err := r.Submit(t.Context(), hotline, directory.SubmitRegistrationInput{Registration: dossiers[1].ID()}); err != nil || len(p.Refusals) > 0 {
		t.Fatal(p, err)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from river.river_job where args ->> 'template' = 'registration_received' and args ->> 'id' = $1`, dossiers[1].Row.String()); n != 1 {
		t.Errorf("%d letters say that it arrived", n)
	}
	if _, err := r.CallBack(t.Context(), hotline, directory.CallBackRegistrationInput{Registration: dossiers[2].ID()}); err != nil {
		t.Fatal(err)
	}
	d.Exec(t, `insert into calls (commune_id, id, at, operator_id, reason, outcome, seconds, registration_id) select $1, gen_random_uuid(), now(), $2, 'REGISTRATION', 'DONE', 60, $3`,
		fixture.Lorient, hotline.Account, dossiers[0].Row)
	d.Exec(t, `update registrations set updated_at = now() - interval '91 days' where id <> $1`, dossiers[3].Row)
	r.Now = time.Now
	if err := r.ForgetUnfinished(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 1, 1, 1} {
		if n := pgtest.Scan[int](t, d, `select count(*) from registrations where id = $1`, dossiers[i].Row); n != want {
			t.Errorf("dossier %d: %d, want %d", i, n, want)
		}
		if n := pgtest.Scan[int](t, d, `select count(*) from siret_holders where siret = $1`, siretNumber(i)); n != want {
			t.Errorf("the SIRET of dossier %d is held %d times, want %d", i, n, want)
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from calls where registration_id is null`); n != 1 {
		t.Errorf("%d calls are counted without their dossier", n)
	}
}
