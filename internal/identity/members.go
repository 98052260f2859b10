package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to members.
const (
	InvitedMember      AuditAction = "MEMBER_INVITE"
	AcceptedInvitation AuditAction = "INVITATION_ACCEPT"
	GrantedRole        AuditAction = "ROLE_GRANT"
	RevokedRole        AuditAction = "ROLE_REVOKE"
)

// Members says who acts for what: it invites people, and grants and revokes roles.
//
// Agents of a commune decide on its agents and its merchants; admins on all, and alone on the
// roles over the whole platform, which reach every commune: those stand in every commune's audit log.
type Members struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Now      func() time.Time
	// Forget is told of each account whose roles changed, once that is committed: what it may do
	// changes at once in this process. See Resolver.Forget.
	Forget   func(account uuid.UUID)
	Failures int // wrong codes that an account may give within an hour; maxFailures when zero
	pepper   []byte
}

// NewMembers derives its key from the deployment's secret, as NewGuests does.
func NewMembers(db *pg.DB, communes *tenancy.Register, secret []byte) *Members {
	return &Members{DB: db, Communes: communes, Now: time.Now, Forget: func(uuid.UUID) {}, pepper: derive(secret, "halles invitation")}
}

// Role is a capacity and what it is held over: a merchant's shop, an agent's commune, or all.
type Role struct {
	Role      Kind
	CommuneID *string
	ShopRow   *uuid.UUID `db:"shop_id"`
	GrantedAt time.Time
}

// ShopID is the shop of a merchant's role; null for others.
func (r *Role) ShopID() *tenancy.ID {
	if r.ShopRow == nil {
		return nil
	}
	id := tenancy.RowID(tenancy.KindShop, *r.CommuneID, *r.ShopRow)
	return &id
}

// RoleScope says over what a role is.
type RoleScope struct {
	Role    Kind
	Commune *tenancy.ID // an agent's
	Shop    *tenancy.ID // a merchant's
}

// check refuses a role over the wrong thing, and one that is not the viewer's to decide on.
func (s *RoleScope) check(v *Viewer, path ...string) (*Role, error) {
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	r := &Role{Role: s.Role}
	at := func(name string) []string { return append(slices.Clone(path), name) }
	switch s.Role {
	case Merchant:
		if s.Shop == nil || s.Commune != nil {
			return nil, fault.At(at("shop"), "Le rôle MERCHANT porte sur une boutique : donnez shop, sans commune.")
		}
		if err := s.Shop.Want(tenancy.KindShop, at("shop")...); err != nil {
			return nil, err
		}
		r.CommuneID, r.ShopRow = &s.Shop.Commune, &s.Shop.Row
	case Agent:
		if s.Commune == nil || s.Shop != nil {
			return nil, fault.At(at("commune"), "Le rôle AGENT porte sur une commune : donnez commune, sans shop.")
		}
		if err := s.Commune.Want(tenancy.KindCommune, at("commune")...); err != nil {
			return nil, err
		}
		r.CommuneID = &s.Commune.Commune
	case Hotline, Analyst, Admin:
		if s.Commune != nil || s.Shop != nil {
			return nil, fault.At(at("role"), "Le rôle %s porte sur toute la plateforme : ne donnez ni commune ni shop.", s.Role)
		}
		if v.Kind != Admin {
			return nil, refused(fault.Forbidden, at("role"), "Seuls les administrateurs de la plateforme décident du rôle %s.", s.Role)
		}
		return r, nil
	default:
		return nil, fault.At(at("role"), "Ce rôle ne se donne pas ; donnez MERCHANT, AGENT, HOTLINE, ANALYST ou ADMIN.")
	}
	if err := v.administers(*r.CommuneID); err != nil {
		over := at("commune")
		if r.ShopRow != nil {
			over = at("shop")
		}
		return nil, refused(fault.Of(err).Kind, over, "%s", fault.Of(err).Message)
	}
	return r, nil
}

// refused is a fault for the argument at path, as fault.At is for an input that is wrong in itself.
func refused(kind fault.Kind, path []string, format string, args ...any) error {
	return &fault.Error{Kind: kind, Path: path, Message: fmt.Sprintf(format, args...)}
}

