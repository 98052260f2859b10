package opendata

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/audelor/halles/internal/calendar"
)

// field is a column of the files, with what the Table Schema says of it and how it is written.
type field struct {
	Name        string         `json:"name"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Type        string         `json:"type"`
	Format      string         `json:"format,omitempty"`
	Example     any            `json:"example,omitempty"`
	Constraints map[string]any `json:"constraints,omitempty"`
	value       func(r *row) any
}

type limits = map[string]any

var always = limits{"required": true}

// fields are the columns, in the order of the files. A value is a string, a number, a bool, a
// list of strings, or nil.
var fields = []field{
	{"identifiant", "Identifiant", "Identifiant de la boutique sur la plateforme ; il ne change pas.", "string", "", "shop_56121_06e0k3v5yd7v1a8qv2x4m9t0cg", limits{"required": true, "unique": true}, func(r *row) any { return r.id().String() }},
	{"nom", "Nom", "Enseigne, comme la boutique l'écrit.", "string", "", "Crêperie du Port", limits{"required": true, "maxLength": 200}, func(r *row) any { return r.Name }},
	{"siret", "SIRET", "Numéro SIRET de l'établissement, 14 chiffres (Sirene, INSEE).", "string", "", "21560121200016", limits{"required": true, "pattern": `^\d{14}$`}, func(r *row) any { return r.Siret }},
	{"code_naf", "Code NAF", "Activité principale dans la nomenclature d'activités française.", "string", "", "47.61Z", limits{"required": true, "pattern": `^\d{2}\.\d{2}[A-Z]$`}, func(r *row) any { return r.NafCode }},
	{"version_naf", "Version de la NAF", "Nomenclature du code NAF : REV2 jusqu'au 31 décembre 2026, 2025 ensuite.", "string", "", "REV2", limits{"required": true, "enum": []string{"REV2", "2025"}}, func(r *row) any { return r.NafVersion }},
	{"categorie", "Catégorie", "Métier sur la plateforme, nom court.", "string", "", "creperie", limits{"required": true, "pattern": `^[a-z0-9-]+$`}, func(r *row) any { return r.CategoryID }},
	{"categorie_libelle", "Libellé de la catégorie", "Métier sur la plateforme, en français.", "string", "", "Crêpes et galettes", always, func(r *row) any { return r.Category }},
	{"adresse", "Adresse", "Numéro et voie.", "string", "", "1 rue du Port", always, func(r *row) any { return r.Street }},
	{"code_postal", "Code postal", "Code postal.", "string", "", "56100", limits{"required": true, "pattern": `^\d{5}$`}, func(r *row) any { return r.Postcode }},
	{"ville", "Ville", "Ville, comme sur une enveloppe.", "string", "", "Lorient", always, func(r *row) any { return r.City }},
	{"code_insee", "Code INSEE", "Code officiel géographique de la commune, quand elle est entrée sur la plateforme.", "string", "", "56121", limits{"required": true, "pattern": `^\d[0-9AB]\d{3}$`}, func(r *row) any { return r.CommuneID }},
	{"latitude", "Latitude", "De la porte de la boutique, en degrés décimaux (WGS84, EPSG:4326).", "number", "", 47.74817, limits{"required": true, "minimum": -90, "maximum": 90}, func(r *row) any { return r.Latitude }},
	{"longitude", "Longitude", "De la porte de la boutique, en degrés décimaux (WGS84, EPSG:4326).", "number", "", -3.37177, limits{"required": true, "minimum": -180, "maximum": 180}, func(r *row) any { return r.Longitude }},
	{"telephone", "Téléphone", "Numéro que la boutique publie pour être jointe, au format E.164 ; vide si elle n'en publie pas.", "string", "", "+33297000000", limits{"pattern": `^\+\d{6,15}$`}, func(r *row) any { return some(r.Phone) }},
	{"site_web", "Site web", "Adresse du site de la boutique ; vide si elle n'en publie pas.", "string", "", "https://creperie.example", limits{"pattern": `^https?://.+$`}, func(r *row) any { return some(r.Website) }},
	{"horaires", "Horaires d'ouverture", "Horaires dans la syntaxe opening_hours d'OpenStreetMap, avec les fermetures et horaires exceptionnels des 45 jours à venir ; vide si la boutique n'en donne pas.", "string", "", "Mo-Sa 09:30-12:30,14:00-19:00; PH off", nil, func(r *row) any { return filled(r.hours) }},
	{"retrait", "Retrait en boutique", "Vrai si l'on peut commander et retirer sa commande (click & collect).", "boolean", "", true, always, func(r *row) any { return r.Pickup }},
	{"livraison", "Livraison", "Vrai si la boutique livre elle-même.", "boolean", "", false, always, func(r *row) any { return r.Delivery }},
	{"services", "Services", "Services rendus, séparés par des barres verticales.", "string", "", "card|gift-wrap", nil, func(r *row) any { return r.Services }},
	{"accessibilite", "Accessibilité", "Ce qui aide les personnes handicapées à venir, séparé par des barres verticales.", "string", "", "step-free", nil, func(r *row) any { return r.Accessibility }},
	{"derniere_confirmation", "Dernière confirmation", "Jour où le commerçant a confirmé que tout est juste ; vide s'il ne l'a jamais fait.", "date", "", "2020-10-30", nil, func(r *row) any { return day(r.LastConfirmedAt) }},
	{"derniere_modification", "Dernière modification", "Jour de la dernière modification de la fiche.", "date", "", "2020-10-30", always, func(r *row) any { return day(&r.UpdatedAt) }},
}

