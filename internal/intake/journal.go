package intake

import (
	"context"
	"fmt"
	"slices"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// ByID finds an import of the viewer's, or of a commune that it serves.
func (i *Intake) ByID(ctx context.Context, v *identity.Viewer, id tenancy.ID) (*Import, error) {
	if err := id.Want(tenancy.KindImport, "id"); err != nil {
		return nil, err
	}
	if acting(v, id.Commune) != nil {
		return nil, id.NotFound()
	}
	found, err := pg.Select[Import](ctx, i.DB, v.Scope().In(id.Commune), "select "+importColumns+` from imports i
		where i.commune_id = $1 and i.id = $2 and (i.account_id is not distinct from $3 or $4)`, id.Commune, id.Row, owner(v), v.Serves(id.Commune))
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", id, err)
	}
	if len(found) == 0 {
		return nil, id.NotFound()
	}
	return &found[0], nil
}

// ChangeKind is what an import does to a row.
type ChangeKind string

// The kinds of changes.
const (
	Created ChangeKind = "CREATED"
	Changed ChangeKind = "CHANGED"
)

// ChangeState is how far a change is.
type ChangeState string

// The states of a change.
const (
	StatePlanned     ChangeState = "PLANNED"
	StateApplied     ChangeState = "APPLIED"
	StateUndone      ChangeState = "UNDONE"
	StateLeftSold    ChangeState = "LEFT_SOLD"
	StateLeftChanged ChangeState = "LEFT_CHANGED"
)

// Change is what an import does to one row of its file.
type Change struct {
	Line   int
	Kind   ChangeKind
	State  ChangeState
	Label  string // the row as its owner knows it: an article code, a shop's name
	Before map[string]any
	After  map[string]any
}

// FieldChange is a value that a change gives.
type FieldChange struct {
	Name   string  // as the file's columns are called
	Before *string // null for a row that is new
	After  string
}

// fields is the order in which fields are told: the columns of both kinds of files. A journal has
// the names of the columns, so that a diff reads like the file.
var fields = []string{
	"siret", "nom", "adresse_web", "description", "categorie", "statut", "option", "valeur", "prix", "tva", "stock", "retiree",
	"naf", "adresse", "code_postal", "ville", "latitude", "longitude", "telephone", "courriel", "site", "services", "accessibilite", "surface", "effectif",
	"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "jours_feries", "modes",
}

// Fields lists what the change gives, in the order of the columns.
func (c *Change) Fields() []FieldChange {
	var list []FieldChange
	for _, name := range fields {
		if after, ok := c.After[name]; ok {
			field := FieldChange{Name: name, After: told(name, after)}
			if before, ok := c.Before[name]; ok {
				text := told(name, before)
				field.Before = &text
			}
			list = append(list, field)
		}
	}
	return list
}

// ChangeConnection is a page of an import's changes.
type ChangeConnection struct {
	Edges    []ChangeEdge
	PageInfo page.Info
}

// ChangeEdge is a change at its place in the file.
type ChangeEdge struct {
	Cursor string
	Node   *Change
}

// Nodes are the changes of the page.
func (c *ChangeConnection) Nodes() []*Change {
	nodes := make([]*Change, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// Changes is one page of what an import does, by line of the file; of some states only where
// states are given. The import must be one that the viewer may see.
func (i *Intake) Changes(ctx context.Context, v *identity.Viewer, im *Import, states []ChangeState, first int, after *string) (*ChangeConnection, error) {
	if err := page.CheckFirst(first); err != nil {
		return nil, err
	}
	states = slices.Clone(states)
	slices.Sort(states)
	list := fmt.Sprintf("changes of %s %v", im.ID(), states)
	line := -1
	if after != nil {
		if err := i.Cursors.Open(list, *after, &line); err != nil {
			return nil, err
		}
	}
	changes, err := i.changes(ctx, v, im, states, first+1, line)
	if err != nil {
		return nil, err
	}
	c := &ChangeConnection{}
	c.PageInfo.HasPreviousPage = after != nil
	if len(changes) > first {
		changes, c.PageInfo.HasNextPage = changes[:first], true
	}
	for n := range changes {
		c.Edges = append(c.Edges, ChangeEdge{Node: &changes[n], Cursor: i.Cursors.Seal(list, changes[n].Line)})
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
}

func (i *Intake) changes(ctx context.Context, v *identity.Viewer, im *Import, states []ChangeState, first, after int) ([]Change, error) {
	texts := make([]string, len(states))
	for n, s := range states {
		texts[n] = string(s)
	}
	changes, err := pg.Select[Change](ctx, i.DB, v.Scope().In(im.CommuneID), `
		select line, kind, state, label, before, after from import_changes
		where commune_id = $1 and import_id = $2 and line > $3 and (cardinality($4::text[]) = 0 or state = any($4)) order by line limit $5`,
		im.CommuneID, im.Row, after, texts, first)
	if err != nil {
		return nil, fmt.Errorf("changes of %s: %w", im.ID(), err)
	}
	return changes, nil
}

// Each tells all changes of an import, by line.
func (i *Intake) Each(ctx context.Context, v *identity.Viewer, im *Import, tell func(*Change) error) error {
	const some = 1000
	for after := -1; ; {
		changes, err := i.changes(ctx, v, im, nil, some, after)
		if err != nil {
			return err
		}
		for n := range changes {
			if err := tell(&changes[n]); err != nil {
				return err
			}
			after = changes[n].Line
		}
		if len(changes) < some {
			return nil
		}
	}
}
