package identity

import (
	"cmp"
	"context"
	"fmt"
	"net/mail"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to invitations that wait.
const (
	ResentInvitation  AuditAction = "INVITATION_RESEND"
	RevokedInvitation AuditAction = "INVITATION_REVOKE"
)

// invitationTemplate is the message that carries a code; see internal/notice.
const invitationTemplate = "invitation"

// Invitation is a role that waits for its person.
type Invitation struct {
	Role
	Row       uuid.UUID `db:"id"`
	Email     *string   // whom its code is sent to, if it is sent; or
	Phone     *string
	CreatedAt time.Time
	ExpiresAt time.Time
	SentAt    *time.Time // the last time; nil while the message waits, and where the code is handed over
}

const invitationColumns = `i.role, i.commune_id, i.shop_id, i.created_at as granted_at, i.id, i.email, i.phone, i.created_at, i.expires_at, i.sent_at`

// ID is the invitation's ID, which like an account's names no commune.
func (i *Invitation) ID() tenancy.ID {
	return tenancy.ID{Kind: tenancy.KindInvitation, Row: i.Row}
}

// MemberRole is the role that it gives.
func (i *Invitation) MemberRole() Kind { return i.Role.Role }

// scope is what the role would be over.
func (i *Invitation) scope() *RoleScope {
	s := &RoleScope{Role: i.Role.Role, Shop: i.ShopID()}
	if s.Shop == nil && i.CommuneID != nil {
		s.Commune = &tenancy.ID{Kind: tenancy.KindCommune, Commune: *i.CommuneID}
	}
	return s
}

// checkReach refuses an address or a number that is none, and both at once.
func (in *InviteMemberInput) checkReach() error {
	in.Email, in.Phone = kept(in.Email), kept(in.Phone)
	switch {
	case in.Email != nil && in.Phone != nil:
		return fault.At([]string{"input", "phone"}, "Donnez l'adresse ou le numéro, l'un des deux.")
	case in.Email != nil:
		if a, err := mail.ParseAddress(*in.Email); err != nil || a.Address != *in.Email || len(*in.Email) > maxEmail {
			return fault.At([]string{"input", "email"}, "%s n'est pas une adresse électronique ; écrivez par exemple anna@example.org.", fault.Shown(*in.Email))
		}
	case in.Phone != nil:
		number, ok := phoneNumber(*in.Phone)
		if !ok {
			return fault.At([]string{"input", "phone"}, "%s n'est pas un numéro de téléphone ; écrivez par exemple 06 39 98 12 34.", fault.Shown(*in.Phone))
		}
		in.Phone = &number
	}
	return nil
}

// queueCode has the code of an invitation sent, if it is one that is sent: by mail, or where there is
// no address as a text message.
func queueCode(ctx context.Context, tx pgx.Tx, row uuid.UUID, email, phone *string) error {
	if email == nil && phone == nil {
		return nil
	}
	return job.QueueTx(ctx, tx, job.Mail{Template: invitationTemplate, ID: row}, time.Time{})
}

// InvitationLetter is what a message with a code says.
type InvitationLetter struct {
	Email, Phone string // the one that it is sent to
	Code         string
	Role         Kind
	Over         string // the shop, or the commune; empty for the whole platform
	InvitedBy    string
	ExpiresAt    time.Time
}

// MakeCode makes the code of an invitation, at the moment when it is sent: only its digest is kept.
// Made again, for a message that was not sent, it takes the place of the one before. ErrOver for an
// invitation that waits no more.
func (m *Members) MakeCode(ctx context.Context, row uuid.UUID) (*InvitationLetter, error) {
	type waiting struct {
		Role       Kind
		CommuneID  *string
		ShopID     *uuid.UUID
		Email      string
		Phone      string
		InvitedBy  string
		ExpiresAt  time.Time
		CommuneWas string
	}
	code, now := newCode(), m.now()
	found, err := pg.Select[waiting](ctx, m.DB, pg.Scope{Role: pg.Identity}, `
		update invitations i set digest = $2, sent_at = $3
		where i.id = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > $3 and (i.email is not null or i.phone is not null)
		returning i.role, i.commune_id, i.shop_id, coalesce(i.email, '') as email, coalesce(i.phone, '') as phone, i.expires_at,
			coalesce((select a.name from accounts a where a.id = i.invited_by), '') as invited_by,
			coalesce((select c.name from communes c where c.insee = i.commune_id), '') as commune_was`, row, m.digest(code), now)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrOver
	}
	w := found[0]
	l := &InvitationLetter{Email: w.Email, Phone: w.Phone, Code: code, Role: w.Role, Over: w.CommuneWas, InvitedBy: w.InvitedBy, ExpiresAt: w.ExpiresAt}
	if w.ShopID != nil {
		names, err := pg.SelectScalars[string](ctx, m.DB, pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{*w.CommuneID}},
			`select name from shops where commune_id = $1 and id = $2`, *w.CommuneID, *w.ShopID)
		if err != nil {
			return nil, err
		}
		if len(names) == 1 {
			l.Over = names[0]
		}
	}
	return l, nil
}

