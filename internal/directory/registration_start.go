package directory

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to dossiers in a capacity that others trust it to have.
const (
	auditStart   identity.AuditAction = "REGISTRATION_START"
	auditSave    identity.AuditAction = "REGISTRATION_SAVE"
	auditMove    identity.AuditAction = "REGISTRATION_MOVE"
	auditSubmit  identity.AuditAction = "REGISTRATION_SUBMIT"
	auditVerify  identity.AuditAction = "REGISTRATION_VERIFY"
	auditReject  identity.AuditAction = "REGISTRATION_REJECT"
	auditCallOff identity.AuditAction = "REGISTRATION_CALL_BACK"
)

// StartRegistrationInput begins a dossier with its first answer, the commune.
type StartRegistrationInput struct {
	Commune     tenancy.ID
	Answers     *RegistrationAnswers
	AnotherShop *bool // the shop is not one of those that have its phone or address
}

// Start begins a dossier. The commune's staff begins it on the telephone, others for themselves:
// who is not signed in gets a secret to resume it with.
//
// A SIRET that has a dossier already leads to that one, where the viewer may read it; else it is a
// refusal, as is a phone number or an address that a shop or a dossier has, until the viewer says
// that this is another shop.
//
// Faults: FORBIDDEN for staff of another commune, NOT_FOUND for a commune that is none, INVALID
// for an answer that is wrong in itself.
func (r *Registrations) Start(ctx context.Context, v *identity.Viewer, in StartRegistrationInput) (_ *RegistrationPayload, err error) {
	defer fault.Wrap(&err, "Start(%s)", in.Commune)
	if err := in.Commune.Want(tenancy.KindCommune, "input", "commune"); err != nil {
		return nil, err
	}
	commune := in.Commune.Commune
	if _, err := r.Communes.ByInsee(ctx, commune); err != nil {
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
	as, secret, err := r.beginner(v, commune)
	if err != nil {
		return nil, err
	}
	id := tenancy.NewID(tenancy.KindRegistration, commune)
	if known, err := r.already(ctx, as, commune, answers); known != nil || err != nil {
		return known, err
	}
	if in.AnotherShop == nil || !*in.AnotherShop {
		twins, err := r.twins(ctx, id, set)
		if err != nil {
			return nil, err
		}
		if len(twins) > 0 {
			return &RegistrationPayload{Refusals: r.refuseTwins(as.by, twins)}, nil
		}
	}
	var made *Registration
	for range maxTries {
		made, err = r.insert(ctx, as, id, answers, set)
		if pg.Constraint(err) != siretHolders {
			break
		}
		held, refusal, lookErr := r.held(ctx, as, commune, *answers.Siret.Value, "input", "answers", "siret")
		switch {
		case lookErr != nil:
			return nil, lookErr
		case held != nil:
			return &RegistrationPayload{Registration: held, Existed: true, Refusals: []DirectoryRefusal{}}, nil
		case refusal != nil:
			return &RegistrationPayload{Refusals: []DirectoryRefusal{*refusal}}, nil
		}
	}
	if err != nil {
		return nil, r.explain(err)
	}
	p := &RegistrationPayload{Registration: made, Refusals: []DirectoryRefusal{}}
	if secret != "" {
		p.ResumeSecret = &secret
	}
	return p, nil
}

// siretHolders is the constraint that gives a SIRET one holder over all communes.
const siretHolders = "siret_holders_pkey"

// maxTries bounds how often a dossier is begun again because the holder of its SIRET gave it up
// at the same moment.
const maxTries = 3

// beginner is as whom a viewer begins a dossier in a commune, with a secret for who has no account.
func (r *Registrations) beginner(v *identity.Viewer, commune string) (as reader, secret string, err error) {
	switch v.Kind {
	case identity.Agent, identity.Hotline, identity.Admin:
		if !v.Serves(commune) {
			return reader{}, "", fault.Errorf(fault.Forbidden, "Vous ne servez pas cette commune : demandez au numéro vert, le %s.", HotlineNumber)
		}
	case identity.Visitor, identity.Widget, identity.Guest:
		secret = newSecret(commune)
		return r.applicant(v, commune, r.key(secret)), secret, nil
	case identity.Customer, identity.Merchant, identity.Analyst:
	}
	return r.readers(v, commune, nil)[0], "", nil
}

// already is the dossier that a SIRET has, to those who may read it; nil for none.
func (r *Registrations) already(ctx context.Context, as reader, commune string, a *RegistrationAnswers) (*RegistrationPayload, error) {
	if a.Siret.Value == nil {
		return nil, nil //nolint:nilnil // none
	}
	held, _, err := r.held(ctx, as, commune, *a.Siret.Value)
	if held == nil || err != nil {
		return nil, err
	}
	return &RegistrationPayload{Registration: held, Existed: true, Refusals: []DirectoryRefusal{}}, nil
}

// insert makes the dossier with its first step.
func (r *Registrations) insert(ctx context.Context, as reader, id tenancy.ID, answers *RegistrationAnswers, set assignments) (made *Registration, err error) {
	err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
		now := r.now()
		row := assignments{{"status", string(Started)}, {"created_at", now}}
		row.set("channel", string(as.channel()))
		if as.key != nil {
			row.set("resume_key", *as.key)
		} else if !as.staff() {
			row.set("account_id", as.by.Account)
		}
		made, err = insertTx(ctx, tx, id, append(row, r.changes(as, answers, set, now)...))
		if err != nil {
			return err
		}
		if err := r.checkTx(ctx, tx, made); err != nil {
			return err
		}
		return r.noteTx(ctx, tx, as, made, step{kind: StepStarted}, auditStart, nil)
	})
	return made, err
}

