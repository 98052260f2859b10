package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/insight/report"
)

func figure(i insight.Indicator, v insight.FigureValue) []*insight.Figure {
	return []*insight.Figure{{Indicator: i, Value: v, Previous: insight.Hide(insight.NotPublished), LastYear: insight.Hide(insight.NotPublished)}}
}

func euros(n int) insight.FigureValue {
	return insight.FigureValue{Number: &n, Formatted: insight.Format(insight.Revenue, int64(n))}
}

// board has a hidden month between two, and a sector whose name is a formula.
func board(t *testing.T) *insight.Dashboard {
	t.Helper()
	m, err := insight.ParseMonth("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	secret := insight.Hide(insight.Dominance)
	return &insight.Dashboard{
		From: m - 2, To: m, Figures: figure(insight.Revenue, euros(123450)),
		Series: []*insight.FigureRow{
			{Key: "2026-08", Label: "août 2026", Figures: figure(insight.Revenue, euros(100000))},
			{Key: "2026-09", Label: "septembre 2026", Figures: figure(insight.Revenue, secret)},
			{Key: "2026-10", Label: "octobre 2026", Figures: figure(insight.Revenue, euros(23450))},
		},
		BySector: []*insight.FigureRow{
			{Key: "mode", Label: "=HYPERLINK(0)", Figures: figure(insight.Revenue, euros(700))},
			{Key: "culture", Label: "Culture", Figures: figure(insight.Revenue, secret)},
			{Key: "sport", Label: "Sport", Figures: figure(insight.Revenue, euros(90000))},
		},
	}
}

// bar is the upper edge of one: its left and right end.
var bar = regexp.MustCompile(`<path d="M (\d+) \d+\nL (\d+) \d+\n[^"]*" style="stroke:none;fill:rgb\(11,83,117\)"`)

func TestHiddenIsShownAsHidden(t *testing.T) {
	t.Parallel()
	tables := report.Tables(board(t))
	if len(tables) != 2 {
		t.Fatalf("%d tables", len(tables))
	}
	bars := tables[1].Drawn()
	if len(bars) != 2 || bars[0].Key != "sport" || bars[1].Key != "mode" {
		t.Errorf("drawn: %v", bars)
	}
	for _, table := range tables {
		for _, size := range []report.Size{report.Narrow, report.Wide} {
			svg, err := table.SVG(size)
			if err != nil {
				t.Fatal(err)
			}
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %v", table.ID, err)
				}
			}
			if len(svg) < 1000 || bytes.Contains(svg, []byte("<script")) || bytes.Contains(svg, []byte("Culture")) {
				t.Errorf("%s: %d bytes: %s", table.ID, len(svg), svg)
			}
		}
	}
	if got := tables[1].Summary(); strings.Contains(got, "Culture") || !strings.Contains(got, "Sport 900,00\u00a0€") {
		t.Error(got)
	}
	nothing := report.Table{ID: "rien", Title: "Rien", Columns: []insight.Indicator{insight.Revenue}, Rows: tables[0].Rows[1:2], Kind: report.Line}
	if svg, err := nothing.SVG(report.Wide); err != nil || svg != nil || !strings.Contains(nothing.Summary(), "secret") {
		t.Errorf("of what is hidden there is a chart: %s %v", svg, err)
	}
}

// TestBarsBeginAtZero holds that a bar is as long as its value, and that each text keeps the place it
// was given.
func TestBarsBeginAtZero(t *testing.T) {
	t.Parallel()
	rows := []*insight.FigureRow{{Key: "a", Label: "Large", Figures: figure(insight.Revenue, euros(90000))}, {Key: "b", Label: "Moindre", Figures: figure(insight.Revenue, euros(80000))}}
	svg, err := report.Table{ID: "secteurs", Title: "Par secteur", Columns: []insight.Indicator{insight.Revenue}, Rows: rows, Kind: report.Bars}.SVG(report.Wide)
	if err != nil {
		t.Fatal(err)
	}
	var widths []int
	for _, m := range bar.FindAllSubmatch(svg, -1) {
		left, _ := strconv.Atoi(string(m[1]))
		right, _ := strconv.Atoi(string(m[2]))
		widths = append(widths, right-left)
	}
	if len(widths) != 2 || widths[0]*100/widths[1] < 87 || widths[0]*100/widths[1] > 90 {
		t.Errorf("bars of 800 € and 900 € are %v px long: %s", widths, svg)
	}
	if texts, fitted := bytes.Count(svg, []byte("<text ")), bytes.Count(svg, []byte("textLength=")); texts != 4 || fitted != texts {
		t.Errorf("%d of %d texts have a width", fitted, texts)
	}
}

