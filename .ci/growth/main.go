// Growth measures how much slower a bigger town is, and draws it: see .ci/bench/README.md.
//
//	go run ./.ci/growth -small DIR -big DIR -json FILE     # folders of two demos that run
//	go run ./.ci/growth -svg FILE.svg FILE.json…           # draws what was measured
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/audelor/halles/internal/bench"
	"github.com/audelor/halles/internal/demo"
	"github.com/audelor/halles/internal/pg"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	small := flag.String("small", "", "folder of the small town's demo, which runs")
	big := flag.String("big", "", "folder of the big town's")
	file := flag.String("json", "", "where the figures are written to")
	svg := flag.String("svg", "", "draw the files given there, and measure nothing")
	connections := flag.Int("connections", 4, "how many ask at once")
	during := flag.Duration("for", 5*time.Second, "how long a round of each town lasts")
	rounds := flag.Int("rounds", 5, "rounds of each town, in turn; the median counts")
	flag.Parse()
	if *svg != "" {
		return draw(*svg, flag.Args())
	}
	if *small == "" || *big == "" || *file == "" {
		return errors.New("name two folders of demos that run, with -small and -big, and a file with -json; or -svg FILE.svg and files to draw")
	}
	towns := make([]bench.Town, 2)
	for i, dir := range []string{*small, *big} {
		content, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		if err != nil {
			return fmt.Errorf("%w: start `halles demo --data %s` first", err, dir)
		}
		var d demo.File
		if err := json.Unmarshal(content, &d); err != nil {
			return err
		}
		at, err := url.Parse(d.URL)
		if err != nil {
			return err
		}
		towns[i] = bench.Town{Address: at.Host, Database: pg.Options{URL: d.Postgres}}
	}
	g, err := bench.Grow(ctx, towns[0], towns[1], bench.Options{Connections: *connections, During: *during, Rounds: *rounds, Out: os.Stdout})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(*file, append(text, '\n'), 0o644) //nolint:gosec // figures, for everybody
}
