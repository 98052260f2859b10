package directory

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// SaveRegistrationInput is one or several answers of a dossier.
type SaveRegistrationInput struct {
	Registration tenancy.ID
	Secret       *string
	Version      *int // that the answers were given to; absent: whatever it is now
	Commune      *tenancy.ID
	Answers      *RegistrationAnswers
	AnotherShop  *bool
}

// Save keeps answers of a dossier, as many as there are. Another commune as the first answer
// begins a copy there and closes this one: what is a commune's own stays with it.
//
// Faults: NOT_FOUND for a dossier that is not the viewer's, INVALID for an answer that is wrong in
// itself, CONFLICT for a version that is no longer the dossier's, FORBIDDEN for staff that moves it
// to a commune that it does not serve.
func (r *Registrations) Save(ctx context.Context, v *identity.Viewer, in SaveRegistrationInput) (_ *RegistrationPayload, err error) {
	defer fault.Wrap(&err, "Save(%s)", in.Registration)
	if err := checkRegistration(in.Registration); err != nil {
		return nil, err
	}
	answers := in.Answers
	if answers == nil {
		answers = &RegistrationAnswers{}
	}
	set, err := answers.check("input", "answers")
	if err != nil {
		return nil, err
	}
	was, as, err := r.find(ctx, v, in.Registration, in.Secret)
	if err != nil {
		return nil, err
	}
	to := was.CommuneID
	if in.Commune != nil {
		if to, err = r.destination(ctx, as, *in.Commune); err != nil {
			return nil, err
		}
	}
	if !was.open() {
		return closed(was), nil
	}
	if in.AnotherShop == nil || !*in.AnotherShop {
		twins, err := r.twins(ctx, was.ID(), was.compared(set))
		if err != nil {
			return nil, err
		}
		if len(twins) > 0 {
			return &RegistrationPayload{Registration: was, Refusals: r.refuseTwins(as.by, twins)}, nil
		}
	}
	var saved *Registration
	if to == was.CommuneID {
		saved, err = r.update(ctx, as, was, in.Version, answers, set)
	} else {
		saved, err = r.move(ctx, as, was, in.Version, to, answers, set)
	}
	if pg.Constraint(err) == siretHolders {
		siret := was.Siret
		if answers.Siret.Set {
			siret = answers.Siret.Value
		}
		held, refusal, err := r.held(ctx, as, to, *siret, "input", "answers", "siret")
		if err != nil {
			return nil, err
		}
		if held != nil {
			id := held.ID()
			refusal = &DirectoryRefusal{
				Code: SiretHeld, Path: []string{"input", "answers", "siret"}, Registration: &id,
				Message: "Ce SIRET a déjà un dossier : continuez plutôt celui-là.",
			}
		}
		return &RegistrationPayload{Registration: was, Refusals: []DirectoryRefusal{*refusal}}, nil
	}
	if err != nil {
		return nil, r.explain(err)
	}
	p := &RegistrationPayload{Registration: saved, Refusals: []DirectoryRefusal{}}
	if saved.CommuneID != was.CommuneID && in.Secret != nil && as.key != nil {
		// The same random part, so that the first secret leads here too.
		secret := saved.CommuneID + (*in.Secret)[len(saved.CommuneID):]
		p.ResumeSecret = &secret
	}
	return p, nil
}

// closed says that a dossier takes no more answers.
func closed(d *Registration) *RegistrationPayload {
	message := map[RegistrationStatus]string{
		Verified: "Ce dossier est devenu une boutique : c'est elle que l'on modifie.",
		Declined: "Ce dossier a été refusé. Pour une nouvelle demande, commencez un autre dossier.",
		Moved:    "Ce dossier continue dans une autre commune ; movedTo dit lequel.",
	}[d.Status]
	if d.Status == Submitted {
		message = "Ce dossier est déjà chez l'agent de la commune."
	}
	return &RegistrationPayload{Registration: d, Refusals: []DirectoryRefusal{{Code: DossierClosed, Path: []string{"input", "registration"}, Message: message}}}
}

// destination is the commune that a dossier is moved to, or stays in.
func (r *Registrations) destination(ctx context.Context, as reader, commune tenancy.ID) (string, error) {
	if err := commune.Want(tenancy.KindCommune, "input", "commune"); err != nil {
		return "", err
	}
	if _, err := r.Communes.ByInsee(ctx, commune.Commune); err != nil {
		return "", err
	}
	if as.staff() && !as.by.Serves(commune.Commune) {
		return "", fault.Errorf(fault.Forbidden, "Vous ne servez pas cette commune : demandez au numéro vert, le %s.", HotlineNumber)
	}
	return commune.Commune, nil
}

// compared is what twins are looked for by: only what was answered now, with the rest of the
// address where a part of it was.
func (d *Registration) compared(set assignments) assignments {
	if !set.has("street") && !set.has("postcode") {
		return set
	}
	for column, kept := range map[string]*string{"street": d.Street, "postcode": d.Postcode} {
		if !set.has(column) {
			set = append(set[:len(set):len(set)], assignment{column, kept})
		}
	}
	return set
}

