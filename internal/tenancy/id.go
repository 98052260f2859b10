package tenancy

import (
	"encoding/base32"
	"io"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
)

// Kind is what an ID points to.
type Kind string

// The kinds of things that have an ID.
const (
	KindCommune  Kind = "commune"
	KindCategory Kind = "category"
	KindShop     Kind = "shop"
	KindProduct  Kind = "product"
	KindVariant  Kind = "variant"
	KindOrder    Kind = "order"

	KindClosure      Kind = "closure"
	KindRestriction  Kind = "restriction"
	KindRegistration Kind = "registration"
	KindCall         Kind = "call"

	KindWidgetKey Kind = "key"
	KindAccount   Kind = "account"
	KindUpload    Kind = "upload"
	KindImport    Kind = "import"

	KindDelegation Kind = "delegation"
	KindInvitation Kind = "invitation"
	KindMedia      Kind = "media"
	KindPhoto      Kind = "photo"
)

// kinds says in French what an ID of each kind points to, for the sentences.
var kinds = map[Kind]string{
	KindCommune: "une commune", KindCategory: "une catégorie", KindShop: "une boutique",
	KindProduct: "un produit", KindVariant: "une déclinaison", KindOrder: "une commande",
	KindClosure: "une fermeture", KindRestriction: "une mesure",
	KindWidgetKey: "une clé de widget", KindAccount: "un compte",
	KindRegistration: "un dossier d'inscription", KindCall: "un appel",
	KindUpload: "un fichier reçu", KindImport: "un import",
	KindDelegation: "une délégation", KindInvitation: "une invitation",
	KindMedia: "une image reçue", KindPhoto: "une photo",
}

// ID is a global ID: it names a kind, a commune and a row, so that every look-up is by
// (commune, row) and reaches one tenant only.
//
// Written: shop_56121_06e0k3v5yd7v1a8qv2x4m9t0cg · product_… · commune_56121 ·
// category_boulangerie. Clients treat it as opaque.
type ID struct {
	Kind    Kind
	Commune string    // INSEE code; empty for a category, an account and an invitation
	Row     uuid.UUID // zero for a commune and a category
	Name    string    // a category's name; else empty
}

// alphabet is Crockford's: digits and letters that survive handwriting and the telephone.
var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID makes the ID of a new row. UUIDv7: rows made together lie together in the index.
func NewID(kind Kind, commune string) ID { return RowID(kind, commune, NewRow()) }

// NewRow makes the key of a new row, a UUIDv7 (RFC 9562, 5.7).
func NewRow() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// RowID is the ID of a row of a commune.
func RowID(kind Kind, commune string, row uuid.UUID) ID {
	return ID{Kind: kind, Commune: commune, Row: row}
}

// AccountID is the ID of an account, which belongs to no commune.
func AccountID(account uuid.UUID) ID { return ID{Kind: KindAccount, Row: account} }

// String writes the ID as clients see it.
func (id ID) String() string { return string(id.AppendTo(make([]byte, 0, 48))) }

// AppendTo appends the ID as clients see it.
func (id ID) AppendTo(b []byte) []byte {
	b = append(append(b, id.Kind...), '_')
	switch id.Kind {
	case KindAccount, KindInvitation:
		return alphabet.AppendEncode(b, id.Row[:])
	case KindCommune:
		return append(b, id.Commune...)
	case KindCategory:
		return append(b, id.Name...)
	}
	b = append(append(b, id.Commune...), '_')
	return alphabet.AppendEncode(b, id.Row[:])
}

