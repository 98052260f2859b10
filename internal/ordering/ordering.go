package ordering

import (
	"time"

	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
)

// Ordering takes orders and changes them.
type Ordering struct {
	DB      *pg.DB
	Cursors *page.Sealer
	Guests  *identity.Guests
	Now     func() time.Time // read once per transaction

	Deadlines Deadlines // DefaultDeadlines unless the deployment sets others

	// Wake is called after a commit that wrote events, with their communes. It must not block;
	// nil where nobody listens: the events stay in the log all the same.
	Wake func(communes ...string)

	known knownShops
}

// New returns the ordering in db.
func New(db *pg.DB, cursors *page.Sealer, guests *identity.Guests) *Ordering {
	return &Ordering{DB: db, Cursors: cursors, Guests: guests, Now: time.Now, Deadlines: DefaultDeadlines}
}

func (o *Ordering) wake(communes ...string) {
	if o.Wake != nil {
		o.Wake(communes...)
	}
}

// now is the instant that a transaction writes: UTC, to the microsecond that Postgres keeps,
// so that what was written equals what is read again.
func (o *Ordering) now() time.Time { return o.Now().UTC().Truncate(time.Microsecond) }
