package privacy

import (
	"context"
	"encoding/json"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
)

// MyData is all that is kept of a person.
type MyData struct {
	JSON string // a document of its own: RGPD art. 20, a common format that machines read
}

const exportOrders = `
	select coalesce(jsonb_agg(jsonb_build_object(
		'numero', o.number, 'commune', o.commune_id, 'boutique', (select s.name from shops s where s.commune_id = o.commune_id and s.id = o.shop_id),
		'etat', o.status, 'mode', o.mode, 'canal', o.channel, 'passee_le', o.placed_at, 'modifiee_le', o.updated_at, 'message', o.note, 'motif', o.reason_text,
		'total_articles_centimes', o.items_cents, 'livraison_centimes', o.delivery_cents, 'code_de_retrait', o.pickup_code,
		'contact', (select jsonb_build_object('nom', c.name, 'telephone', c.phone, 'courriel', c.email, 'rue', c.street, 'code_postal', c.postcode, 'ville', c.city)
			from order_contacts c where c.commune_id = o.commune_id and c.order_id = o.id),
		'articles', (select jsonb_agg(jsonb_build_object('nom', l.name, 'declinaison', l.option_value, 'quantite', l.quantity, 'prix_centimes', l.unit_cents) order by l.line)
			from order_lines l where l.commune_id = o.commune_id and l.order_id = o.id),
		'historique', (select jsonb_agg(jsonb_build_object('evenement', e.kind, 'le', e.at) order by e.order_seq)
			from order_events e where e.commune_id = o.commune_id and e.order_id = o.id)
	) order by o.placed_at, o.id), '[]')::text from orders o where o.commune_id = any($1) and `

// Export is all that is kept of the viewer: of a guest the orders of its link; of an account what
// its issuer told of it, its roles, its orders and the dossiers that it began. It is read with the
// viewer's own rights.
//
// Faults: UNAUTHENTICATED for a visitor.
func (p *Privacy) Export(ctx context.Context, v *identity.Viewer) (_ *MyData, err error) {
	defer fault.Wrap(&err, "Export()")
	document := map[string]any{"extrait_le": p.now()}
	add := func(name string, scope pg.Scope, sql string, args ...any) error {
		text, err := pg.SelectScalars[string](ctx, p.DB, scope, sql, args...)
		if err == nil {
			document[name] = json.RawMessage(text[0])
		}
		return err
	}
	if v.Kind == identity.Guest {
		err = add("commandes", v.Scope(), exportOrders+"o.id = any($2)", v.AllCommunes(), rowsOf(v.Orders))
	} else {
		if err := v.SignedIn(); err != nil {
			return nil, err
		}
		err = p.exportAccount(v, add)
	}
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(document, "", "  ")
	return &MyData{JSON: string(text)}, err
}

func (p *Privacy) exportAccount(v *identity.Viewer, add func(name string, scope pg.Scope, sql string, args ...any) error) error {
	scope := v.AsCustomer().Scope()
	if err := add("commandes", scope, exportOrders+"o.customer_id = $2", v.AllCommunes(), v.Account); err != nil {
		return err
	}
	if err := add("dossiers", scope, `
		select coalesce(jsonb_agg(jsonb_build_object('commune', commune_id, 'boutique', name, 'etat', status, 'nom', contact_name, 'telephone', contact_phone,
			'courriel', contact_email, 'consentement', consent_version, 'consenti_le', consent_at, 'commence_le', created_at) order by created_at), '[]')::text
		from registrations where commune_id = any($1) and account_id = $2`, v.AllCommunes(), v.Account); err != nil {
		return err
	}
	own := pg.Scope{Role: pg.Identity}
	if err := add("compte", own, `select jsonb_build_object('fournisseur', issuer, 'identifiant', subject, 'nom', name, 'courriel', email)::text from accounts where id = $1`, v.Account); err != nil {
		return err
	}
	if err := add("roles", own, `select coalesce(jsonb_agg(jsonb_build_object('role', role, 'commune', commune_id, 'boutique', shop_id)), '[]')::text from grants where account_id = $1`, v.Account); err != nil {
		return err
	}
	return add("navigateurs", own, `select coalesce(jsonb_agg(jsonb_build_object('ouvert_le', created_at, 'jusqu_au', ends_at) order by created_at), '[]')::text from sessions where account_id = $1`, v.Account)
}
