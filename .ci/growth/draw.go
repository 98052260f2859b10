package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"strings"

	"github.com/audelor/halles/internal/bench"
)

// The drawing's measures, in pixels.
const (
	width   = 880
	left    = 270 // of the axis
	right   = 590 // its end
	atLimit = 1.5 // no reading and no order may grow by more
	axisEnd = 3.5
	row     = 24
	head    = 64 // of a run: two lines of text and the axis
)

// allowed is by how much a workload may be slower: a search has all its matches to rank.
func allowed(w bench.Grown, g *bench.Growth) float64 {
	if w.Name == "W4" && g.Small.Matches > 0 {
		return max(atLimit, g.Big.Matches/g.Small.Matches)
	}
	return atLimit
}

// draw writes one drawing of all runs: by how much the median time grew, beside what it may, and a table.
func draw(to string, files []string) error {
	var b strings.Builder
	y := 40
	text := func(x int, anchor, class, format string, args ...any) {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(fmt.Sprintf(format, args...)))
	}
	at := func(growth float64) int { return left + int(min(growth, axisEnd)/axisEnd*(right-left)) }
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		g := &bench.Growth{}
		if err := json.Unmarshal(content, g); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		text(20, "start", "title", "%s → %s", size(g.Small), size(g.Big))
		y += 18
		text(20, "start", "small", "%s, commit %.8s; Postgres %.5s, %d processors; %d connections, medians of %d rounds of %.0f s in turn", g.At.Format("2006-01-02 15:04 UTC"), g.Commit, g.Postgres, g.Processors, g.Connections, g.Rounds, g.Seconds)
		y += 22
		for _, mark := range []float64{0, 1, atLimit, 2, 3} {
			text(at(mark), "middle", "small", "× %g", mark)
		}
		text(right+135, "end", "small", "p50, ms")
		text(width-20, "end", "small", "p99, ms")
		top := y + 6
		for _, w := range g.Workloads {
			y += row
			text(left-10, "end", "", "%s %s", w.Name, short(w.Title))
			colour, most := "#2f6f9f", allowed(w, g)
			if w.P50 >= most {
				colour = "#b3372b"
			}
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="14" fill="%s"/>`+"\n", left, y-12, at(w.P50)-left, colour)
			if most > atLimit {
				fmt.Fprintf(&b, `<path d="M%d %dv18" class="limit"/>`+"\n", at(most), y-14)
			}
			text(min(at(w.P50), right-45)+5, "start", "", "%.2f", w.P50)
			text(right+135, "end", "", "%.2f → %.2f", w.Small.P50, w.Big.P50)
			text(width-20, "end", "", "%.1f → %.1f", w.Small.P99, w.Big.P99)
		}
		fmt.Fprintf(&b, `<path d="M%d %dV%d" class="axis"/><path d="M%d %dV%d" class="limit"/>`+"\n", left, top, y+8, at(atLimit), top, y+8)
		y += 22
		text(20, "start", "small", "Dashed: what it may grow by. A search of W4 has %.0f → %.0f matches to rank; databases of %.1f and %.1f GB.", g.Small.Matches, g.Big.Matches, float64(g.Small.Bytes)/1e9, float64(g.Big.Bytes)/1e9)
		y += head
	}
	page := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="Growth of the median time of an answer with the size of the town">
<style>text{font:13px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}.small{font-size:11px;fill:#555}.axis{stroke:#222}.limit{stroke:#b3372b;stroke-dasharray:4 3}</style>
<rect width="100%%" height="100%%" fill="#fff"/>
%s</svg>
`, width, y-20, width, y-20, b.String())
	return os.WriteFile(to, []byte(page), 0o644) //nolint:gosec // a drawing, for everybody
}

func size(s bench.Size) string { return fmt.Sprintf("%d shops, %d orders", s.Shops, s.Orders) }

// short is as much of a title as stands beside the axis.
func short(title string) string {
	const most = 32
	if r := []rune(title); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return title
}