// update changes the dossier where it is.
func (r *Registrations) update(ctx context.Context, as reader, was *Registration, version *int, answers *RegistrationAnswers, set assignments) (saved *Registration, err error) {
	err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
		before, err := r.lockTx(ctx, tx, was.ID(), version)
		if err != nil {
			return err
		}
		if saved, err = r.setTx(ctx, tx, before, r.changes(as, answers, set, r.now())); err != nil {
			return err
		}
		if answers.Siret.Set {
			if err := r.checkTx(ctx, tx, saved); err != nil {
				return err
			}
		}
		return r.noteTx(ctx, tx, as, saved, step{}, auditSave, before.state())
	})
	return saved, err
}

// lockTx reads a dossier as it is now and keeps it so until commit.
//
// Faults: CONFLICT when its version is another, or when it takes no more answers.
func (r *Registrations) lockTx(ctx context.Context, tx pgx.Tx, id tenancy.ID, version *int) (*Registration, error) {
	now, err := one(ctx, tx, `select `+registrationColumns+` from registrations r where commune_id = $1 and id = $2 for update`, id.Commune, id.Row)
	switch {
	case err != nil:
		return nil, err
	case now == nil:
		return nil, id.NotFound()
	case version != nil && *version != now.Version || !now.open():
		return nil, conflict()
	}
	return now, nil
}

// setTx changes columns of a dossier that is locked.
func (r *Registrations) setTx(ctx context.Context, tx pgx.Tx, was *Registration, row assignments) (*Registration, error) {
	args := pg.Args{was.CommuneID, was.Row}
	return one(ctx, tx, `update registrations r set `+row.update(&args)+`, version = version + 1
		where commune_id = $1 and id = $2 returning `+registrationColumns, args...)
}

// move closes the dossier and begins a copy with the new answers in another commune, in one
// transaction that spans both. The SIRET is given up before it is taken again.
func (r *Registrations) move(ctx context.Context, as reader, was *Registration, version *int, to string, answers *RegistrationAnswers, set assignments) (copied *Registration, err error) {
	scope := as.scope
	scope.Communes = []string{was.CommuneID, to}
	err = r.DB.Write(ctx, scope, func(ctx context.Context, tx pgx.Tx) error {
		before, err := r.lockTx(ctx, tx, was.ID(), version)
		if err != nil {
			return err
		}
		now, id := r.now(), tenancy.NewID(tenancy.KindRegistration, to)
		left, err := r.setTx(ctx, tx, before, assignments{{"status", string(Moved)}, {"moved_commune", to}, {"moved_id", id.Row}, {"updated_at", now}, {"call_back_at", nil}})
		if err != nil {
			return err
		}
		row := assignments{
			{"status", string(before.Status)},
			{"channel", string(before.Channel)},
			{"account_id", before.AccountID},
			{"resume_key", before.ResumeKey},
			{"created_at", now},
			{"submitted_at", before.SubmittedAt},
			{"call_back_at", before.CallBackAt},
		}
		if before.ResumeKey != nil {
			row.set("resume_until", now.Add(resumeLife))
		}
		changed := r.changes(as, answers, set, now)
		row = append(row, changed...)
		for _, kept := range before.kept() {
			if !row.has(kept.column) {
				row = append(row, kept)
			}
		}
		if copied, err = insertTx(ctx, tx, id, row.once()); err != nil {
			return err
		}
		if err := r.checkTx(ctx, tx, copied); err != nil {
			return err
		}
		// The logs' heads are locked in the order of their communes, as everywhere.
		notes := []func() error{
			func() error { return r.noteTx(ctx, tx, as, left, step{kind: StepMoved}, auditMove, before.state()) },
			func() error { return r.noteTx(ctx, tx, as, copied, step{kind: StepStarted}, auditStart, nil) },
		}
		if to < was.CommuneID {
			notes[0], notes[1] = notes[1], notes[0]
		}
		for _, note := range notes {
			if err := note(); err != nil {
				return err
			}
		}
		return nil
	})
	return copied, err
}

// once keeps the last value of each column.
func (a assignments) once() assignments {
	kept := assignments{}
	for i, one := range a {
		if !a[i+1:].has(one.column) {
			kept = append(kept, one)
		}
	}
	return kept
}

// kept are the answers that a copy takes over.
func (d *Registration) kept() assignments {
	return assignments{
		{"siret", d.Siret},
		{"name", d.Name},
		{"description", d.Description},
		{"category_id", d.CategoryID},
		{"naf_code", d.NafCode},
		{"street", d.Street},
		{"postcode", d.Postcode},
		{"city", d.City},
		{"latitude", d.Latitude},
		{"longitude", d.Longitude},
		{"phone", d.Phone},
		{"email", d.Email},
		{"website", d.Website},
		{"services", d.Services},
		{"accessibility", d.Accessibility},
		{"sales_area_m2", d.SalesAreaM2},
		{"headcount", d.Headcount},
		{"contact_name", d.ContactName},
		{"contact_phone", d.ContactPhone},
		{"contact_email", d.ContactEmail},
		{"consent_version", d.ConsentVersion},
		{"consent_at", d.ConsentAt},
		{"consent_channel", d.ConsentChannel},
		{"register_state", string(d.RegisterState)},
		{"register_asked_at", d.RegisterAskedAt},
		{"register_answered_at", d.RegisterAnsweredAt},
		{"register_name", d.RegisterName},
		{"register_naf", d.RegisterNaf},
		{"register_address", d.RegisterAddress},
		{"register_commune", d.RegisterCommune},
		{"register_latitude", d.RegisterLatitude},
		{"register_longitude", d.RegisterLongitude},
		{"register_closed_on", d.RegisterClosedOn},
	}
}
