package pg

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Scope is the viewer as row-level security sees it. The zero Scope sees nothing.
type Scope struct {
	Role     Role
	Kind     string      // halles.kind
	Viewer   uuid.UUID   // halles.viewer: the account; zero for none
	Communes []string    // halles.communes: the only communes whose rows exist
	Staff    []string    // halles.staff: communes whose withheld rows staff may read
	Shops    []uuid.UUID // halles.shops: a merchant's
	Orders   []uuid.UUID // halles.orders: a guest's
	Own      bool        // halles.own: published shops and variants that are not the viewer's do not count

	// Generic has a statement planned once for each connection, whatever its arguments: for one that
	// takes longer to plan than to run. Postgres compares what it reckons of both sorts of plan and
	// cannot tell that a search's are the same: it planned each anew, 1.1 of 2.1 ms.
	Generic bool

	// Witness queues what every transaction that commits under the scope leaves beside its own
	// changes: the entry of who acted in another's name. nil: nothing.
	Witness func(*pgx.Batch)
}

// In narrows the scope to communes that it has already; others are dropped. Each counts once, however
// often it is named: with the commune of each of 200 keys, Postgres sorted a list of 200 for each of
// them.
func (s Scope) In(communes ...string) Scope {
	kept := make([]string, 0, min(len(communes), len(s.Communes)))
	for i, c := range communes {
		if i > 0 && c == communes[i-1] || slices.Contains(kept, c) {
			continue
		}
		if slices.Contains(s.Communes, c) {
			kept = append(kept, c)
		}
	}
	s.Communes = kept
	return s
}

const setScope = `select set_config('halles.kind', $1, true), set_config('halles.viewer', $2, true),
	set_config('halles.communes', $3, true), set_config('halles.shops', $4, true), set_config('halles.orders', $5, true), set_config('halles.staff', $6, true),
	set_config('halles.own', $7, true)`

// args are setScope's arguments.
func (s Scope) args() (all [generic]any) {
	for i := range all {
		all[i] = s.setting(i)
	}
	return all
}

// setting is the value of one of the settings.
func (s Scope) setting(i int) string {
	switch i {
	case kind:
		return s.Kind
	case viewer:
		if s.Viewer != uuid.Nil {
			return s.Viewer.String()
		}
	case communes:
		return texts(s.Communes)
	case shops:
		return uuids(s.Shops)
	case orders:
		return uuids(s.Orders)
	case staff:
		return texts(s.Staff)
	case own:
		if s.Own {
			return "on"
		}
	case generic:
		if s.Generic {
			return "force_generic_plan"
		}
		return "auto"
	}
	return ""
}

// set are the settings that are not empty, by their bits: what is not set reads as empty. Each costs 2
// µs, and most viewers have three of seven.
func (s Scope) set() (mask int) {
	for i, full := range [...]bool{kind: true, viewer: s.Viewer != uuid.Nil, communes: true, shops: len(s.Shops) > 0, orders: len(s.Orders) > 0, staff: len(s.Staff) > 0, own: s.Own, generic: s.Generic} {
		if full {
			mask |= 1 << i
		}
	}
	return mask
}

// alike tells whether two scopes set the same.
func (s Scope) alike(t Scope) bool {
	return s.Kind == t.Kind && s.Viewer == t.Viewer && s.Own == t.Own && slices.Equal(s.Communes, t.Communes) &&
		slices.Equal(s.Staff, t.Staff) && slices.Equal(s.Shops, t.Shops) && slices.Equal(s.Orders, t.Orders)
}

// values adds the settings of mask to the arguments of a query.
func (s Scope) values(mask int, args []any) []any {
	all := make([]any, len(args), len(args)+bits.OnesCount(uint(mask)))
	copy(all, args)
	for i := range settings {
		if mask&(1<<i) != 0 {
			all = append(all, s.setting(i))
		}
	}
	return all
}

// The settings, in the order of setScope's arguments.
const (
	kind = iota
	viewer
	communes
	shops
	orders
	staff
	own
	generic
	settings
)

// calls sets the settings of mask, with the arguments after the first so many.
func calls(mask, after int) string {
	var all []string
	for i, name := range [settings]string{"halles.kind", "halles.viewer", "halles.communes", "halles.shops", "halles.orders", "halles.staff", "halles.own", "plan_cache_mode"} {
		if mask&(1<<i) != 0 {
			all = append(all, fmt.Sprintf("set_config('%s', $%d, true)", name, after+len(all)+1))
		}
	}
	return strings.Join(all, ", ")
}

// within has a query set the scope itself, where it can: Postgres evaluates an OFFSET before it asks
// for the first row, and what the policies compare with when they meet the first one (each is a
// sub-select of its own, see migrations/00001). So it is one statement in place of two, which took 10
// µs of Postgres and as much of ours. Were it ever the other way round, the query would find nothing.
//
// The query stays by itself in a sub-select, for its own LIMIT to be planned with. ok is false for
// what is no sub-select, a change or a WITH that may hold one, and for what says how it is planned:
// that must be known before.
func (s Scope) within(sql string, args []any, mask int) (_ string, _ []any, ok bool) {
	query := strings.TrimLeft(sql, " \t\n")
	if s.Generic || !strings.HasPrefix(query, "select ") {
		return "", nil, false
	}
	if mask == 0 { // they are set already
		return sql, args, true
	}
	return "select r.* from (" + query + ") r offset " + zero(mask, len(args)), s.values(mask, args), true
}

// setting is a statement that sets the settings of mask.
func setting(mask int) string {
	if text := settingTexts[mask].Load(); text != nil {
		return *text
	}
	text := "select " + calls(mask, 0)
	settingTexts[mask].Store(&text)
	return text
}

var settingTexts [1 << settings]atomic.Pointer[string]

// zeros are the texts of such offsets.
var zeros sync.Map

func zero(mask, after int) string {
	key := [2]int{mask, after}
	if text, known := zeros.Load(key); known {
		return text.(string)
	}
	text := "0 * length(concat(" + calls(mask, after) + "))"
	zeros.Store(key, text)
	return text
}

// texts and uuids write array literals. Both kinds of element are free of quotes, commas
// and braces: INSEE codes and UUIDs, never text of a request.
func texts(list []string) string {
	b := []byte{'{'}
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, s...)
	}
	return string(append(b, '}'))
}

func uuids(list []uuid.UUID) string {
	b := []byte{'{'}
	for i, id := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, id.String()...)
	}
	return string(append(b, '}'))
}