// ParseID reads an ID, or says INVALID. It looks at the form only: whether the row exists is
// for the look-up to say.
func ParseID(s string) (ID, error) {
	kind, rest, _ := strings.Cut(s, "_")
	id := ID{Kind: Kind(kind)}
	switch {
	case kinds[id.Kind] == "":
	case id.Kind == KindCommune:
		if id.Commune = rest; ValidInsee(rest) {
			return id, nil
		}
	case id.Kind == KindCategory:
		if id.Name = rest; validCategory(rest) {
			return id, nil
		}
	default:
		commune, row, _ := strings.Cut(rest, "_")
		global := id.Kind == KindAccount || id.Kind == KindInvitation
		if global {
			commune, row = "", rest
		}
		raw, err := alphabet.DecodeString(row)
		id.Commune = commune
		// The last letter of 26 carries two bits that no UUID has: only one spelling is an ID.
		if err == nil && len(raw) == len(id.Row) && alphabet.EncodeToString(raw) == row && (ValidInsee(commune) || global) {
			copy(id.Row[:], raw)
			return id, nil
		}
	}
	return ID{}, fault.Errorf(fault.Invalid, "%s n'est pas un identifiant. Reprenez tel quel le champ id d'une réponse.", fault.Shown(s))
}

// Want refuses an ID of another kind; path is where it stands in the field's arguments.
func (id ID) Want(kind Kind, path ...string) error {
	if id.Kind == kind {
		return nil
	}
	return fault.At(path, "Cet identifiant désigne %s ; il faut ici celui qui désigne %s.", kinds[id.Kind], kinds[kind])
}

// NotFound is the one answer for an ID that leads to nothing the viewer may see: unknown,
// another commune's, withheld. It does not repeat the ID, so that the three are the same bytes.
func (id ID) NotFound() error {
	return fault.Errorf(fault.NotFound, "Introuvable : cet identifiant ne désigne rien que vous puissiez voir.")
}

// MarshalGQL writes the ID as a GraphQL ID.
func (id ID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(id.String())) }

// UnmarshalGQL reads a GraphQL ID.
func (id *ID) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fault.Errorf(fault.Invalid, "Un identifiant est un texte. Reprenez tel quel le champ id d'une réponse.")
	}
	parsed, err := ParseID(s)
	*id = parsed
	return err
}

func validCategory(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// ValidInsee tells whether s has the form of an INSEE commune code: five characters, the
// second of which may be A or B (Corsica: 2A004).
func ValidInsee(s string) bool {
	if len(s) != 5 {
		return false
	}
	for i, c := range []byte(s) {
		if (c < '0' || c > '9') && (i != 1 || c != 'A' && c != 'B') {
			return false
		}
	}
	return true
}

// Keys are what Columns gives as the rows of a table, from the arguments $1 and $2. The sub-selects
// hide how many there are: knowing it, Postgres finds few keys cheaper than it thinks of the plan that
// it keeps, and plans each such query anew, which took 200 µs of 300.
const Keys = `unnest((select $1::text[]), (select $2::uuid[]))`

// Columns splits IDs into their communes and rows, see Keys.
func Columns(ids []ID) (communes []string, rows []uuid.UUID) {
	communes, rows = make([]string, len(ids)), make([]uuid.UUID, len(ids))
	for i, id := range ids {
		communes[i], rows[i] = id.Commune, id.Row
	}
	return communes, rows
}

// From is Keys for these IDs, with its arguments. One key, as most questions have, is a row that the
// planner puts into the conditions: the statement is an index scan and nothing around it.
func From(ids []ID) (table string, args []any) {
	if len(ids) == 1 {
		return `(values ($1::text, $2::uuid))`, []any{ids[0].Commune, ids[0].Row}
	}
	communes, rows := Columns(ids)
	return Keys, []any{communes, rows}
}

// CommunesOf are the communes of IDs; one that follows itself is named once.
func CommunesOf(ids []ID) (communes []string) {
	for i, id := range ids {
		if i == 0 || id.Commune != ids[i-1].Commune {
			communes = append(communes, id.Commune)
		}
	}
	return communes
}

// Node is anything with a global ID of its own; nothing else may be asked for by it.
type Node interface {
	IsNode()
	ID() ID
}