// channel is how the reader enters a dossier.
func (a reader) channel() RegistrationChannel {
	if a.staff() {
		return FromHotline
	}
	return FromWeb
}

func insertTx(ctx context.Context, tx pgx.Tx, id tenancy.ID, row assignments) (*Registration, error) {
	var args pg.Args
	columns, values := append(assignments{{"commune_id", id.Commune}, {"id", id.Row}}, row...).insert(&args)
	return one(ctx, tx, `insert into registrations as r (`+columns+`) values (`+values+`) returning `+registrationColumns, args...)
}

// one is the one dossier that a statement returns; nil when it finds none.
func one(ctx context.Context, tx pgx.Tx, sql string, args ...any) (*Registration, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Registration])
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// changes are the columns that answers change, with those that follow from them.
func (r *Registrations) changes(as reader, answers *RegistrationAnswers, set assignments, now time.Time) assignments {
	row := append(assignments{{"updated_at", now}}, set...)
	if as.key != nil {
		row.set("resume_until", now.Add(resumeLife))
	}
	if answers.Consent != nil {
		channel := ConsentOnWeb
		if as.staff() {
			channel = ConsentByPhone
		}
		row.set("consent_version", *answers.Consent)
		row.set("consent_at", now)
		row.set("consent_channel", string(channel))
	}
	if answers.Siret.Set { // what was said of another number does not count
		state := RegisterNone
		var asked *time.Time
		if answers.Siret.Value != nil {
			state, asked = RegisterWaiting, &now
		}
		row.set("register_state", string(state))
		row.set("register_asked_at", asked)
		for _, column := range []string{"answered_at", "name", "naf", "address", "commune", "latitude", "longitude", "closed_on"} {
			row.set("register_"+column, nil)
		}
	}
	return row
}

// step is something that happened to a dossier or a shop.
type step struct {
	kind   ShopStepKind
	reason *string
	text   *string
}

// noteTx writes a step and, where it was staff's doing, an entry of the audit log. It comes last
// in its transaction.
func (r *Registrations) noteTx(ctx context.Context, tx pgx.Tx, as reader, after *Registration, s step, action identity.AuditAction, before any) error {
	if s.kind != "" {
		if err := stepTx(ctx, tx, as, after.ShopID(), s, after.UpdatedAt); err != nil {
			return err
		}
	}
	if !as.staff() {
		return nil
	}
	b := &pgx.Batch{}
	identity.QueueAudit(b, identity.AuditEntry{By: as.by, At: after.UpdatedAt, Action: action, Object: after.ID(), Before: before, After: after.state()})
	return tx.SendBatch(ctx, b).Close()
}

func stepTx(ctx context.Context, tx pgx.Tx, as reader, shop tenancy.ID, s step, at time.Time) error {
	var account *uuid.UUID
	if as.by.Account != uuid.Nil {
		account = &as.by.Account
	}
	_, err := tx.Exec(ctx, `
		insert into shop_steps (commune_id, shop_id, id, kind, at, actor, account_id, reason, reason_text) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		shop.Commune, shop.Row, tenancy.NewRow(), string(s.kind), at, string(as.kind), account, s.reason, s.text)
	return err
}

// explain turns what the database refuses into what the input got wrong.
func (r *Registrations) explain(err error) error {
	if pg.Constraint(err) == "registrations_category_fkey" {
		return fault.At([]string{"input", "answers", "category"}, "Cette catégorie n'existe pas ; categories donne celles qu'il y a.")
	}
	return err
}
