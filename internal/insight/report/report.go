// Package report shows a dashboard to people: tables, a chart beside each, and files to take away
// that say exactly what the tables say. The page and the monthly bulletin are made of it.
package report

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/audelor/halles/internal/insight"
)

// Table is a table and its chart.
type Table struct {
	ID      string // "mois"; of the element on the page
	Title   string
	Note    string // what a reader must know beside; may be empty
	Corner  string // above the rows' labels
	Columns []insight.Indicator
	Rows    []*insight.FigureRow
	Kind    Kind
	Of      int // which column the chart draws
}

// Kind is how a chart is drawn.
type Kind string

// The kinds of charts.
const (
	Line Kind = "line" // over time
	Bars Kind = "bars" // beside each other
	// Matrix has where from on one side and where to on the other.
	Matrix Kind = "matrix"
)

// Tables are those of a dashboard, in the order of the page; without rows a table is left out.
func Tables(d *insight.Dashboard) []Table {
	list := []Table{
		{ID: "mois", Title: "Mois par mois", Corner: "Mois", Rows: d.Series, Kind: Line},
		{ID: "secteurs", Title: "Par secteur", Corner: "Secteur", Rows: d.BySector, Kind: Bars},
		{ID: "communes", Title: "Par commune", Corner: "Commune", Rows: d.ByCommune, Kind: Bars},
		{ID: "modes", Title: "Par mode de remise", Corner: "Mode", Rows: d.ByMode, Kind: Bars},
		{ID: "canaux", Title: "Par canal", Corner: "Canal", Rows: d.Channels, Kind: Bars},
		{ID: "etapes", Title: "Où en sont les boutiques", Corner: "Étape", Rows: d.Steps, Kind: Bars, Note: "À la fin du dernier mois. Une boutique qui a franchi une étape est aussi comptée dans les précédentes ; la dernière ligne compte celles à qui proposer de l'aide."},
		{ID: "attentes", Title: "Combien de temps les clients attendent", Corner: "Attente", Rows: d.Waits, Kind: Bars, Note: "Dans le dernier mois, nuits et jours de fermeture compris."},
		{ID: "creneaux", Title: "Créneaux de remise", Corner: "Mode", Rows: d.Slots, Kind: Bars, Note: "Des créneaux qui ont une capacité et ont eu une réservation : ceux que personne n'a choisis n'y sont pas."},
		{ID: "clients", Title: "Où habitent les clients", Corner: "Commune du client", Rows: flows(d, true), Kind: Bars, Note: "Comme les clients l'ont dit ; par toutes les boutiques."},
		{ID: "flux", Title: "De la commune du client à celle de la boutique", Corner: "Du client → à la boutique", Rows: flows(d, false), Kind: Matrix, Of: 1, Note: "Le dessin compte les commandes des communes qui en ont le plus : en lignes celle du client, en colonnes celle de la boutique. Les trajets secrets pendant un mois de la période n'ont pas de ligne."},
		{ID: "equite", Title: "Petites et grandes communes", Corner: "Taille", Rows: d.Equity, Kind: Bars, Note: "Dans le dernier mois. Médianes et densités : des sommes révéleraient ce que cache une commune."},
		{ID: "appels", Title: "Des appels aux boutiques", Corner: "Étape", Rows: d.Outreach, Kind: Bars, Note: "Les appels du dernier mois pour une inscription, et où en étaient ces dossiers à la clôture du mois."},
		{ID: "recherches", Title: "Recherches sans résultat", Corner: "Mot cherché", Rows: d.MissedSearches, Kind: Bars, Note: "Dans le dernier mois : les dix mots les plus cherchés en vain, par trois personnes au moins le même jour."},
		{ID: "mesures", Title: "Avant et après un arrêté", Corner: "Mesure et date de début", Rows: d.Restrictions, Kind: Bars, Note: "Mesures dont les jours comparés (28 avant et après, ou autant que la mesure a duré) se sont terminés dans le dernier mois."},
		{ID: "fins", Title: "Commandes sans suite", Corner: "Fin", Rows: d.Ends, Kind: Bars},
		{ID: "motifs", Title: "Pourquoi elles sont restées sans suite", Corner: "Motif", Rows: d.Reasons, Kind: Bars},
	}
	kept := list[:0]
	for _, t := range list {
		if len(t.Rows) == 0 || t.Kind == Line && len(t.Rows) == 1 { // one month is the figures above
			continue
		}
		for _, f := range t.Rows[0].Figures {
			t.Columns = append(t.Columns, f.Indicator)
		}
		kept = append(kept, t)
	}
	return kept
}

