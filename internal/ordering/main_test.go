package ordering_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	_ "pgregory.net/rapid" // whose flag is set

	"github.com/audelor/halles/internal/pg/pgtest"
)

func TestMain(m *testing.M) {
	// Each walk is a dozen transactions on Postgres: rapid's hundred would take a tenth of all
	// that is tested here. -rapid.checks still overrules it.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pgtest.Main(m)
}
