package migrations

import "strings"

// Everybody reads published rows; of rows that are not, only those whose own they are.
//
// A widget reads them in its own commune only.
const Everybody = "visitor widget guest customer merchant agent hotline analyst admin"

// What rows are whose own is said once, for all tables: a merchant's are its shops', an agent's
// its communes', the hotline's and admins' all, a customer's and a guest's their orders'.
const (
	catalogueStaff = "merchant agent hotline admin"
	orderReaders   = "guest customer merchant agent hotline admin"
	orderParties   = "guest customer merchant" // whose business a person's name and words are

	registrationReaders = "customer agent hotline admin" // a customer's are those that it began signed in
)

// Readers tells which columns of tenant tables reach whom through the API: table, then kinds,
// then columns. Everything else is withheld, columns that are not here from all kinds: a new
// column is nobody's until it is added. A test asks the whole schema as each kind, and finds
// exactly this (see graph/graphtest).
//
// Policies choose rows and grants choose columns for all viewers of a role alike; where a row is
// shared and a column of it is not, as in an order that an agent reads without the person, only
// the program holds, and this is where that is said.
var Readers = map[string]map[string]string{
	"shops": {
		Everybody: `id slug name description siret street postcode city phone email website services accessibility
			last_confirmed_at updated_at`,
		catalogueStaff: "created_at headcount sales_area_m2",
	},
	"closures":      {Everybody: "id reason"},
	"special_hours": {Everybody: "reason"},
	"restrictions":  {Everybody: "id title reference url condition area_over_m2 square_metres declared_at"},
	"fulfilments":   {Everybody: "minimum_cents fee_cents perimeter_m"},
	"slots":         {catalogueStaff: "booked"},
	"products":      {Everybody: "id slug name description updated_at"},
	"variants": {
		Everybody:      "id sku option_name option_value price_cents",
		catalogueStaff: "stock",
	},
	"orders": {
		orderReaders: "id number delivery_cents item_count placed_at updated_at",
		orderParties: "pickup_code reason_text note",
	},
	"order_lines":    {orderReaders: "name option_value unit_cents vat_rate"},
	"order_changes":  {orderParties: "text"},
	"order_contacts": {orderParties: "name phone email street postcode city", "hotline": "name phone email"}, // the hotline's reading stands in the audit log
	"order_events":   {orderReaders: "at"},
	"shop_facts":     {"merchant": "items gross_cents"},
	"delegations":    {"merchant agent admin": "id reason asked_at"},
	"audit_events":   {"agent admin": "object at"},
	"commune_settings": {
		Everybody:             "opening_text website pause_text",
		"agent hotline admin": "office_name office_email office_phone updated_at",
	},
	"registrations": {registrationReaders: `id siret name description street postcode city phone email website services accessibility
		sales_area_m2 headcount contact_name contact_phone contact_email consent_version consent_at call_back_at reason_text register_asked_at
		register_answered_at register_name register_naf register_address register_commune submitted_at decided_at created_at updated_at`},
	"shop_steps":  {catalogueStaff: "at reason reason_text"},
	"calls":       {"hotline admin": "id at"},
	"widget_keys": {"agent admin": "id name origins created_at"},
	// Who made an import reads it too: see the policy, which knows accounts.
	"imports":        {"agent admin": "id file_name line_count created_count changed_count issue_count done_count left_count created_at finished_at"},
	"photos":         {Everybody: "id hash small_hash width height alt"},
	"import_changes": {"agent admin": "label"},
}

// SharedRows are tables of which viewers see rows that are neither published nor their own, and
// why that is no harm.
var SharedRows = map[string]string{
	"media_files":  "an image of ours, found by the hash of its bytes, which is told with the photo that it is of",
	"fact_heads":   "how far a commune's events are counted, for whoever reads a shop's own figures: what lies behind is counted live",
	"stream_heads": "whoever writes an event counts it: a number for each commune, within those of the transaction",
}

// ReadBy tells whether a kind of viewer may read a column of rows of its own and, where public,
// of any published row.
func ReadBy(table, column, kind string) (own, public bool) {
	for kinds, columns := range Readers[table] {
		for _, c := range strings.Fields(columns) {
			if c != column {
				continue
			}
			for _, k := range strings.Fields(kinds) {
				if k == kind {
					own = true
					public = public || kinds == Everybody
				}
			}
		}
	}
	return own, public
}
