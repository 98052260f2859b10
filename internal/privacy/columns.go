package privacy

import "strings"

// Columns says of every column of text or bytes which rule it is under. A column that can name a
// person, or be written freely by one, is under a rule; the others are in plain. A test asks the
// catalogue, and finds each in one of the two: a new column is nobody's until it is here.
var Columns = map[string]string{ // table → "rule: columns; rule: columns"
	"accounts":         "account: issuer subject name email",
	"sessions":         "account: digest issuer hint",
	"grants":           "account: role",
	"invitations":      "invitation: email phone digest; account: role",
	"delegations":      "work: reason code_digest",
	"audit_events":     "audit: kind action object before_hash after_hash hash",
	"audit_heads":      "audit: hash",
	"erasures":         "audit: subject by_kind",
	"orders":           "order_contact: note reason_text; guest_link: scope idempotency_key; order: buyer_commune number pickup_code channel mode status reason",
	"order_contacts":   "order_contact: name phone email street postcode city",
	"order_changes":    "order_contact: text",
	"order_lines":      "order: name option_value",
	"order_events":     "order: kind status actor reason",
	"guest_links":      "guest_link: digest",
	"idempotency_keys": "guest_link: scope key payload_hash",
	"registrations": `applicant: contact_name contact_phone contact_email reason_text; shop: siret name description street postcode city phone email website
		services accessibility naf_code category_id register_name register_naf register_address register_commune; applicant: consent_version consent_channel channel status reason register_state moved_commune`,
	"shops":         "shop: name slug description siret street postcode city phone email website services accessibility category_id naf_code naf_version status",
	"siret_holders": "shop: siret",
	"shop_steps":    "work: reason_text reason kind actor",
	"closures":      "shop: reason",
	"special_hours": "shop: reason",
	"photos":        "shop: alt hash small_hash",
	"media":         "shop: large_hash small_hash",
	"media_files":   "shop: bytes hash",

	"published_contributions": "shop: siren mode sector",

	"products":          "shop: name description slug key category_id status",
	"variants":          "shop: option_name option_value sku",
	"commune_settings":  "work: office_name office_email office_phone opening_text pause_text website",
	"imports":           "work: file_name issues kind status",
	"import_changes":    "work: label before after kind state",
	"uploads":           "work: name",
	"upload_chunks":     "work: bytes",
	"search_misses":     "search: place",
	"search_miss_terms": "search: place term",
	"search_salts":      "search: salt",
	"search_sightings":  "search: place term session",
}

// plain are columns, "*" for all of a table, that name nobody, and why.
var plain = map[string]string{
	"commune_id": "the commune's INSEE code, in every table",

	"communes.*": "reference data", "categories.*": "reference data", "vat_rates.*": "reference data", "search_thesaurus.*": "reference data",
	"goose_db_version.*": "the migrations' own", "catalog_search.*": "words and names of what is published", "search_terms.*": "words of what is published",
	"restrictions.*": "legal texts", "opening_hours.*": "hours", "opening_spans.*": "hours", "holiday_openings.*": "hours", "fulfilments.*": "conditions of a shop",
	"slots.*": "times", "stock_moves.*": "pieces", "calls.*": "codes; who called is not in it", "messages.*": "ids and codes; not to whom",
	"order_escalations.*": "codes", "widget_keys.*": "publishable keys of sites", "shop_reminders.*": "times",
	"shop_facts.*": "sums", "shop_fact_rates.*": "sums", "fact_heads.*": "counters", "stream_heads.*": "counters", "wrong_codes.*": "counters",
	"privacy_runs.*": "counts", "published_changes.*": "counters", "insight.*": "published figures",
}

// RuleOf is the key of the rule that a column is under; "" for one that names nobody, and false for
// one that nobody has looked at.
func RuleOf(table, column string) (rule string, known bool) {
	for _, part := range strings.Split(Columns[table], ";") {
		key, columns, _ := strings.Cut(part, ":")
		for _, c := range strings.Fields(columns) {
			if c == column {
				return strings.TrimSpace(key), true
			}
		}
	}
	schema, _, _ := strings.Cut(table, ".")
	for _, name := range []string{column, table + ".*", schema + ".*"} {
		if _, there := plain[name]; there {
			return "", true
		}
	}
	return "", false
}
