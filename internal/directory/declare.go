package directory

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// RestrictionInput is a restriction to be declared.
type RestrictionInput struct {
	Communes         []tenancy.ID
	Rank             calendar.Rank
	Title            string
	Reference        *string
	URL              *string
	From             time.Time
	Until            *time.Time
	Categories       []tenancy.ID
	NafCodes         []string
	ExceptCategories []tenancy.ID
	ExceptNafCodes   []string
	NafVersion       *string // REV2
	AreaOver         *int
	Allows           []calendar.Mode
	SquareMetres     *int
	Condition        *string
}

// RestrictionsPayload is what was declared or ended, commune by commune.
type RestrictionsPayload struct {
	Restrictions []*Restriction
	Effect       RestrictionEffect
}

// nafForm is a code of either nomenclature, or its beginning: a division, a group, a class.
var nafForm = regexp.MustCompile(`^[0-9]{2}(\.?[0-9]{1,2}[A-Z]?)?$`)

// rules refuses a viewer that may not impose restrictions on communes: their agents and admins may.
func rules(v *identity.Viewer, communes ...string) error {
	if err := v.SignedIn(); err != nil {
		return err
	}
	if identity.Checked && v.Kind != identity.Agent && v.Kind != identity.Admin {
		return fault.Errorf(fault.Forbidden, "Seuls les agents d'une commune et les administrateurs de la plateforme déclarent des mesures.")
	}
	for _, c := range communes {
		if !v.Serves(c) {
			return fault.Errorf(fault.Forbidden, "Vous ne servez pas toutes ces communes ; viewer { communes } donne celles que vous servez.")
		}
	}
	return nil
}

