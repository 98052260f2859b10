package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/audelor/halles/internal/catalog"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/intake"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/sheet"
	"github.com/audelor/halles/internal/tenancy"
)

type importCmd struct {
	Products importProductsCmd `cmd:"" help:"Import a CSV file of products into the shops of a commune, all of it or nothing."`
	Shops    importShopsCmd    `cmd:"" help:"Import a CSV file of shops into a commune, all of it or nothing; new ones wait to be published."`
	Undo     importUndoCmd     `cmd:"" help:"Put back what an import changed, but for what was sold or changed since."`
	Template importTemplateCmd `cmd:"" help:"Print an empty file with an example, to fill in a spreadsheet."`
}

// importFlags are common to all kinds of files.
type importFlags struct {
	database
	File    string `arg:"" type:"existingfile" help:"The file: CSV as a spreadsheet saves it, with ; or , or tabs, in UTF-8 or Windows-1252."`
	Commune string `required:"" placeholder:"lorient" help:"The commune of the shops: its slug or INSEE code."`
	DryRun  bool   `help:"Tell what would change, row by row, and change nothing."`
}

type importProductsCmd struct{ importFlags }

type importShopsCmd struct{ importFlags }

// Help is the long form of the command's help.
func (importProductsCmd) Help() string { return columnsHelp(catalog.ImportColumns()) }

// Help is the long form of the command's help.
func (importShopsCmd) Help() string { return columnsHelp(directory.ImportColumns()) }

func columnsHelp(columns []sheet.Column) string {
	var b strings.Builder
	b.WriteString("Columns, by any of their usual headings; others are refused unless their heading begins with #:\n")
	for _, c := range columns {
		fmt.Fprintf(&b, "  %-12s %s\n", c.Name, c.Help)
	}
	return b.String()
}

// Run imports products.
func (c *importProductsCmd) Run(ctx context.Context, p *process) error {
	return c.run(ctx, p, intake.Products)
}

// Run imports shops.
func (c *importShopsCmd) Run(ctx context.Context, p *process) error {
	return c.run(ctx, p, intake.Shops)
}

// operator opens the database for a command that acts as the platform itself.
func (d database) operator(ctx context.Context, p *process) (*pg.DB, *intake.Intake, *identity.Viewer, error) {
	options := d.options(p)
	if err := p.wrong.orNil(); err != nil {
		return nil, nil, nil, err
	}
	db, err := pg.Open(ctx, options)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := upToDate(ctx, db); err != nil {
		db.Close()
		return nil, nil, nil, err
	}
	communes := tenancy.NewRegister(db)
	codes, err := communes.Codes(ctx)
	if err != nil {
		db.Close()
		return nil, nil, nil, err
	}
	cursors := page.NewSealer(make([]byte, 32)) // nothing of it leaves this process
	in := intake.New(db, communes, cursors)
	in.Steps[intake.Products] = catalog.New(db, communes, cursors).ImportSteps
	in.Steps[intake.Shops] = (&directory.Directory{DB: db, Communes: communes, Cursors: cursors}).ImportSteps
	return db, in, identity.Platform(codes), nil
}

func (c *importFlags) run(ctx context.Context, p *process, kind intake.Kind) error {
	db, in, viewer, err := c.operator(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	which, by := &c.Commune, (*string)(nil)
	if !tenancy.ValidInsee(c.Commune) {
		which, by = nil, &c.Commune
	}
	commune, err := in.Communes.Find(ctx, which, by)
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := &progress{out: p.stdout}
	im, err := in.Run(ctx, viewer, file, intake.Options{
		Commune: commune.Insee, Kind: kind, FileName: filepath.Base(c.File), DryRun: c.DryRun, Progress: bar.show,
	})
	if err != nil {
		return err
	}
	return c.tell(ctx, p, in, viewer, im)
}

// tell prints what was done or, of a dry run, what would be.
func (c *importFlags) tell(ctx context.Context, p *process, in *intake.Intake, viewer *identity.Viewer, im *intake.Import) error {
	if im.IssueCount > 0 {
		for _, issue := range im.Issues {
			fmt.Fprintln(p.stderr, issue)
		}
		if more := im.IssueCount - len(im.Issues); more > 0 {
			fmt.Fprintf(p.stderr, "… %d more\n", more)
		}
		return fmt.Errorf("%d things are wrong in %s: nothing was changed", im.IssueCount, c.File)
	}
	verb := "would be "
	if im.Status == intake.Applied {
		verb = ""
	} else if err := in.Each(ctx, viewer, im, func(change *intake.Change) error { return printChange(p, change) }); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d rows: %d %screated, %d %schanged, %d as they are.\n", im.LineCount, im.CreatedCount, verb, im.ChangedCount, verb, im.UnchangedCount())
	if im.Status == intake.Applied {
		fmt.Fprintf(p.stdout, "To undo it: halles import undo %s\n", im.ID())
	}
	return nil
}

func printChange(p *process, change *intake.Change) error {
	var b strings.Builder
	sign := "+"
	if change.Kind == intake.Changed {
		sign = "~"
	}
	fmt.Fprintf(&b, "%s line %d  %s ", sign, change.Line, change.Label)
	for i, f := range change.Fields() {
		if i > 0 {
			b.WriteString(",")
		}
		if f.Before != nil {
			fmt.Fprintf(&b, " %s: %q → %q", f.Name, *f.Before, f.After)
		} else {
			fmt.Fprintf(&b, " %s: %q", f.Name, f.After)
		}
	}
	_, err := fmt.Fprintln(p.stdout, b.String())
	return err
}

type importUndoCmd struct {
	database
	Import string `arg:"" help:"The import's id, as the import printed it."`
}

// Run undoes an import.
func (c *importUndoCmd) Run(ctx context.Context, p *process) error {
	id, err := tenancy.ParseID(c.Import)
	if err != nil {
		return err
	}
	db, in, viewer, err := c.operator(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	bar := &progress{out: p.stdout}
	im, refused, err := in.Undo(ctx, viewer, id, bar.show)
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return errors.New(refused[0].Message)
	}
	err = in.Each(ctx, viewer, im, func(change *intake.Change) error {
		why := map[intake.ChangeState]string{intake.StateLeftSold: "sold since", intake.StateLeftChanged: "changed since"}[change.State]
		if why != "" {
			fmt.Fprintf(p.stdout, "left: line %d  %s: %s\n", change.Line, change.Label, why)
		}
		return nil
	})
	fmt.Fprintf(p.stdout, "%d rows put back, %d left as they are.\n", im.DoneCount, im.LeftCount)
	return err
}

type importTemplateCmd struct {
	Kind string `arg:"" enum:"products,shops" help:"Of what: products or shops."`
}

// Run prints the template.
func (c *importTemplateCmd) Run(p *process) error {
	template := catalog.ImportTemplate
	if c.Kind == "shops" {
		template = directory.ImportTemplate
	}
	_, err := p.stdout.Write(template())
	return err
}