// exists refuses a shop that is not there for those who decide on its merchants.
func (m *Members) exists(ctx context.Context, v *Viewer, r *Role) error {
	if r.ShopRow == nil {
		return nil
	}
	n, err := pg.SelectScalars[int](ctx, m.DB, v.Scope().In(*r.CommuneID), `select count(*) from shops where commune_id = $1 and id = $2`, *r.CommuneID, *r.ShopRow)
	if err == nil && n[0] == 0 {
		err = r.ShopID().NotFound()
	}
	return err
}

// reach lists the communes that a role reaches, in order: their logs tell of it.
func (m *Members) reach(ctx context.Context, r *Role) ([]string, error) {
	if r.CommuneID != nil {
		return []string{*r.CommuneID}, nil
	}
	return m.Communes.Codes(ctx)
}

// noteTx writes a change of roles into the log of every commune that it reaches. It comes first
// in its transaction: the locks on the logs' heads, taken in order, make changes of one role wait
// for one another, so that what is then looked at stays so.
func noteTx(ctx context.Context, tx pgx.Tx, communes []string, e AuditEntry) error {
	b := &pgx.Batch{}
	for _, commune := range communes {
		e.Commune = commune
		QueueAudit(b, e)
	}
	return tx.SendBatch(ctx, b).Close()
}

// errUnchanged rolls a transaction back in which there was nothing to do.
var errUnchanged = errors.New("unchanged")

// invitationLife is how long a code may wait for its person.
const invitationLife = 7 * 24 * time.Hour

// codeLetters are Crockford's, which survive handwriting and the telephone; twelve of them are 60
// bits, and whoever guesses must be signed in.
const (
	codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeSize    = 12
)

// InviteMemberInput is a role for whoever has the code.
type InviteMemberInput struct {
	RoleScope
	Email *string // whom the code is sent to; or
	Phone *string // with neither it is handed over
}

// InviteMemberPayload is an invitation to hand over.
type InviteMemberPayload struct {
	Invitation *Invitation
	Code       *string // "7K3M-9TXQ-2HVD"; not kept. nil where it is sent
	ExpiresAt  time.Time
}

// Invite makes a code that gives a role to the first account that accepts it: sent by mail or
// text message, of which the inviter does not see it, or handed over and read out.
//
// Faults: FORBIDDEN for a role that the viewer does not decide on, NOT_FOUND for a shop that is
// not there, INVALID for an address or a number that is none.
func (m *Members) Invite(ctx context.Context, v *Viewer, in InviteMemberInput) (_ *InviteMemberPayload, err error) {
	defer fault.Wrap(&err, "Invite(%s)", in.Role)
	r, err := in.check(v, "input")
	if err != nil {
		return nil, err
	}
	if err := in.checkReach(); err != nil {
		return nil, err
	}
	if err := m.exists(ctx, v, r); err != nil {
		return nil, err
	}
	communes, err := m.reach(ctx, r)
	if err != nil {
		return nil, err
	}
	now := m.now()
	r.GrantedAt = now
	i := &Invitation{Role: *r, Row: tenancy.NewRow(), Email: in.Email, Phone: in.Phone, CreatedAt: now, ExpiresAt: now.Add(invitationLife)}
	payload := &InviteMemberPayload{Invitation: i, ExpiresAt: i.ExpiresAt}
	var digest []byte
	if in.Email == nil && in.Phone == nil {
		code := newCode()
		payload.Code, digest = &code, m.digest(code)
	}
	err = m.DB.Write(ctx, v.ruling(communes...), func(ctx context.Context, tx pgx.Tx) error {
		if err := noteTx(ctx, tx, communes, AuditEntry{By: v, At: now, Action: InvitedMember, Object: r.object(communes[0]), After: r.state()}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			insert into invitations (id, digest, role, commune_id, shop_id, invited_by, created_at, expires_at, email, phone) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			i.Row, digest, string(r.Role), r.CommuneID, r.ShopRow, v.Account, now, i.ExpiresAt, in.Email, in.Phone)
		if err != nil {
			return err
		}
		// By the way: an address is kept no longer than it may be used.
		if _, err := tx.Exec(ctx, `update invitations set email = null, phone = null where expires_at < $1 and (email is not null or phone is not null)`, now); err != nil {
			return err
		}
		return queueCode(ctx, tx, i.Row, in.Email, in.Phone)
	})
	if err != nil {
		return nil, err
	}
	return payload, nil
}

