package directory

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/patch"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// VerifyRegistrationInput makes a shop of a dossier, with what its agent adds.
type VerifyRegistrationInput struct {
	Registration tenancy.ID
	Version      int            // that the agent has read
	Naf          *string        // where neither the merchant nor the register told it
	Location     *tenancy.Point // likewise
	Invite       *bool          // a code for the merchant's account; true when absent
}

// VerifyRegistrationPayload is the dossier with the shop that it has become.
type VerifyRegistrationPayload struct {
	Registration *Registration
	Shop         *Shop
	Invitation   *identity.InviteMemberPayload // nil when none was asked for
	Refusals     []DirectoryRefusal
}

// Verify makes a shop of a submitted dossier: PENDING, seen by its merchant and staff only. The
// merchant gets a code to run it with. The register's word is not needed: the agent knows the
// street.
//
// Faults: NOT_FOUND for a dossier of a commune that the viewer does not serve, FORBIDDEN for the
// hotline, CONFLICT for a version that is no longer the dossier's.
func (r *Registrations) Verify(ctx context.Context, v *identity.Viewer, in VerifyRegistrationInput) (_ *VerifyRegistrationPayload, err error) {
	defer fault.Wrap(&err, "Verify(%s)", in.Registration)
	was, as, err := r.decide(ctx, v, in.Registration)
	if err != nil {
		return nil, err
	}
	if in.Naf != nil && !activityForm.MatchString(*in.Naf) {
		return nil, fault.At([]string{"input", "naf"}, "%s n'est pas un code NAF ; écrivez 47.71Z.", fault.Shown(*in.Naf))
	}
	if in.Location != nil {
		if err := in.Location.Check("input", "location"); err != nil {
			return nil, err
		}
	}
	if was.Status != Submitted {
		return &VerifyRegistrationPayload{Registration: was, Refusals: undecidable(was)}, nil
	}
	if missing := was.lacks(&in); len(missing) > 0 {
		return &VerifyRegistrationPayload{Registration: was, Refusals: missing}, nil
	}
	p := &VerifyRegistrationPayload{Refusals: []DirectoryRefusal{}}
	for range maxTries {
		err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
			before, err := r.lockTx(ctx, tx, was.ID(), &in.Version)
			if err != nil {
				return err
			}
			now := r.now()
			set := assignments{{"status", string(Verified)}, {"decided_at", now}, {"updated_at", now}, {"call_back_at", nil}}
			if p.Registration, err = r.setTx(ctx, tx, before, set); err != nil {
				return err
			}
			if p.Shop, err = makeShopTx(ctx, tx, before, &in, now); err != nil {
				return err
			}
			if err := r.noteTx(ctx, tx, as, p.Registration, step{kind: StepVerified}, auditVerify, before.state()); err != nil {
				return err
			}
			return tell(ctx, tx, "registration_verified", p.Registration.ID())
		})
		if pg.Constraint(err) != "shops_slug_unique" { // somebody took the name at the same moment
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if in.Invite == nil || *in.Invite {
		shop := p.Shop.ID()
		p.Invitation, err = r.Members.Invite(ctx, v, identity.InviteMemberInput{RoleScope: identity.RoleScope{Role: identity.Merchant, Shop: &shop}})
	}
	return p, err
}

// decide is a dossier for those who decide on it: the agents of its commune and admins.
func (r *Registrations) decide(ctx context.Context, v *identity.Viewer, id tenancy.ID) (*Registration, reader, error) {
	if err := checkRegistration(id); err != nil {
		return nil, reader{}, err
	}
	was, as, err := r.find(ctx, v, id, nil)
	if err == nil && as.kind != identity.Agent && as.kind != identity.Admin {
		err = fault.Errorf(fault.Forbidden, "Les agents de la commune et les administrateurs décident des dossiers ; le numéro vert les leur transmet.")
	}
	return was, as, err
}

// undecidable says why a dossier cannot be decided on.
func undecidable(d *Registration) []DirectoryRefusal {
	if d.Status == Started {
		return []DirectoryRefusal{{Code: NotSubmitted, Path: []string{"input", "registration"}, Message: "Ce dossier n'est pas encore complet : soumettez-le d'abord."}}
	}
	return closed(d).Refusals
}

