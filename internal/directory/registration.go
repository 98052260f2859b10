package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory/register"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// Registrations keeps the dossiers from which shops are made: entered by a merchant on the web or
// by the hotline on the telephone, saved at each answer, handed to the commune's agent, who
// verifies them.
//
// Who entered one signed in finds it again by the account; who did not, by a secret that only
// that person has. The database knows a key made of it, and shows the row to nobody else.
type Registrations struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Cursors  *page.Sealer
	Members  *identity.Members
	Register *register.Client // nil: SIRETs are not looked up
	Now      func() time.Time // read once per transaction
	pepper   []byte
}

// NewRegistrations derives its key from a secret of the deployment, of 32 bytes or more.
func NewRegistrations(db *pg.DB, communes *tenancy.Register, cursors *page.Sealer, members *identity.Members, secret []byte) *Registrations {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("halles registration"))
	return &Registrations{DB: db, Communes: communes, Cursors: cursors, Members: members, Now: time.Now, pepper: mac.Sum(nil)}
}

// now is the instant that a transaction writes: UTC, to the microsecond that Postgres keeps.
func (r *Registrations) now() time.Time { return r.Now().UTC().Truncate(time.Microsecond) }

// RegistrationStatus is where a dossier stands.
type RegistrationStatus string

// STARTED → SUBMITTED → VERIFIED or REJECTED; MOVED from the first two, when it goes on in another
// commune.
const (
	Started   RegistrationStatus = "STARTED"
	Submitted RegistrationStatus = "SUBMITTED"
	Verified  RegistrationStatus = "VERIFIED"
	Declined  RegistrationStatus = "REJECTED"
	Moved     RegistrationStatus = "MOVED"
)

// RegistrationChannel is how a dossier was entered.
type RegistrationChannel string

// The channels.
const (
	FromWeb     RegistrationChannel = "WEB"
	FromHotline RegistrationChannel = "HOTLINE"
)

// RegisterState is what the national register says of an establishment.
type RegisterState string

// The states.
const (
	RegisterNone    RegisterState = "NONE"    // no SIRET was given
	RegisterWaiting RegisterState = "WAITING" // it was not reached yet
	RegisterActive  RegisterState = "ACTIVE"
	RegisterClosed  RegisterState = "CLOSED"
	RegisterUnknown RegisterState = "UNKNOWN" // it has no such establishment
)

// Registration is a dossier. What was not answered yet is nil.
type Registration struct {
	CommuneID          string
	Row                uuid.UUID `db:"id"`
	Status             RegistrationStatus
	Channel            RegistrationChannel
	AccountID          *uuid.UUID
	ResumeKey          *uuid.UUID
	ResumeUntil        *time.Time
	Siret              *Siret
	Name               *string
	Description        *string
	CategoryID         *string
	NafCode            *string
	Street             *string
	Postcode           *string
	City               *string
	Latitude           *float64
	Longitude          *float64
	Phone              *string
	Email              *string
	Website            *string
	Services           []string
	Accessibility      []string
	SalesAreaM2        *int `db:"sales_area_m2"`
	Headcount          *int
	ContactName        *string
	ContactPhone       *string
	ContactEmail       *string
	ConsentVersion     *string
	ConsentAt          *time.Time
	ConsentChannel     *ConsentChannel
	CallBackAt         *time.Time
	Reason             *RejectionReason
	ReasonText         *string
	MovedCommune       *string
	MovedRow           *uuid.UUID `db:"moved_id"`
	RegisterState      RegisterState
	RegisterAskedAt    *time.Time
	RegisterAnsweredAt *time.Time
	RegisterName       *string
	RegisterNaf        *string
	RegisterAddress    *string
	RegisterCommune    *string
	RegisterLatitude   *float64
	RegisterLongitude  *float64
	RegisterClosedOn   *time.Time
	SubmittedAt        *time.Time
	DecidedAt          *time.Time
	CreatedAt          time.Time
	UpdatedAt          time.Time
	Version            int
}

const registrationColumns = `r.commune_id, r.id, r.status, r.channel, r.account_id, r.resume_key, r.resume_until, r.siret, r.name, r.description, r.category_id, r.naf_code,
	r.street, r.postcode, r.city, r.latitude, r.longitude, r.phone, r.email, r.website, r.services, r.accessibility, r.sales_area_m2, r.headcount,
	r.contact_name, r.contact_phone, r.contact_email, r.consent_version, r.consent_at, r.consent_channel, r.call_back_at, r.reason, r.reason_text,
	r.moved_commune, r.moved_id, r.register_state, r.register_asked_at, r.register_answered_at, r.register_name, r.register_naf, r.register_address,
	r.register_commune, r.register_latitude, r.register_longitude, r.register_closed_on, r.submitted_at, r.decided_at, r.created_at, r.updated_at, r.version`

// ID is the dossier's global ID.
func (r *Registration) ID() tenancy.ID {
	return tenancy.RowID(tenancy.KindRegistration, r.CommuneID, r.Row)
}

// IsNode marks a type with an ID of its own.
func (*Registration) IsNode() {}

