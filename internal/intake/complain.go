package intake

import (
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/sheet"
)

// Complain adds to a report what a query found wrong: line, column and message of the first, and in
// all_of how many there are.
func Complain(rows pgx.Rows, report *sheet.Report) error {
	type wrong struct {
		sheet.Issue
		AllOf int
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[wrong])
	if err != nil {
		return err
	}
	beside := sheet.Report{}
	for _, w := range found {
		beside.Issues, beside.Count = append(beside.Issues, w.Issue), w.AllOf
	}
	report.Merge(beside)
	return nil
}
