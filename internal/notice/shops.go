package notice

import (
	"context"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/pg"
)

func init() {
	for _, name := range []string{"registration_received", "registration_verified", "registration_rejected", "shop_published", "shop_suspended", "shop_unconfirmed"} {
		loaders[name] = shopToMerchant
	}
}

// shopWords is a shop, or the dossier that may become one, as its letters tell of it.
type shopWords struct {
	Merchant string // the person of the dossier; empty where unknown
	Shop     string
	Commune  string
	Why      string // the reason of the last step as a sentence; empty without
	Words    string // what the agent added
	Page     string // where the shop's page is; empty without HALLES_URL
	Hotline  string
}

// shopReasons are the reasons of a refusal and of a suspension; what is not here needs no sentence.
var shopReasons = map[string]string{
	"NOT_A_SHOP":           "Ce n'est pas un commerce ouvert au public.",
	"NOT_IN_COMMUNE":       "La boutique n'est pas dans la commune.",
	"ESTABLISHMENT_CLOSED": "Le registre national dit l'établissement fermé.",
	"DUPLICATE":            "La boutique est déjà inscrite.",
	"INCOMPLETE":           "Il manque des renseignements.",
	"UNREACHABLE":          "Nous n'avons pas réussi à vous joindre.",
	"WITHDRAWN":            "Vous l'avez demandé.",
	"CLOSED_FOR_GOOD":      "La boutique est fermée définitivement.",
	"NOT_CONFIRMED":        "Ses renseignements n'ont pas été confirmés depuis longtemps.",
	"ORDERS_NOT_SERVED":    "Des commandes sont restées sans réponse.",
	"AGAINST_RULES":        "Sa page ne suit pas les règles de la place de marché.",
	"MERCHANT_ASKED":       "Vous l'avez demandé.",
}

// shopToMerchant writes to the person of the dossier, who may not be the one whose address the
// shop publishes.
func shopToMerchant(ctx context.Context, n *Notices, commune string, row uuid.UUID) (*letter, error) {
	type merchant struct{ Name, Email, Phone, Shop, Commune, Reason, ReasonText string }
	rows, err := pg.Select[merchant](ctx, n.DB, worker(commune), `
		select coalesce(r.contact_name, '') as name, coalesce(r.contact_email, s.email, r.email, '') as email,
			coalesce(r.contact_phone, s.phone, r.phone, '') as phone, coalesce(s.name, r.name, '') as shop, c.name as commune,
			coalesce(t.reason, '') as reason, coalesce(t.reason_text, '') as reason_text
		from communes c
		left join shops s on s.commune_id = c.insee and s.id = $2
		left join registrations r on r.commune_id = c.insee and r.id = $2
		left join lateral (select t.reason, t.reason_text from shop_steps t where t.commune_id = c.insee and t.shop_id = $2 order by t.at desc, t.id desc limit 1) t on true
		where c.insee = $1 and (s.id is not null or r.id is not null)`, commune, row)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errNothing
	}
	m := rows[0]
	w := &shopWords{
		Merchant: oneLine(m.Name), Shop: oneLine(m.Shop), Commune: m.Commune, Why: shopReasons[m.Reason], Words: oneLine(m.ReasonText), Page: n.URL, Hotline: hotline,
	}
	return &letter{Name: w.Merchant, Address: m.Email, Phone: m.Phone, Data: w}, nil
}