// ShopID is the shop that is made of the dossier: the two share a row's key.
func (r *Registration) ShopID() tenancy.ID {
	return tenancy.RowID(tenancy.KindShop, r.CommuneID, r.Row)
}

// MovedTo is the dossier that goes on in another commune; nil for one that did not move.
func (r *Registration) MovedTo() *tenancy.ID {
	if r.MovedRow == nil {
		return nil
	}
	id := tenancy.RowID(tenancy.KindRegistration, *r.MovedCommune, *r.MovedRow)
	return &id
}

// Location is the shop's door, as it was told; nil while it was not.
func (r *Registration) Location() *tenancy.Point { return point(r.Latitude, r.Longitude) }

func point(latitude, longitude *float64) *tenancy.Point {
	if latitude == nil || longitude == nil {
		return nil
	}
	return &tenancy.Point{Latitude: *latitude, Longitude: *longitude}
}

// Applicant is the person to speak to about the dossier.
func (r *Registration) Applicant() Applicant {
	return Applicant{Name: r.ContactName, Phone: r.ContactPhone, Email: r.ContactEmail}
}

// Applicant is a person to speak to about a dossier; it is never published.
type Applicant struct {
	Name  *string
	Phone *string // E.164
	Email *string
}

// Consent is what was agreed to; nil while nothing was.
func (r *Registration) Consent() *Consent {
	if r.ConsentVersion == nil {
		return nil
	}
	text := consentTexts[*r.ConsentVersion]
	return &Consent{Version: *r.ConsentVersion, Text: text, At: *r.ConsentAt, Channel: *r.ConsentChannel}
}

// Register is what the national register says of the SIRET.
func (r *Registration) Register() RegisterAnswer {
	return RegisterAnswer{
		State: r.RegisterState, AskedAt: r.RegisterAskedAt, AnsweredAt: r.RegisterAnsweredAt, Name: r.RegisterName, NafCode: r.RegisterNaf,
		Address: r.RegisterAddress, CommuneCode: r.RegisterCommune, Location: point(r.RegisterLatitude, r.RegisterLongitude), ClosedOn: r.RegisterClosedOn,
		elsewhere: r.RegisterCommune != nil && *r.RegisterCommune != r.CommuneID,
	}
}

// RegisterAnswer is what the national register says of an establishment. It decides nothing: who
// verifies the dossier does.
type RegisterAnswer struct {
	State       RegisterState
	AskedAt     *time.Time
	AnsweredAt  *time.Time
	Name        *string
	NafCode     *string
	Address     *string
	CommuneCode *string // INSEE
	Location    *tenancy.Point
	ClosedOn    *time.Time
	elsewhere   bool
}

// Warning is a French sentence for whoever looks at the dossier; nil when nothing is wrong.
func (a RegisterAnswer) Warning() *string {
	var text string
	switch {
	case a.State == RegisterClosed:
		text = "D'après le répertoire Sirene, cet établissement est fermé. Vérifiez le SIRET, ou demandez le nouveau."
	case a.State == RegisterUnknown:
		text = "Le répertoire Sirene ne connaît pas ce SIRET. Il peut être trop récent ou mal recopié."
	case a.elsewhere:
		text = "D'après le répertoire Sirene, cet établissement est dans une autre commune."
	default:
		return nil
	}
	return &text
}

// missing lists the answers without which nobody can verify a dossier, as their names in the API.
func (r *Registration) missing() []string {
	missing := []string{}
	for _, a := range []struct {
		name  string
		given bool
	}{
		{"siret", r.Siret != nil},
		{"name", r.Name != nil},
		{"category", r.CategoryID != nil},
		{"street", r.Street != nil},
		{"postcode", r.Postcode != nil},
		{"city", r.City != nil},
		{"contactName", r.ContactName != nil},
		{"contactPhone", r.ContactPhone != nil || r.ContactEmail != nil},
		{"consent", r.ConsentVersion != nil},
	} {
		if !a.given {
			missing = append(missing, a.name)
		}
	}
	return missing
}

// Missing lists the answers that are still needed before the dossier can be submitted, in the
// order of a form; empty once it was.
func (r *Registration) Missing() []string {
	if r.Status != Started {
		return []string{}
	}
	return r.missing()
}

// open tells whether answers may still change.
func (r *Registration) open() bool { return r.Status == Started || r.Status == Submitted }

// state is a dossier for the audit log.
func (r *Registration) state() any { return r }

// RejectionReason says why a dossier did not become a shop.
type RejectionReason string

// The reasons.
const (
	NotAShop      RejectionReason = "NOT_A_SHOP"
	NotHere       RejectionReason = "NOT_IN_COMMUNE"
	NoLongerOpen  RejectionReason = "ESTABLISHMENT_CLOSED"
	IsDuplicate   RejectionReason = "DUPLICATE"
	Incomplete    RejectionReason = "INCOMPLETE"
	Unreachable   RejectionReason = "UNREACHABLE"
	GaveUp        RejectionReason = "WITHDRAWN"
	OtherRejected RejectionReason = "OTHER"
)

// Valid tells whether r is one of the reasons.
func (r RejectionReason) Valid() bool {
	switch r {
	case NotAShop, NotHere, NoLongerOpen, IsDuplicate, Incomplete, Unreachable, GaveUp, OtherRejected:
		return true
	}
	return false
}

