package directory

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// resumeLife is how long a secret opens its dossier after the last answer.
const resumeLife = 30 * 24 * time.Hour

// newSecret draws what only the applicant has: the commune, which says where to look, and 32
// random bytes, "56121.UEmqifFPI_…".
func newSecret(commune string) string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return commune + "." + base64.RawURLEncoding.EncodeToString(raw[:])
}

// key is what the database knows of a secret: a UUID (RFC 9562, version 8) of its random part, so
// that a dossier that moves to another commune keeps its key.
func (r *Registrations) key(secret string) uuid.UUID {
	_, random, _ := strings.Cut(secret, ".")
	mac := hmac.New(sha256.New, r.pepper)
	mac.Write([]byte(random))
	id := uuid.UUID(mac.Sum(nil)[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}

// resumable tells whether a key opens the dossier now.
func (d *Registration) resumable(now time.Time, key uuid.UUID) bool {
	return d.ResumeKey != nil && *d.ResumeKey == key && now.Before(*d.ResumeUntil)
}

// ResumeRegistrationInput is a dossier to go on with.
type ResumeRegistrationInput struct{ Secret string }

// Resume is the dossier that a secret opens; of one that moved to another commune, the one that
// goes on there. Wrong, expired and malformed secrets take the same way and get the same answer.
func (r *Registrations) Resume(ctx context.Context, v *identity.Viewer, in ResumeRegistrationInput) (*RegistrationPayload, error) {
	commune, _, _ := strings.Cut(in.Secret, ".")
	if !tenancy.ValidInsee(commune) {
		commune = "00000" // no commune has it: it is looked for all the same
	}
	found, err := r.resume(ctx, v, commune, r.key(in.Secret))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fault.Errorf(fault.NotFound, "Ce code de reprise n'est pas valable ou ne l'est plus. Recopiez-le en entier, ou appelez le 0 805 05 00 26.")
	}
	return &RegistrationPayload{Registration: found, Existed: true, Refusals: []DirectoryRefusal{}}, nil
}

// maxMoves bounds how often a dossier is followed from commune to commune.
const maxMoves = 5

// resume looks for the latest dossier of a key; nil for none.
func (r *Registrations) resume(ctx context.Context, v *identity.Viewer, commune string, key uuid.UUID) (*Registration, error) {
	for range maxMoves {
		found, err := pg.Select[Registration](ctx, r.DB, r.applicant(v, commune, key).scope, `
			select `+registrationColumns+` from registrations r
			where commune_id = $1 and resume_key = $2 order by (status = 'MOVED'), created_at desc limit 1`, commune, key)
		if err != nil || len(found) == 0 || !found[0].resumable(r.now(), key) {
			return nil, err
		}
		if found[0].MovedCommune == nil {
			return &found[0], nil
		}
		commune = *found[0].MovedCommune
	}
	return nil, nil //nolint:nilnil // moved in a circle: there is none to go on with
}