// TestMatrix draws flows with the communes that have most, and leaves a cell empty that is not told.
func TestMatrix(t *testing.T) {
	t.Parallel()
	var rows []*insight.FigureRow
	for from := range 15 {
		for to := range 15 {
			n := (100 - 9*from) * (100 - 9*to)
			v := insight.FigureValue{Number: &n, Formatted: insight.Format(insight.Orders, int64(n))}
			if from+to == 0 {
				v = insight.Hide(insight.FewerThanThree)
			}
			rows = append(rows, &insight.FigureRow{Key: fmt.Sprintf("%d>%d", from, to), Label: fmt.Sprintf("Ici %d → Là %d", from, to), Figures: figure(insight.Orders, v)})
		}
	}
	table := report.Table{ID: "flux", Title: "Flux", Columns: []insight.Indicator{insight.Orders}, Rows: rows, Kind: report.Matrix}
	for size, side := range map[report.Size]int{report.Narrow: 4, report.Wide: 12} {
		svg, err := table.SVG(size)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{">Ici 0<", fmt.Sprintf(">Ici %d<", side-1), fmt.Sprintf(">Là %d<", side-1)} {
			if !bytes.Contains(svg, []byte(text)) {
				t.Errorf("%d px wide it has no %s", size, text)
			}
		}
		if bytes.Contains(svg, fmt.Appendf(nil, ">Ici %d<", side)) {
			t.Errorf("%d px wide it has more than %d communes", size, side)
		}
		if cells := bytes.Count(svg, []byte(`text-anchor="middle"`)); cells != side*side-1 {
			t.Errorf("%d px wide: %d cells of %d, one of them secret", size, cells, side*side)
		}
	}
	if got := table.Summary(); !strings.Contains(got, "Ici 1 → Là 0 9\u202f100") || strings.Contains(got, "Ici 0 → Là 0 ") {
		t.Error(got)
	}
}

func TestFileIsWhatIsShown(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	if err := report.CSV(&file, board(t)); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.String(), "\ufeff")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 8 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	if got := strings.Join(rows[3], "|"); got != "Mois par mois|septembre 2026|Chiffre d'affaires TTC|CENTS||DOMINANCE|secret : une entreprise domine" {
		t.Error(got)
	}
	if got := strings.Join(rows[5], "|"); got != "Par secteur|'=HYPERLINK(0)|Chiffre d'affaires TTC|CENTS|700||7,00\u00a0€" {
		t.Error(got)
	}
}

func TestBulletinNeedsNoOtherFile(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	d, night := board(t), time.Date(2026, 11, 4, 23, 10, 0, 0, time.UTC) // in Lorient it is the 5th
	d.PublishedAt = &night
	if err := report.Bulletin(&page, d); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	if broken := regexp.MustCompile(`[^<>]* [:;!?»][ <][^<>]*`).FindString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, "<>")); broken != "" {
		t.Errorf("an ordinary space where a line must not break: %q", broken)
	}
	for _, wanted := range []string{"août 2026 à octobre 2026", "publié le 05/11/2026", "1\u202f234,50", "data:image/svg&#43;xml;base64,", "secret : une entreprise domine", "Panier moyen", "trois entreprises"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("no %q", wanted)
		}
	}
	for _, foreign := range []string{"<script", "http://", "https://", "<link", "url("} {
		if strings.Contains(text, foreign) {
			t.Errorf("it has %s", foreign)
		}
	}
}

func TestEveryIndicatorIsDefined(t *testing.T) {
	t.Parallel()
	if n := len(report.Definitions()); n != 21 {
		t.Errorf("%d definitions of 21 indicators", n)
	}
	for _, d := range report.Definitions() {
		if d.Label == "" || len(d.Text) < 40 {
			t.Errorf("%q: %q", d.Label, d.Text)
		}
	}
}