// DirectoryRefusal is a no of the business: nothing was changed, and it says what to do instead.
type DirectoryRefusal struct { //nolint:revive // the schema's name: its Refusal is an order's
	Code         DirectoryRefusalCode
	Message      string      // a French sentence, to show
	Path         []string    // the argument that it is about, from the field
	Registration *tenancy.ID // the dossier that there is already, to those who may read it
	Shop         *tenancy.ID // the shop that there is already, to those who may read it
}

// DirectoryRefusalCode is a DirectoryRefusal for programs.
type DirectoryRefusalCode string //nolint:revive // the schema's name

// The refusals.
const (
	SiretHeld         DirectoryRefusalCode = "SIRET_HELD"
	PossibleDuplicate DirectoryRefusalCode = "POSSIBLE_DUPLICATE"
	DossierClosed     DirectoryRefusalCode = "REGISTRATION_CLOSED"
	AnswerMissing     DirectoryRefusalCode = "ANSWER_MISSING"
	NotSubmitted      DirectoryRefusalCode = "NOT_SUBMITTED"
	WrongStatus       DirectoryRefusalCode = "WRONG_STATUS"
)

// RegistrationPayload is a dossier as it stands now, changed or, with refusals, as it was.
type RegistrationPayload struct {
	Registration *Registration
	ResumeSecret *string // new with this answer; not kept
	Existed      bool    // the dossier was there before: its SIRET led to it
	Refusals     []DirectoryRefusal
}

// reader is the scope in which one dossier is read and written, and in which capacity.
type reader struct {
	scope pg.Scope
	kind  identity.Kind
	key   *uuid.UUID // an applicant's
	by    *identity.Viewer
}

// staff tells whether the reader acts for others: the audit log then says so.
func (r reader) staff() bool {
	return r.kind == identity.Agent || r.kind == identity.Hotline || r.kind == identity.Admin
}

// readers are the capacities in which a viewer may reach a dossier of a commune, the one that
// reaches further first.
func (r *Registrations) readers(v *identity.Viewer, commune string, secret *string) []reader {
	var list []reader
	switch v.Kind {
	case identity.Agent, identity.Hotline, identity.Admin:
		list = append(list, reader{scope: v.Scope().In(commune), kind: v.Kind, by: v})
	case identity.Customer, identity.Merchant, identity.Analyst:
		own := v.AsCustomer() // merchants open a second shop as private persons
		list = append(list, reader{scope: own.Scope().In(commune), kind: own.Kind, by: own})
	case identity.Visitor, identity.Widget, identity.Guest:
	}
	if secret != nil {
		list = append(list, r.applicant(v, commune, r.key(*secret)))
	}
	return list
}

// applicant is who holds a secret, as row-level security knows it.
func (r *Registrations) applicant(v *identity.Viewer, commune string, key uuid.UUID) reader {
	scope := pg.Scope{Role: pg.App, Kind: "applicant", Viewer: key, Communes: v.AllCommunes()}
	return reader{scope: scope.In(commune), kind: identity.Visitor, key: &key, by: v}
}

// reads tells whether a dossier is the reader's to read: what row-level security says too.
func (r reader) reads(d *Registration) bool {
	switch {
	case !identity.Checked:
		return true
	case r.staff():
		return r.by.Serves(d.CommuneID)
	case r.key != nil:
		return d.ResumeKey != nil && *d.ResumeKey == *r.key
	}
	return d.AccountID != nil && *d.AccountID == r.by.Account
}

// find is a dossier and the capacity in which the viewer reaches it.
func (r *Registrations) find(ctx context.Context, v *identity.Viewer, id tenancy.ID, secret *string) (*Registration, reader, error) {
	for _, as := range r.readers(v, id.Commune, secret) {
		found, err := pg.Select[Registration](ctx, r.DB, as.scope, `
			select `+registrationColumns+` from registrations r where commune_id = $1 and id = $2`, id.Commune, id.Row)
		if err != nil {
			return nil, reader{}, err
		}
		if len(found) == 1 && as.reads(&found[0]) && (as.key == nil || found[0].resumable(r.now(), *as.key)) {
			return &found[0], as, nil
		}
	}
	return nil, reader{}, id.NotFound()
}

// ByID is a dossier that the viewer may read: its own, or one of a commune that it serves.
//
// Faults: NOT_FOUND for any other.
func (r *Registrations) ByID(ctx context.Context, v *identity.Viewer, id tenancy.ID) (*Registration, error) {
	if err := id.Want(tenancy.KindRegistration, "id"); err != nil {
		return nil, err
	}
	found, _, err := r.find(ctx, v, id, nil)
	return found, err
}

// checkRegistration refuses an ID of another kind.
func checkRegistration(id tenancy.ID) error {
	return id.Want(tenancy.KindRegistration, "input", "registration")
}

// conflict says that somebody else was quicker.
func conflict() error {
	return fault.Errorf(fault.Conflict, "Quelqu'un a changé ce dossier entre-temps. Relisez-le, puis recommencez.")
}