// lacks lists what a shop needs and nobody has told.
func (d *Registration) lacks(in *VerifyRegistrationInput) []DirectoryRefusal {
	refusals := []DirectoryRefusal{}
	if in.Naf == nil && d.NafCode == nil && (d.RegisterNaf == nil || !activityForm.MatchString(*d.RegisterNaf)) {
		refusals = append(refusals, DirectoryRefusal{Code: AnswerMissing, Path: []string{"input", "naf"}, Message: "Le répertoire Sirene n'a pas dit l'activité : donnez le code NAF, comme 47.71Z."})
	}
	if in.Location == nil && d.Location() == nil && point(d.RegisterLatitude, d.RegisterLongitude) == nil {
		refusals = append(refusals, DirectoryRefusal{Code: AnswerMissing, Path: []string{"input", "location"}, Message: "Placez la boutique sur la carte : personne n'a dit où est sa porte."})
	}
	return refusals
}

// nafRev2Ends is when NAF 2025 takes over from NAF rev. 2 (INSEE).
var nafRev2Ends = time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC) // midnight in Paris

// nafVersion is the nomenclature of a code that is told now.
func nafVersion(now time.Time) string {
	if now.Before(nafRev2Ends) {
		return "REV2"
	}
	return "2025"
}

// naf is the activity of the shop and its nomenclature: as the agent, the merchant or the register
// told it, who still speaks rev. 2.
func (d *Registration) naf(in *VerifyRegistrationInput, now time.Time) Naf {
	switch {
	case in.Naf != nil:
		return Naf{*in.Naf, nafVersion(now)}
	case d.NafCode != nil:
		return Naf{*d.NafCode, nafVersion(now)}
	}
	return Naf{*d.RegisterNaf, "REV2"}
}

