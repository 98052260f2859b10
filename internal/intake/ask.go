package intake

import (
	"context"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// Input is a file to import.
type Input struct {
	Upload tenancy.ID
	DryRun bool
}

// UndoImportInput is an import to undo.
type UndoImportInput struct{ Import tenancy.ID }

// Payload is what came of an import or of its undoing.
type Payload struct {
	Import   *Import
	Refusals []Refusal
}

// Import imports a file that was sent.
func (i *Intake) Import(ctx context.Context, v *identity.Viewer, kind Kind, in Input) (*Payload, error) {
	im, err := i.RunUpload(ctx, v, in.Upload, Options{Kind: kind, DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	return &Payload{Import: im}, nil
}

// UndoImport undoes an import.
func (i *Intake) UndoImport(ctx context.Context, v *identity.Viewer, in UndoImportInput) (*Payload, error) {
	if err := in.Import.Want(tenancy.KindImport, "input", "import"); err != nil {
		return nil, err
	}
	im, refused, err := i.Undo(ctx, v, in.Import, nil)
	if err != nil {
		return nil, err
	}
	return &Payload{Import: im, Refusals: refused}, nil
}