// object is what an invitation is about: the shop, or the commune whose log tells of it.
func (r *Role) object(commune string) tenancy.ID {
	if id := r.ShopID(); id != nil {
		return *id
	}
	return tenancy.ID{Kind: tenancy.KindCommune, Commune: commune}
}

// state is a role for the audit log.
func (r *Role) state() any { return []any{r.Role, r.CommuneID, r.ShopRow} }

func newCode() string {
	var raw [codeSize]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	for i := range raw {
		raw[i] = codeLetters[raw[i]%32]
	}
	return string(raw[:4]) + "-" + string(raw[4:8]) + "-" + string(raw[8:])
}

// spoken undoes what hands and telephones do to a code: small letters, spaces, and those letters
// that Crockford leaves out because they look like a digit.
var spoken = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1")

func (m *Members) digest(code string) []byte {
	mac := hmac.New(sha256.New, m.pepper)
	mac.Write([]byte(spoken.Replace(strings.ToUpper(code))))
	return mac.Sum(nil)
}

func (m *Members) now() time.Time { return m.Now().UTC().Truncate(time.Microsecond) }

// codePath is where a code stands in a field's arguments.
var codePath = []string{"input", "code"}

// AcceptInvitationInput is a code, as it was read or heard.
type AcceptInvitationInput struct{ Code string }

// AcceptInvitationPayload is the role that the viewer's account holds now.
type AcceptInvitationPayload struct{ Role *Role }

// Accept gives the role of an invitation to the viewer's account, once. Accepted again by the same
// account it changes nothing.
//
// Faults: NOT_FOUND for a code that is none, CONFLICT for one that has expired, was revoked or
// served another, LIMITED after ten wrong ones within an hour.
func (m *Members) Accept(ctx context.Context, v *Viewer, in AcceptInvitationInput) (_ *AcceptInvitationPayload, err error) {
	defer fault.Wrap(&err, "Accept")
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	type invitation struct {
		Role
		ExpiresAt  time.Time
		AcceptedBy *uuid.UUID
		RevokedAt  *time.Time
	}
	if err := m.checkFailures(ctx, v.Account); err != nil {
		return nil, err
	}
	digest, now := m.digest(in.Code), m.now()
	found, err := pg.Select[invitation](ctx, m.DB, pg.Scope{Role: pg.Identity},
		`select role, commune_id, shop_id, created_at as granted_at, expires_at, accepted_by, revoked_at from invitations where digest = $1`, digest)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if err := m.fail(ctx, v.Account); err != nil {
			return nil, err
		}
		return nil, refused(fault.NotFound, codePath, "Aucune invitation n'a ce code. Relisez-le, ou demandez-en une autre.")
	}
	i := &found[0]
	switch {
	case i.AcceptedBy != nil && *i.AcceptedBy == v.Account:
		return &AcceptInvitationPayload{&i.Role}, nil
	case i.AcceptedBy != nil:
		return nil, errUsed()
	case i.RevokedAt != nil:
		return nil, errRevoked()
	case !now.Before(i.ExpiresAt):
		return nil, refused(fault.Conflict, codePath, "Cette invitation a expiré. Demandez-en une autre à qui vous a invité.")
	}
	communes, err := m.reach(ctx, &i.Role)
	if err != nil {
		return nil, err
	}
	i.GrantedAt = now
	err = m.DB.Write(ctx, v.ruling(communes...), func(ctx context.Context, tx pgx.Tx) error {
		e := AuditEntry{By: v, At: now, Action: AcceptedInvitation, Object: tenancy.AccountID(v.Account), After: i.state()}
		if err := noteTx(ctx, tx, communes, e); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `update invitations set accepted_at = $2, accepted_by = $3, email = null, phone = null where digest = $1 and accepted_at is null and revoked_at is null`, digest, now, v.Account)
		if err == nil && done.RowsAffected() == 0 {
			err = errUsed() // by somebody at the same moment
		}
		if err != nil {
			return err
		}
		_, err = grantTx(ctx, tx, v.Account, &i.Role)
		return err
	})
	if err != nil {
		return nil, err
	}
	m.Forget(v.Account)
	return &AcceptInvitationPayload{&i.Role}, nil
}

func errRevoked() error {
	return refused(fault.Conflict, codePath, "Cette invitation a été retirée. Demandez-en une autre à qui vous a invité.")
}

func errUsed() error {
	return refused(fault.Conflict, codePath, "Cette invitation a déjà servi. Demandez-en une autre à qui vous a invité.")
}

