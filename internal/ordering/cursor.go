package ordering

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/tenancy"
)

// orderPosition is a place in the life of one order. It holds the order's own count and not the
// commune's: sealed or not, it could tell a customer nothing of how much others order.
type orderPosition struct {
	Epoch uuid.UUID `json:"e"`
	Seq   int       `json:"s"`
}

// ordersPosition is a place in the lives of several orders, each by its own count, in the order of
// the list's name.
type ordersPosition struct {
	Epoch uuid.UUID `json:"e"`
	Seqs  []int     `json:"s"`
}

// streamPosition is a place in the logs of several communes: in each, the last event that was
// sent or passed over. Logs of different communes have no common order, so that one number
// could not say it.
type streamPosition struct {
	Epoch uuid.UUID        `json:"e"`
	At    map[string]int64 `json:"a"`
}

// sealed is the last cursor of each list that somebody follows. All who follow it are sent the same.
type sealed struct {
	mu sync.Mutex
	of map[string]sealedCursor
}

type sealedCursor struct {
	streamPosition
	text string
}

// mostSealed bounds the memory. Beyond it all are forgotten: those that are followed are sealed anew.
const mostSealed = 1000

// seal is the cursor of a place in a list: sealing makes the same of the same.
func (f *Feed) seal(list string, p streamPosition) string {
	f.sealed.mu.Lock()
	last := f.sealed.of[list]
	f.sealed.mu.Unlock()
	if last.text != "" && last.Epoch == p.Epoch && maps.Equal(last.At, p.At) {
		return last.text
	}
	made := sealedCursor{streamPosition{p.Epoch, maps.Clone(p.At)}, f.cursors.Seal(list, p)}
	f.sealed.mu.Lock()
	defer f.sealed.mu.Unlock()
	if f.sealed.of == nil || len(f.sealed.of) >= mostSealed {
		f.sealed.of = map[string]sealedCursor{}
	}
	f.sealed.of[list] = made
	return made.text
}

// A list's name holds the field, its arguments and the account: a cursor opens there only.

func orderList(v *identity.Viewer, id tenancy.ID) string {
	return "orderUpdated " + id.String() + " " + v.Account.String()
}

func streamList(field string, v *identity.Viewer, ids []tenancy.ID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.String()
	}
	slices.Sort(names)
	return field + " " + strings.Join(names, ",") + " " + v.Account.String()
}

// orderCursor is where orderUpdated goes on after the event, for this viewer. An order's
// history gives the same cursors: who has read it follows from its last event.
func orderCursor(cursors *page.Sealer, v *identity.Viewer, epoch uuid.UUID, e *Event) string {
	return cursors.Seal(orderList(v, e.OrderID()), orderPosition{epoch, e.OrderSeq})
}

// errExpired answers a cursor of another life of the log, or of a part that is no longer kept.
func errExpired() error {
	return fault.Errorf(fault.CursorExpired, "Ce curseur est trop ancien pour reprendre. Recommencez sans after : l'état présent d'abord, puis la suite.")
}