// makeShopTx makes the shop. It has the dossier's key, and so keeps its SIRET. What the merchant
// said when it was submitted counts as confirmed then.
func makeShopTx(ctx context.Context, tx pgx.Tx, d *Registration, in *VerifyRegistrationInput, now time.Time) (*Shop, error) {
	naf, at := d.naf(in, now), in.Location
	if at == nil {
		at = d.Location()
	}
	if at == nil {
		at = point(d.RegisterLatitude, d.RegisterLongitude)
	}
	name := tenancy.Slug(*d.Name, "boutique")
	rows, err := tx.Query(ctx, `select slug from shops where commune_id = $1 and (slug = $2 or slug like $2 || '-%')`, d.CommuneID, name)
	if err != nil {
		return nil, err
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		insert into shops as s (commune_id, id, slug, name, description, category_id, naf_code, naf_version, siret, status, street, postcode, city,
			latitude, longitude, phone, email, website, services, accessibility, sales_area_m2, headcount, last_confirmed_at, created_at, updated_at)
		values ($1, $2, $3, $4, coalesce($5, ''), $6, $7, $8, $9, 'PENDING', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $23)
		returning `+shopColumns,
		d.CommuneID, d.Row, tenancy.FreeSlug(name, taken), d.Name, d.Description, d.CategoryID, naf.Code, naf.Version, d.Siret, d.Street, d.Postcode, d.City,
		at.Latitude, at.Longitude, d.Phone, d.Email, d.Website, d.Services, d.Accessibility, d.SalesAreaM2, d.Headcount, d.SubmittedAt, now)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Shop])
}

// RejectRegistrationInput says no to a dossier.
type RejectRegistrationInput struct {
	Registration tenancy.ID
	Reason       RejectionReason
	Text         *string // to the merchant
}

// maxReason bounds what is written beside a reason, in characters.
const maxReason = 500

// Reject ends a dossier without a shop; its SIRET is free again. The merchant is told why. Done
// again it changes nothing.
//
// Faults: NOT_FOUND for a dossier of a commune that the viewer does not serve, FORBIDDEN for the
// hotline.
func (r *Registrations) Reject(ctx context.Context, v *identity.Viewer, in RejectRegistrationInput) (_ *RegistrationPayload, err error) {
	defer fault.Wrap(&err, "Reject(%s)", in.Registration)
	if !in.Reason.Valid() {
		return nil, fault.At([]string{"input", "reason"}, "Ce motif n'existe pas.")
	}
	text, err := reasonText(in.Text, in.Reason == OtherRejected)
	if err != nil {
		return nil, err
	}
	was, as, err := r.decide(ctx, v, in.Registration)
	if err != nil {
		return nil, err
	}
	if !was.open() {
		if was.Status == Declined {
			return &RegistrationPayload{Registration: was, Existed: true, Refusals: []DirectoryRefusal{}}, nil
		}
		return closed(was), nil
	}
	reason := string(in.Reason)
	done, err := r.end(ctx, as, was.ID(), func(now time.Time) assignments {
		return assignments{{"status", string(Declined)}, {"reason", reason}, {"reason_text", text}, {"decided_at", now}, {"call_back_at", nil}}
	}, step{kind: StepRejected, reason: &reason, text: text}, auditReject, "registration_rejected")
	if err != nil {
		return nil, err
	}
	return &RegistrationPayload{Registration: done, Refusals: []DirectoryRefusal{}}, nil
}

// end changes a dossier that is open, with its step, its entry of the audit log and its mail.
func (r *Registrations) end(ctx context.Context, as reader, id tenancy.ID, change func(now time.Time) assignments, s step, action identity.AuditAction, mail string) (done *Registration, err error) {
	err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
		before, err := r.lockTx(ctx, tx, id, nil)
		if err != nil {
			return err
		}
		now := r.now()
		if done, err = r.setTx(ctx, tx, before, append(change(now), assignment{"updated_at", now})); err != nil {
			return err
		}
		if err := r.noteTx(ctx, tx, as, done, s, action, before.state()); err != nil {
			return err
		}
		if mail == "" {
			return nil
		}
		return tell(ctx, tx, mail, id)
	})
	return done, err
}

// tell queues a mail about a dossier or a shop; what it says is read when it is sent.
func tell(ctx context.Context, tx pgx.Tx, template string, about tenancy.ID) error {
	return job.QueueTx(ctx, tx, job.Mail{Template: template, Commune: about.Commune, ID: about.Row}, time.Time{})
}

// reasonText is what is written beside a reason, and must be where the reason alone says nothing.
func reasonText(text *string, needed bool) (*string, error) {
	c := checker{path: []string{"input"}}
	kept := c.text("text", "reason_text", patch.Field[string]{Set: true, Value: text}, maxReason)
	if c.err == nil && kept == nil && needed {
		c.wrong("text", "Le motif OTHER demande une phrase : dites pourquoi dans text.")
	}
	return kept, c.err
}

// CallBackRegistrationInput puts a dossier into the hotline's call-back queue, or takes it out.
type CallBackRegistrationInput struct {
	Registration tenancy.ID
	Secret       *string
	At           *time.Time // not before; absent: as soon as somebody can
	Done         *bool      // the call was made
}

// maxAhead bounds when a call may be asked for.
const maxAhead = 60 * 24 * time.Hour

// CallBack asks the hotline to call the merchant, or says that it has. Who entered the dossier may
// ask; staff may do both.
//
// Faults: NOT_FOUND for a dossier that is not the viewer's, INVALID for a time that is past or
// over 60 days ahead, FORBIDDEN for who is no staff and says that a call was made.
func (r *Registrations) CallBack(ctx context.Context, v *identity.Viewer, in CallBackRegistrationInput) (_ *RegistrationPayload, err error) {
	defer fault.Wrap(&err, "CallBack(%s)", in.Registration)
	if err := checkRegistration(in.Registration); err != nil {
		return nil, err
	}
	now := r.now()
	at := now
	if in.At != nil {
		if at = in.At.UTC().Truncate(time.Microsecond); at.Before(now.Add(-time.Hour)) || at.After(now.Add(maxAhead)) {
			return nil, fault.At([]string{"input", "at"}, "Donnez un instant d'ici à 60 jours, ou retirez at pour être rappelé au plus tôt.")
		}
	}
	was, as, err := r.find(ctx, v, in.Registration, in.Secret)
	if err != nil {
		return nil, err
	}
	s, column := step{kind: StepCallBack}, assignment{"call_back_at", at}
	if in.Done != nil && *in.Done {
		if !as.staff() {
			return nil, fault.Errorf(fault.Forbidden, "Seul le numéro vert dit qu'il a rappelé.")
		}
		if was.CallBackAt == nil {
			return &RegistrationPayload{Registration: was, Existed: true, Refusals: []DirectoryRefusal{}}, nil
		}
		s, column = step{kind: StepCalled}, assignment{"call_back_at", nil}
	}
	if !was.open() {
		return closed(was), nil
	}
	done, err := r.end(ctx, as, was.ID(), func(time.Time) assignments { return slices.Clip(assignments{column}) }, s, auditCallOff, "")
	if err != nil {
		return nil, err
	}
	return &RegistrationPayload{Registration: done, Refusals: []DirectoryRefusal{}}, nil
}
