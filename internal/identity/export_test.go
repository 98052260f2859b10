package identity

import (
	"time"

	"github.com/audelor/halles/internal/pg"
)

// KeysAge is how long another process goes on with the keys that it has read.
const KeysAge = keysAge

// Hurry makes another process's keys as old as that at most.
func (w *WidgetKeys) Hurry(age time.Duration) { w.live = pg.NewSnapshotOf(age, w.load) }
