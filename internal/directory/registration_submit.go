package directory

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// SubmitRegistrationInput is a dossier to hand to the commune's agent.
type SubmitRegistrationInput struct {
	Registration tenancy.ID
	Secret       *string
}

// questions ask for an answer that is missing, in French.
var questions = map[string]string{
	"siret": "le SIRET de l'établissement", "name": "le nom de la boutique", "category": "son activité", "street": "sa rue", "postcode": "son code postal",
	"city": "sa ville", "contactName": "le nom de la personne à contacter", "contactPhone": "son téléphone ou son adresse électronique", "consent": "son accord",
}

// Submit hands a dossier to the agent of its commune. What the register says of the SIRET is not
// waited for: it is there for the agent to read.
//
// Faults: NOT_FOUND for a dossier that is not the viewer's. What is missing is a refusal for each.
func (r *Registrations) Submit(ctx context.Context, v *identity.Viewer, in SubmitRegistrationInput) (_ *RegistrationPayload, err error) {
	defer fault.Wrap(&err, "Submit(%s)", in.Registration)
	if err := checkRegistration(in.Registration); err != nil {
		return nil, err
	}
	was, as, err := r.find(ctx, v, in.Registration, in.Secret)
	if err != nil {
		return nil, err
	}
	if was.Status == Submitted { // asked twice, it is done once
		return &RegistrationPayload{Registration: was, Existed: true, Refusals: []DirectoryRefusal{}}, nil
	}
	if !was.open() {
		return closed(was), nil
	}
	var done *Registration
	var missing []string
	err = r.DB.Write(ctx, as.scope, func(ctx context.Context, tx pgx.Tx) error {
		before, err := r.lockTx(ctx, tx, was.ID(), nil)
		if err != nil {
			return err
		}
		if done, missing = before, before.missing(); len(missing) > 0 || before.Status == Submitted {
			return nil
		}
		now := r.now()
		if done, err = r.setTx(ctx, tx, before, assignments{{"status", string(Submitted)}, {"submitted_at", now}, {"updated_at", now}}); err != nil {
			return err
		}
		if err := r.noteTx(ctx, tx, as, done, step{kind: StepSubmitted}, auditSubmit, before.state()); err != nil {
			return err
		}
		return tell(ctx, tx, "registration_received", done.ID())
	})
	if err != nil {
		return nil, err
	}
	refusals := []DirectoryRefusal{}
	for _, name := range missing {
		refusals = append(refusals, DirectoryRefusal{
			Code: AnswerMissing, Path: []string{"input", "registration", name}, Message: "Il manque " + questions[name] + ".",
		})
	}
	return &RegistrationPayload{Registration: done, Refusals: refusals}, nil
}
