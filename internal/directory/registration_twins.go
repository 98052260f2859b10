package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// HotlineNumber is the numéro vert, as people read it.
const HotlineNumber = "0 805 05 00 26"

// twin is a shop or a dossier that may be the one being told of.
type twin struct {
	CommuneID string
	Row       uuid.UUID `db:"id"`
	IsShop    bool
	Match     string // phone, street
}

func (t *twin) id() tenancy.ID {
	kind := tenancy.KindRegistration
	if t.IsShop {
		kind = tenancy.KindShop
	}
	return tenancy.RowID(kind, t.CommuneID, t.Row)
}

// alike is how much the streets of two addresses with the same number and postcode have in common
// (pg_trgm, 0 to 1) where one may be the other misspelt: "rue de la Marine" and "rue Marinne" 0.7,
// "rue du Port" and "rue du Pont" 0.5.
const alike = 0.6

// twins looks for what has a phone or an address already, over all communes: as the worker, since
// a twin in a commune that the viewer may not see counts too. What the viewer is told of one is
// for refuseTwins to say.
func (r *Registrations) twins(ctx context.Context, self tenancy.ID, a assignments) ([]twin, error) {
	phones := []string{}
	for _, column := range []string{"phone", "contact_phone"} {
		if p := a.text(column); p != "" {
			phones = append(phones, p)
		}
	}
	street, postcode := a.text("street"), a.text("postcode")
	if len(phones) == 0 && (street == "" || postcode == "") {
		return nil, nil
	}
	codes, err := r.Communes.Codes(ctx)
	if err != nil {
		return nil, err
	}
	// Only what shops publish is compared with shops: a person's own number is nobody's business.
	found, err := pg.Select[twin](ctx, r.DB, pg.Scope{Role: pg.Worker, Communes: codes}, `
		select commune_id, id, is_shop, match from (
			select s.commune_id, s.id, true as is_shop, case when s.phone = any ($1::text[]) then 'phone' else 'street' end as match from shops s
			where s.commune_id = any ($2) and (s.phone = any ($1::text[]) or s.postcode = $3 and street_number(s.street) = street_number($4)
				and similarity(street_key(s.street), street_key($4)) > $5)
			union all
			select d.commune_id, d.id, false, case when d.phone = any ($1::text[]) or d.contact_phone = any ($1::text[]) then 'phone' else 'street' end from registrations d
			where d.commune_id = any ($2) and d.status in ('STARTED', 'SUBMITTED')
			and (d.phone = any ($1::text[]) or d.contact_phone = any ($1::text[]) or d.postcode = $3 and street_number(d.street) = street_number($4)
				and similarity(street_key(d.street), street_key($4)) > $5)) t
		where (commune_id, id) <> ($6, $7)
		order by commune_id, is_shop desc, id limit 20`, phones, codes, postcode, street, alike, self.Commune, self.Row)
	if err != nil {
		return nil, fmt.Errorf("look for twins: %w", err)
	}
	return found, nil
}

// matches says in French by what a twin was found.
var matches = map[string]string{"phone": "ce numéro de téléphone", "street": "cette adresse"}

// refuseTwins says that a shop or a dossier may be this one. Staff is told which where it serves
// the commune; where it does not, and everybody else, only that there is one: whose, the hotline
// knows.
func (r *Registrations) refuseTwins(v *identity.Viewer, found []twin) []DirectoryRefusal {
	refusals := []DirectoryRefusal{}
	elsewhere := map[string]bool{}
	for _, t := range found {
		path := []string{"input", "answers", t.Match}
		if !r.shows(v, t.CommuneID) {
			if !elsewhere[t.Match] {
				elsewhere[t.Match] = true
				refusals = append(refusals, DirectoryRefusal{Code: PossibleDuplicate, Path: path, Message: "Une boutique ou un dossier a déjà " + matches[t.Match] +
					". Appelez le " + HotlineNumber + " pour le retrouver ; s'il s'agit d'une autre boutique, dites-le avec anotherShop."})
			}
			continue
		}
		id, what := t.id(), "Un dossier"
		refusal := DirectoryRefusal{Code: PossibleDuplicate, Path: path}
		if t.IsShop {
			what, refusal.Shop = "Une boutique", &id
		} else {
			refusal.Registration = &id
		}
		refusal.Message = what + " a déjà " + matches[t.Match] + " : ouvrez-le d'abord ; s'il s'agit d'une autre boutique, dites-le avec anotherShop."
		refusals = append(refusals, refusal)
	}
	return refusals
}

// shows tells whether the viewer may be shown what there is in a commune.
func (r *Registrations) shows(v *identity.Viewer, commune string) bool {
	return identity.Checked && v.Serves(commune)
}

// held answers for a SIRET that another shop or dossier has. Who may read the holder gets it: two
// operators who enter one SIRET come to one dossier. An agent of another commune, and whoever is
// no staff, is told to ask the hotline. Nil when nobody holds it any more.
func (r *Registrations) held(ctx context.Context, as reader, commune string, siret Siret, path ...string) (*Registration, *DirectoryRefusal, error) {
	refusal := &DirectoryRefusal{
		Code: SiretHeld, Path: path,
		Message: "Ce SIRET a déjà une boutique ou un dossier. Appelez le " + HotlineNumber + " pour le retrouver.",
	}
	if !as.staff() {
		return r.heldBySelf(ctx, as, commune, siret, refusal)
	}
	scope := as.by.Scope() // of all communes that staff serves
	dossiers, err := pg.Select[Registration](ctx, r.DB, scope, `
		select `+registrationColumns+` from registrations r
		where commune_id = any ($1) and siret = $2 and status in ('STARTED', 'SUBMITTED', 'VERIFIED') limit 1`, as.by.Communes, siret)
	if err != nil {
		return nil, nil, err
	}
	if len(dossiers) == 1 && as.reads(&dossiers[0]) {
		d := &dossiers[0]
		if d.open() {
			return d, nil, nil
		}
		id, shop := d.ID(), d.ShopID()
		refusal.Registration, refusal.Shop = &id, &shop
		refusal.Message = "Ce SIRET a déjà une boutique : ouvrez-la plutôt."
		return nil, refusal, nil
	}
	shops, err := pg.Select[twin](ctx, r.DB, scope, `
		select commune_id, id, true as is_shop, '' as match from shops where commune_id = any ($1) and siret = $2 limit 1`, as.by.Communes, siret)
	if err != nil {
		return nil, nil, err
	}
	if len(shops) == 1 && as.by.Serves(shops[0].CommuneID) {
		id := shops[0].id()
		refusal.Shop, refusal.Message = &id, "Ce SIRET a déjà une boutique : ouvrez-la plutôt."
	}
	return nil, refusal, nil
}

// heldBySelf finds the dossier of somebody who begins again what is begun: an account's own.
func (r *Registrations) heldBySelf(ctx context.Context, as reader, commune string, siret Siret, refusal *DirectoryRefusal) (*Registration, *DirectoryRefusal, error) {
	if as.key != nil {
		return nil, refusal, nil // whoever lost the secret: the hotline helps
	}
	own, err := pg.Select[Registration](ctx, r.DB, as.scope, `
		select `+registrationColumns+` from registrations r
		where commune_id = $1 and siret = $2 and account_id = $3 and status in ('STARTED', 'SUBMITTED')`, commune, siret, as.by.Account)
	if err != nil {
		return nil, nil, err
	}
	if len(own) == 1 && as.reads(&own[0]) {
		return &own[0], nil, nil
	}
	return nil, refusal, nil
}
