package notice

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/identity"
)

func init() {
	loaders["invitation"] = invitation
	loaders["delegation_code"] = delegationCode
}

// codeWords is a code that somebody was given, as its letter tells of it.
type codeWords struct {
	Code    string
	By      string // who gave it; empty where the account was erased
	What    string // "gérer la boutique Chez Ève"
	Shop    string
	Reason  string
	Days    int
	Site    string // where to sign in; empty without an address of the site
	Hotline string
}

// capacities say what a role is for.
var capacities = map[identity.Kind]string{
	identity.Merchant: "gérer la boutique %s", identity.Agent: "agir au nom de la commune : %s", identity.Hotline: "répondre au numéro vert",
	identity.Analyst: "lire les tableaux de bord", identity.Admin: "administrer la plateforme",
}

func invitation(ctx context.Context, n *Notices, _ string, row uuid.UUID) (*letter, error) {
	i, err := n.Members.MakeCode(ctx, row)
	switch {
	case errors.Is(err, identity.ErrOver):
		return nil, errNothing
	case err != nil:
		return nil, err
	}
	what := capacities[i.Role]
	if i.Over != "" {
		what = fmt.Sprintf(what, oneLine(i.Over))
	}
	return &letter{Address: i.Email, Phone: i.Phone, Data: &codeWords{Code: i.Code, By: oneLine(i.InvitedBy), What: what, Site: n.URL, Hotline: hotline}}, nil
}

func delegationCode(ctx context.Context, n *Notices, commune string, row uuid.UUID) (*letter, error) {
	d, err := n.Delegations.MakeCode(ctx, commune, row)
	switch {
	case errors.Is(err, identity.ErrOver):
		return nil, errNothing
	case err != nil:
		return nil, err
	}
	return &letter{Name: oneLine(d.Shop), Address: d.Email, Phone: d.Phone, Data: &codeWords{
		Code: d.Code, By: oneLine(d.Agent), Shop: oneLine(d.Shop), Reason: oneLine(d.Reason), Days: d.Days, Hotline: hotline,
	}}, nil
}