// maxInvitations bounds the list of those that wait.
const maxInvitations = 100

// Invitations lists the invitations that wait over a shop, over a commune as a whole or, given
// neither, over the platform, the latest first.
//
// Faults: FORBIDDEN for what the viewer does not decide on.
func (m *Members) Invitations(ctx context.Context, v *Viewer, commune, shop *tenancy.ID) ([]*Invitation, error) {
	r, err := listed(commune, shop).check(v)
	if err != nil {
		return nil, err
	}
	found, err := pg.Select[Invitation](ctx, m.DB, pg.Scope{Role: pg.Identity}, `
		select `+invitationColumns+` from invitations i
		where i.commune_id is not distinct from $1 and i.shop_id is not distinct from $2 and i.accepted_at is null and i.revoked_at is null and i.expires_at > $3
		order by i.created_at desc, i.id limit $4`, r.CommuneID, r.ShopRow, m.now(), maxInvitations)
	list := make([]*Invitation, len(found))
	for i := range found {
		list[i] = &found[i]
	}
	return list, err
}

// InvitationInput names an invitation.
type InvitationInput struct{ Invitation tenancy.ID }

// InvitationPayload is the invitation as it stands now.
type InvitationPayload struct {
	Invitation *Invitation
	Code       *string // where it is handed over and not sent
}

var invitationPath = []string{"input", "invitation"}

// mine finds an invitation that the viewer decides on; for others there is none.
func (m *Members) mine(ctx context.Context, v *Viewer, id tenancy.ID) (*Invitation, *Role, error) {
	if err := id.Want(tenancy.KindInvitation, invitationPath...); err != nil {
		return nil, nil, err
	}
	if err := v.SignedIn(); err != nil {
		return nil, nil, err
	}
	found, err := pg.Select[Invitation](ctx, m.DB, pg.Scope{Role: pg.Identity}, `select `+invitationColumns+` from invitations i where i.id = $1`, id.Row)
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, id.NotFound()
	}
	r, err := found[0].scope().check(v)
	if err != nil {
		return nil, nil, id.NotFound()
	}
	return &found[0], r, nil
}