// check refuses what whoever declares could have known to be wrong, and returns the restriction as
// a row of each commune.
func (in *RestrictionInput) check(v *identity.Viewer, now time.Time) ([]*Restriction, error) {
	path := func(names ...string) []string { return append([]string{"input"}, names...) }
	if n := len(in.Communes); n < 1 || n > 100 {
		return nil, fault.At(path("communes"), "La mesure vise %d communes ; il en faut de 1 à 100.", n)
	}
	model := Restriction{
		Row: tenancy.NewRow(), Rank: in.Rank, Title: strings.TrimSpace(in.Title), Reference: trimmed(in.Reference), URL: trimmed(in.URL),
		StartsAt: in.From.UTC().Truncate(time.Microsecond), AreaOver: in.AreaOver, SquareMetres: in.SquareMetres,
		NafVersion: "REV2", NafCodes: in.NafCodes, ExceptNafCodes: in.ExceptNafCodes, Categories: []string{}, ExceptCategories: []string{},
		Visitors: slices.Contains(in.Allows, calendar.Visit), Pickup: slices.Contains(in.Allows, calendar.Pickup), Delivery: slices.Contains(in.Allows, calendar.Delivery),
		DeclaredAs: v.Kind, DeclaredAt: now, Version: 1,
	}
	if in.Until != nil {
		until := in.Until.UTC().Truncate(time.Microsecond)
		model.EndsAt = &until
	}
	if in.NafVersion != nil {
		model.NafVersion = *in.NafVersion
	}
	if c := trimmed(in.Condition); c != nil {
		model.Condition = *c
	}
	for name, instant := range map[string]*time.Time{"from": &model.StartsAt, "until": model.EndsAt} {
		if instant != nil {
			if err := CheckInstant(*instant, path(name)...); err != nil {
				return nil, err
			}
		}
	}
	for name, text := range map[string]*string{"title": &model.Title, "reference": model.Reference, "condition": &model.Condition} {
		if err := checkLength(text, 200, path(name)...); err != nil {
			return nil, err
		}
	}
	if model.URL != nil {
		if u, err := url.Parse(*model.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(*model.URL) > 500 {
			return nil, fault.At(path("url"), "L'adresse du texte commence par https:// et a 500 caractères au plus.")
		}
	}
	if model.NafVersion != "REV2" && model.NafVersion != "2025" {
		return nil, fault.At(path("nafVersion"), "La version de la NAF est REV2 ou 2025.")
	}
	for name, list := range map[string]struct {
		codes      []string
		categories []tenancy.ID
		into       *[]string
		kept       *[]string
	}{
		"nafCodes": {codes: model.NafCodes, kept: &model.NafCodes}, "exceptNafCodes": {codes: model.ExceptNafCodes, kept: &model.ExceptNafCodes},
		"categories": {categories: in.Categories, into: &model.Categories}, "exceptCategories": {categories: in.ExceptCategories, into: &model.ExceptCategories},
	} {
		if len(list.codes) > 200 || len(list.categories) > 200 {
			return nil, fault.At(path(name), "La liste a plus de 200 activités.")
		}
		for i, code := range list.codes {
			if !nafForm.MatchString(code) {
				return nil, fault.At(path(name, strconv.Itoa(i)), "%s n'est ni un code NAF ni le début d'un code ; écrivez 47.71Z, 47.7 ou 47.", fault.Shown(code))
			}
		}
		if list.kept != nil && *list.kept == nil {
			*list.kept = []string{}
		}
		for i, c := range list.categories {
			if err := c.Want(tenancy.KindCategory, path(name, strconv.Itoa(i))...); err != nil {
				return nil, err
			}
			*list.into = append(*list.into, c.Name)
		}
	}
	for i, m := range in.Allows {
		if !m.Valid() {
			return nil, fault.At(path("allows", strconv.Itoa(i)), "Le mode est VISIT, PICKUP ou DELIVERY, en capitales.")
		}
	}
	switch {
	case in.AreaOver != nil && (*in.AreaOver < 1 || *in.AreaOver > 1_000_000):
		return nil, fault.At(path("areaOver"), "Le seuil de surface va de 1 à 1 000 000 m².")
	case in.SquareMetres != nil && (*in.SquareMetres < 1 || *in.SquareMetres > 1000):
		return nil, fault.At(path("squareMetres"), "La jauge va de 1 à 1 000 m² par personne.")
	}
	rule := model.rule()
	if err := rule.Check(path()...); err != nil {
		return nil, err
	}
	rows := make([]*Restriction, len(in.Communes))
	for i, c := range in.Communes {
		if err := c.Want(tenancy.KindCommune, path("communes", strconv.Itoa(i))...); err != nil {
			return nil, err
		}
		r := model
		r.CommuneID = c.Commune
		rows[i] = &r
	}
	slices.SortFunc(rows, func(a, b *Restriction) int { return strings.Compare(a.CommuneID, b.CommuneID) })
	for i := range rows[1:] {
		if rows[i].CommuneID == rows[i+1].CommuneID {
			return nil, fault.At(path("communes"), "La commune %s est nommée deux fois ; une fois suffit.", rows[i].CommuneID)
		}
	}
	return rows, nil
}

// draft checks an input and who gives it.
func (d *Directory) draft(ctx context.Context, v *identity.Viewer, in *RestrictionInput) ([]*Restriction, []string, error) {
	var communes []string
	for _, c := range in.Communes {
		communes = append(communes, c.Commune)
	}
	if err := rules(v, communes...); err != nil {
		return nil, nil, err
	}
	rows, err := in.check(v, d.now())
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(communes)
	wanted := append(slices.Clone(rows[0].Categories), rows[0].ExceptCategories...)
	unknown, err := pg.SelectScalars[string](ctx, d.DB, v.PublicScope(), `select c from unnest($1::text[]) c where not exists (select from categories where id = c)`, wanted)
	if err == nil && len(unknown) > 0 {
		err = fault.At([]string{"input", "categories"}, "Aucune catégorie ne s'appelle %s. La requête categories donne la liste.", fault.Shown(unknown[0]))
	}
	return rows, communes, err
}

// PreviewRestriction tells what a restriction would come to if it were declared now.
//
// Faults: FORBIDDEN for who may not declare it, INVALID for an input that is wrong in itself.
func (d *Directory) PreviewRestriction(ctx context.Context, v *identity.Viewer, in RestrictionInput) (*RestrictionEffect, error) {
	rows, communes, err := d.draft(ctx, v, &in)
	if err != nil {
		return nil, err
	}
	var effect RestrictionEffect
	err = d.DB.Write(ctx, v.Scope().In(communes...), func(ctx context.Context, tx pgx.Tx) (err error) {
		effect, err = d.effectTx(ctx, tx, rows)
		return err
	})
	return &effect, err
}

// DeclareRestriction imposes a restriction on communes: shops switch at its first minute and back
// after its last, and nothing has to run then.
//
// Faults: FORBIDDEN for who may not declare it, INVALID for an input that is wrong in itself.
func (d *Directory) DeclareRestriction(ctx context.Context, v *identity.Viewer, in RestrictionInput) (*RestrictionsPayload, error) {
	rows, communes, err := d.draft(ctx, v, &in)
	if err != nil {
		return nil, err
	}
	p := &RestrictionsPayload{Restrictions: rows}
	err = d.DB.Write(ctx, v.Scope().In(communes...), func(ctx context.Context, tx pgx.Tx) (err error) {
		if err := lockSpansTx(ctx, tx, communes); err != nil {
			return err
		}
		if p.Effect, err = d.effectTx(ctx, tx, rows); err != nil {
			return err
		}
		for _, r := range rows {
			_, err := tx.Exec(ctx, `
				insert into restrictions (commune_id, id, rank, title, reference, url, starts_at, ends_at, categories, naf_codes, except_categories, except_naf_codes,
					naf_version, area_over_m2, visitors, square_metres, condition, pickup, delivery, declared_as, declared_by, declared_at, version)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
				r.CommuneID, r.Row, string(r.Rank), r.Title, r.Reference, r.URL, r.StartsAt, r.EndsAt, r.Categories, r.NafCodes, r.ExceptCategories, r.ExceptNafCodes,
				r.NafVersion, r.AreaOver, r.Visitors, r.SquareMetres, r.Condition, r.Pickup, r.Delivery, string(r.DeclaredAs), v.Account, r.DeclaredAt, r.Version)
			if err != nil {
				return err
			}
		}
		if err := d.switchTx(ctx, tx, rows); err != nil {
			return err
		}
		var audit pgx.Batch
		for _, r := range rows {
			identity.QueueAudit(&audit, identity.AuditEntry{By: v, At: r.DeclaredAt, Action: "RESTRICTION_DECLARE", Object: r.ID(), After: r})
		}
		return tx.SendBatch(ctx, &audit).Close()
	})
	if pg.Constraint(err) == "restrictions_commune_fkey" { // RowLevelSecurity alone would let pass a commune that is none
		err = fault.At([]string{"input", "communes"}, "Une de ces communes n'existe pas.")
	}
	return p, err
}

// switchTx writes the spans of the shops that restrictions touch, where they refuse a mode.
func (d *Directory) switchTx(ctx context.Context, tx pgx.Tx, rows []*Restriction) error {
	rule := rows[0].rule()
	if len(rule.Refuses()) == 0 {
		return nil
	}
	communes := make([]string, len(rows))
	for i, r := range rows {
		communes[i] = r.CommuneID
	}
	ids, err := shopsTx(ctx, tx, `select commune_id, id from shops where commune_id = any($1) order by commune_id, id`, communes)
	if err != nil {
		return err
	}
	return writeSpansTx(ctx, tx, d.now(), ids, rule.Touches)
}

// EndRestrictionInput says which restriction ends, and when.
type EndRestrictionInput struct {
	Restriction tenancy.ID
	Version     int
	At          *time.Time // now; in the future: it ends then
	Everywhere  *bool      // in all communes of its scope that the viewer serves, not in this one only
}

// EndRestriction ends a restriction before its time. One that has not begun never will. Who ends
// what has ended already changes nothing.
//
// Faults: NOT_FOUND, FORBIDDEN for who may not, CONFLICT when somebody has changed it meanwhile.
func (d *Directory) EndRestriction(ctx context.Context, v *identity.Viewer, in EndRestrictionInput) (_ *RestrictionsPayload, err error) {
	id := in.Restriction
	defer fault.Wrap(&err, "EndRestriction(%s)", id)
	if err := id.Want(tenancy.KindRestriction, "input", "restriction"); err != nil {
		return nil, err
	}
	found, err := d.RestrictionsByIDs(ctx, v, []tenancy.ID{id})
	if err != nil {
		return nil, err
	}
	before := found[id]
	if before == nil {
		return nil, id.NotFound()
	}
	if err := rules(v, id.Commune); err != nil {
		return nil, err
	}
	if identity.Checked && before.DeclaredAs == identity.Admin && v.Kind != identity.Admin {
		return nil, fault.Errorf(fault.Forbidden, "Cette mesure a été déclarée pour la plateforme ; seuls ses administrateurs y mettent fin.")
	}
	now := d.now()
	at := now
	if in.At != nil {
		if err := CheckInstant(*in.At, "input", "at"); err != nil {
			return nil, err
		}
		if at = in.At.UTC().Truncate(time.Microsecond); at.Before(now) {
			at = now // what was in force was
		}
	}
	communes := []string{id.Commune}
	if in.Everywhere != nil && *in.Everywhere {
		communes = v.Communes
	}
	p := &RestrictionsPayload{}
	err = d.DB.Write(ctx, v.Scope().In(communes...), func(ctx context.Context, tx pgx.Tx) error {
		*p = RestrictionsPayload{Restrictions: []*Restriction{}}
		if err := lockSpansTx(ctx, tx, slices.Sorted(slices.Values(communes))); err != nil {
			return err
		}
		read := func() ([]*Restriction, error) {
			rows, err := tx.Query(ctx, `select `+restrictionColumns+` from restrictions r where commune_id = any($1) and id = $2
				and ($3 or declared_as = 'AGENT') order by commune_id`, communes, id.Row, v.Kind == identity.Admin)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Restriction])
		}
		were, err := read()
		if err != nil {
			return err
		}
		mine := slices.IndexFunc(were, func(r *Restriction) bool { return r.CommuneID == id.Commune })
		if mine < 0 || were[mine].Version != in.Version {
			return lostUpdate()
		}
		_, err = tx.Exec(ctx, `
			update restrictions set ends_at = greatest($3, starts_at), version = version + 1
			where commune_id = any($1) and id = $2 and coalesce(ends_at, 'infinity') > greatest($3, starts_at) and ($4 or declared_as = 'AGENT')`,
			communes, id.Row, at, v.Kind == identity.Admin)
		if err != nil {
			return err
		}
		are, err := read()
		if err != nil {
			return err
		}
		var audit pgx.Batch
		var changed []*Restriction
		for i, r := range are {
			if r.Version != were[i].Version {
				changed = append(changed, r)
				identity.QueueAudit(&audit, identity.AuditEntry{By: v, At: now, Action: "RESTRICTION_END", Object: r.ID(), Before: were[i], After: r})
			}
		}
		p.Restrictions = are
		if len(changed) == 0 {
			return nil
		}
		if err := d.switchTx(ctx, tx, changed); err != nil {
			return err
		}
		return tx.SendBatch(ctx, &audit).Close()
	})
	return p, err
}

func lostUpdate() error {
	return fault.Errorf(fault.Conflict, "Quelqu'un a modifié cela entre-temps : relisez, puis refaites votre changement avec la nouvelle version.")
}

// trimmed is a text without the space around it; null when nothing is left.
func trimmed(s *string) *string {
	if s == nil {
		return nil
	}
	t := strings.TrimSpace(*s)
	if t == "" {
		return nil
	}
	return &t
}

func checkLength(s *string, most int, path ...string) error {
	switch {
	case s == nil:
	case utf8.RuneCountInString(*s) > most:
		return fault.At(path, "Ce texte a %d caractères ; %d au plus.", utf8.RuneCountInString(*s), most)
	case strings.ContainsRune(*s, 0):
		return fault.At(path, "Ce texte contient un caractère nul.")
	}
	return nil
}