// flows are those to all shops, or those from one commune to another.
func flows(d *insight.Dashboard, whole bool) (rows []*insight.FigureRow) {
	for _, r := range d.Flows {
		if strings.HasSuffix(r.Key, ">*") == whole {
			rows = append(rows, r)
		}
	}
	return rows
}

// Shown tells a value from the reason why there is none.
func Shown(v insight.FigureValue) bool { return v.Hidden == nil }

// Trend is a change as people read it: "+12,5 %", or that there is nothing to compare.
func Trend(change *int) string {
	if change == nil {
		return "—"
	}
	return insight.Percent(*change)
}

// line is a value of a download: what is on the page, and nothing that is not.
type line struct {
	Table     string `json:"tableau"`
	Row       string `json:"ligne"`
	Indicator string `json:"indicateur"`
	Unit      string `json:"unite"`
	Value     *int   `json:"valeur"`
	Reason    string `json:"motif,omitempty"`
	Shown     string `json:"affiche"`
}

// keyFigures is the name of the dashboard's first table, which has no chart.
const keyFigures = "Chiffres clés"

func lines(d *insight.Dashboard) []line {
	var list []line
	add := func(table, row string, figures []*insight.Figure) {
		for _, f := range figures {
			l := line{Table: table, Row: row, Indicator: f.Label(), Unit: string(f.Unit()), Shown: f.Value.Formatted, Value: f.Value.Number}
			if f.Value.Hidden != nil {
				l.Reason = string(*f.Value.Hidden)
			}
			list = append(list, l)
		}
	}
	add(keyFigures, Period(d), d.Figures)
	for _, t := range Tables(d) {
		for _, r := range t.Rows {
			add(t.Title, r.Label, r.Figures)
		}
	}
	return list
}

// Period is "octobre 2026", or "août 2026 à octobre 2026".
func Period(d *insight.Dashboard) string {
	if d.From == d.To {
		return d.To.French()
	}
	return d.From.French() + " à " + d.To.French()
}

// CSV writes what the dashboard shows as a spreadsheet reads it: semicolons, a byte order mark, and
// no text that it would take for a formula.
func CSV(w io.Writer, d *insight.Dashboard) error {
	buffered := bufio.NewWriter(w)
	if _, err := buffered.WriteString("\ufeff"); err != nil {
		return err
	}
	c := csv.NewWriter(buffered)
	c.Comma, c.UseCRLF = ';', true
	if err := c.Write([]string{"tableau", "ligne", "indicateur", "unite", "valeur", "motif", "affiche"}); err != nil {
		return err
	}
	for _, l := range lines(d) {
		value := ""
		if l.Value != nil {
			value = strconv.Itoa(*l.Value)
		}
		if err := c.Write([]string{harmless(l.Table), harmless(l.Row), harmless(l.Indicator), l.Unit, value, l.Reason, harmless(l.Shown)}); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}

// harmless is a text that no spreadsheet takes for a formula (OWASP ASVS 1.2.10).
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n\x00|%", rune(s[0])) {
		return "'" + s
	}
	return s
}

// JSON writes the same for programs.
func JSON(w io.Writer, d *insight.Dashboard) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(map[string]any{"periode": map[string]string{"de": d.From.String(), "a": d.To.String()}, "publie": d.PublishedAt, "valeurs": lines(d)})
}