func some(s *string) any {
	if s == nil {
		return nil
	}
	return filled(*s)
}

func filled(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// day is the day in Lorient.
func day(t *time.Time) any {
	if t == nil {
		return nil
	}
	return calendar.DateOf(*t).String()
}

// text writes a value for CSV; "" for none.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []string:
		return strings.Join(v, "|")
	}
	return ""
}

// TableSchema describes the CSV files (specs.frictionlessdata.io/table-schema, with the fields that
// schema.data.gouv.fr adds).
func TableSchema(site string) []byte {
	text, err := json.MarshalIndent(struct {
		Schema        string              `json:"$schema"`
		Name          string              `json:"name"`
		Title         string              `json:"title"`
		Description   string              `json:"description"`
		CountryCode   string              `json:"countryCode"`
		Homepage      string              `json:"homepage"`
		Path          string              `json:"path"`
		Version       string              `json:"version"`
		Created       string              `json:"created"`
		LastModified  string              `json:"lastModified"`
		Licenses      []map[string]string `json:"licenses"`
		Fields        []field             `json:"fields"`
		PrimaryKey    string              `json:"primaryKey"`
		MissingValues []string            `json:"missingValues"`
	}{
		Schema: "https://specs.frictionlessdata.io/schemas/table-schema.json", Name: "commerces-locaux",
		Title:       "Commerces locaux",
		Description: "Les commerces publiés sur la place de marché locale : qui, où, quand, et comment ils remettent leurs commandes.",
		CountryCode: "FR", Homepage: site + "/opendata", Path: site + "/opendata/schema.json", Version: "1.0.0",
		Created: "2020-11-05", LastModified: "2020-11-05",
		Licenses: []map[string]string{{"name": Licence, "title": "Licence Ouverte / Open Licence 2.0", "path": LicenceURL}},
		Fields:   fields, PrimaryKey: "identifiant", MissingValues: []string{""},
	}, "", "  ")
	if err != nil {
		panic(err) // plain data
	}
	return append(text, '\n')
}

// Column is a column as a page shows it.
type Column struct{ Name, Title, Description string }

// Columns lists the columns of the files.
func Columns() []Column {
	list := make([]Column, len(fields))
	for i, f := range fields {
		list[i] = Column{f.Name, f.Title, f.Description}
	}
	return list
}