// grantTx tells whether the account had not the role yet.
func grantTx(ctx context.Context, tx pgx.Tx, account uuid.UUID, r *Role) (bool, error) {
	done, err := tx.Exec(ctx, `
		insert into grants (account_id, role, commune_id, shop_id, granted_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		account, string(r.Role), r.CommuneID, r.ShopRow, r.GrantedAt)
	return done.RowsAffected() == 1, err
}

// ChangeRoleInput is a role of an account.
type ChangeRoleInput struct {
	RoleScope
	Account tenancy.ID
}

// ChangeRolePayload is the member as it stands now.
type ChangeRolePayload struct{ Member *Member }

// Grant gives an account a role. One that it holds already stays as it is.
//
// Faults: FORBIDDEN for a role that the viewer does not decide on, NOT_FOUND for an account or a
// shop that is not there.
func (m *Members) Grant(ctx context.Context, v *Viewer, in ChangeRoleInput) (*ChangeRolePayload, error) {
	return m.change(ctx, v, in, GrantedRole, func(ctx context.Context, tx pgx.Tx, r *Role) error {
		done, err := grantTx(ctx, tx, in.Account.Row, r)
		if err == nil && !done {
			err = errUnchanged
		}
		return err
	})
}

// Revoke takes a role from an account; it works within a minute on all that the account has
// open. One that it does not hold changes nothing.
//
// Faults: as Grant's, and CONFLICT for the last admin: nobody could make another.
func (m *Members) Revoke(ctx context.Context, v *Viewer, in ChangeRoleInput) (*ChangeRolePayload, error) {
	return m.change(ctx, v, in, RevokedRole, func(ctx context.Context, tx pgx.Tx, r *Role) error {
		done, err := tx.Exec(ctx, `
			delete from grants where account_id = $1 and role = $2 and commune_id is not distinct from $3 and shop_id is not distinct from $4`,
			in.Account.Row, string(r.Role), r.CommuneID, r.ShopRow)
		switch {
		case err != nil:
			return err
		case done.RowsAffected() == 0:
			return errUnchanged
		case r.Role != Admin:
			return nil
		}
		var left bool
		if err := tx.QueryRow(ctx, `select exists (select from grants where role = 'ADMIN')`).Scan(&left); err != nil {
			return err
		}
		if !left {
			return refused(fault.Conflict, []string{"input", "role"}, "C'est le dernier administrateur de la plateforme. Nommez-en un autre d'abord.")
		}
		return nil
	})
}

func (m *Members) change(ctx context.Context, v *Viewer, in ChangeRoleInput, action AuditAction, do func(context.Context, pgx.Tx, *Role) error) (_ *ChangeRolePayload, err error) {
	defer fault.Wrap(&err, "%s(%s, %s)", action, in.Account, in.Role)
	r, err := in.check(v, "input")
	if err != nil {
		return nil, err
	}
	if err := in.Account.Want(tenancy.KindAccount, "input", "account"); err != nil {
		return nil, err
	}
	if action == GrantedRole {
		if err := m.exists(ctx, v, r); err != nil {
			return nil, err
		}
	}
	names, err := pg.SelectScalars[string](ctx, m.DB, pg.Scope{Role: pg.Identity}, `select name from accounts where id = $1`, in.Account.Row)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, in.Account.NotFound()
	}
	communes, err := m.reach(ctx, r)
	if err != nil {
		return nil, err
	}
	r.GrantedAt = m.now()
	e := AuditEntry{By: v, At: r.GrantedAt, Action: action, Object: in.Account}
	if action == GrantedRole {
		e.After = r.state()
	} else {
		e.Before = r.state()
	}
	err = m.DB.Write(ctx, v.ruling(communes...), func(ctx context.Context, tx pgx.Tx) error {
		if err := noteTx(ctx, tx, communes, e); err != nil {
			return err
		}
		return do(ctx, tx, r)
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
	m.Forget(in.Account.Row)
	list, err := m.list(ctx, `g.account_id = $1 and g.commune_id is not distinct from $2 and g.shop_id is not distinct from $3`, in.Account.Row, r.CommuneID, r.ShopRow)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		list = []*Member{{Row: in.Account.Row, Name: names[0], Roles: []*Role{}}}
	}
	return &ChangeRolePayload{list[0]}, nil
}
