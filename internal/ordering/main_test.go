package ordering_test

import (
	"testing"

	"github.com/audelor/halles/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