// Resend gives an invitation a new code and seven new days; the code before is none any more.
//
// Faults: NOT_FOUND for one that the viewer does not decide on, CONFLICT for one that served or was
// revoked.
func (m *Members) Resend(ctx context.Context, v *Viewer, in InvitationInput) (_ *InvitationPayload, err error) {
	defer fault.Wrap(&err, "Resend(%s)", in.Invitation)
	i, r, err := m.mine(ctx, v, in.Invitation)
	if err != nil {
		return nil, err
	}
	payload := &InvitationPayload{Invitation: i}
	var digest []byte
	if i.Email == nil && i.Phone == nil {
		code := newCode()
		payload.Code, digest = &code, m.digest(code)
	}
	err = m.decide(ctx, v, i, r, ResentInvitation, func(ctx context.Context, tx pgx.Tx, now time.Time) (int64, error) {
		i.ExpiresAt, i.SentAt = now.Add(invitationLife), nil
		done, err := tx.Exec(ctx, `update invitations set digest = $2, expires_at = $3, sent_at = null where id = $1 and accepted_at is null and revoked_at is null`, i.Row, digest, i.ExpiresAt)
		if err == nil && done.RowsAffected() == 1 {
			err = queueCode(ctx, tx, i.Row, i.Email, i.Phone)
		}
		return done.RowsAffected(), err
	})
	return payload, err
}

// RevokeInvitation ends an invitation that waits: its code is none any more.
//
// Faults: as Resend's.
func (m *Members) RevokeInvitation(ctx context.Context, v *Viewer, in InvitationInput) (_ *InvitationPayload, err error) {
	defer fault.Wrap(&err, "RevokeInvitation(%s)", in.Invitation)
	i, r, err := m.mine(ctx, v, in.Invitation)
	if err != nil {
		return nil, err
	}
	err = m.decide(ctx, v, i, r, RevokedInvitation, func(ctx context.Context, tx pgx.Tx, now time.Time) (int64, error) {
		done, err := tx.Exec(ctx, `update invitations set revoked_at = $2, revoked_by = $3, email = null, phone = null where id = $1 and accepted_at is null and revoked_at is null`, i.Row, now, v.Account)
		return done.RowsAffected(), err
	})
	return &InvitationPayload{Invitation: i}, err
}

// decide changes an invitation that waits, with the entries in the logs that it reaches.
func (m *Members) decide(ctx context.Context, v *Viewer, i *Invitation, r *Role, action AuditAction, do func(context.Context, pgx.Tx, time.Time) (int64, error)) error {
	communes, err := m.reach(ctx, r)
	if err != nil {
		return err
	}
	return m.DB.Write(ctx, v.ruling(communes...), func(ctx context.Context, tx pgx.Tx) error {
		now := m.now()
		e := AuditEntry{By: v, At: now, Action: action, Object: r.object(communes[0]), Before: []any{i.Row, r.state()}}
		if action == ResentInvitation {
			e.After = []any{i.Row, r.state(), now}
		}
		if err := noteTx(ctx, tx, communes, e); err != nil {
			return err
		}
		n, err := do(ctx, tx, now)
		if err == nil && n == 0 {
			err = refused(fault.Conflict, invitationPath, "Cette invitation a servi ou a été retirée. Faites-en une autre.")
		}
		return err
	})
}

// Bounds of guessing: a person who reads a code badly has it right within ten.
const (
	maxFailures    = 10
	failuresWithin = time.Hour
)

// checkFailures refuses an account that gave too many wrong codes.
func (m *Members) checkFailures(ctx context.Context, account uuid.UUID) error {
	n, err := pg.SelectScalars[int](ctx, m.DB, pg.Scope{Role: pg.Identity}, `select count(*) from code_failures where account_id = $1 and at > $2`, account, m.now().Add(-failuresWithin))
	if err == nil && n[0] >= cmp.Or(m.Failures, maxFailures) {
		err = refused(fault.Limited, codePath, "Trop de codes erronés. Réessayez dans une heure, ou demandez une autre invitation.")
	}
	return err
}

// fail notes a wrong code, and forgets those that count no more.
func (m *Members) fail(ctx context.Context, account uuid.UUID) error {
	now := m.now()
	b := &pgx.Batch{}
	b.Queue(`delete from code_failures where account_id = $1 and at <= $2`, account, now.Add(-failuresWithin))
	b.Queue(`insert into code_failures (account_id, at) values ($1, $2)`, account, now)
	if err := m.DB.Pool(pg.Identity).SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("note a wrong code: %w", err)
	}
	return nil
}
