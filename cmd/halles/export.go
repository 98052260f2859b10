package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/insight"
	"github.com/audelor/halles/internal/insight/report"
	"github.com/audelor/halles/internal/opendata"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

type exportCmd struct {
	OpenData exportOpenDataCmd `cmd:"" help:"Write the open data of all communes and of each into a folder, as /opendata serves it."`
	Bulletin exportBulletinCmd `cmd:"" help:"Write a month's published figures as one HTML file that needs no other, ready to send."`
}

type exportOpenDataCmd struct {
	database
	Dir  string `arg:"" type:"path" help:"The folder; it is made when it is not there."`
	Site string `default:"https://halles.example" help:"Where the pages are, for the links of the schema."`
}

// Run writes the files.
func (c *exportOpenDataCmd) Run(ctx context.Context, p *process) error {
	options := c.options(p)
	if err := p.wrong.orNil(); err != nil {
		return err
	}
	db, err := pg.Open(ctx, options)
	if err != nil {
		return err
	}
	defer db.Close()
	communes := tenancy.NewRegister(db)
	data := &opendata.Data{DB: db, Communes: communes, Directory: &directory.Directory{DB: db, Communes: communes, Cursors: page.NewSealer(make([]byte, 32))}}
	codes, err := communes.Codes(ctx)
	if err != nil {
		return err
	}
	files := 0
	for _, insee := range append([]string{""}, codes...) {
		for _, format := range opendata.Formats {
			if err := toFile(filepath.Join(c.Dir, insee, "commerces."+string(format)), func(w io.Writer) error {
				return data.Write(ctx, w, format, insee)
			}); err != nil {
				return err
			}
			files++
		}
	}
	if err := toFile(filepath.Join(c.Dir, "schema.json"), func(w io.Writer) error {
		_, err := w.Write(opendata.TableSchema(c.Site))
		return err
	}); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d files in %s.\n", files+1, c.Dir)
	return nil
}

type exportBulletinCmd struct {
	database
	Month string `arg:"" placeholder:"2026-10" help:"The month; it must be published."`
	File  string `type:"path" help:"Where to. By default bulletin-MONTH.html in the current folder."`
}

// Run writes the bulletin.
func (c *exportBulletinCmd) Run(ctx context.Context, p *process) error {
	options := c.options(p)
	m, err := insight.ParseMonth(c.Month)
	if err != nil {
		p.wrong.addf("%q is not a month: write it as 2026-10.", c.Month)
	}
	if err := p.wrong.orNil(); err != nil {
		return err
	}
	db, err := pg.Open(ctx, options)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := insight.New(db, tenancy.NewRegister(db)).Dashboard(ctx, &identity.Viewer{Kind: identity.Analyst}, insight.DashboardInput{From: &m, To: &m})
	if err != nil {
		return err
	}
	if d.PublishedAt == nil {
		return fmt.Errorf("nothing is published of %s: a month is closed on the 5th of the next, by a server that runs", m)
	}
	if c.File == "" {
		c.File = "bulletin-" + m.String() + ".html"
	}
	if err := toFile(c.File, func(w io.Writer) error { return report.Bulletin(w, d) }); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s\n", c.File)
	return nil
}

// toFile writes beside and renames: whoever reads the folder meanwhile finds whole files.
func toFile(name string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // to be published
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".halles-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Chmod(file.Name(), 0o644); err != nil { //nolint:gosec // to be published
		return err
	}
	return os.Rename(file.Name(), name)
}
