package pg

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// collectStructs reads rows into structs by column name, as pgx.RowToStructByName does. That one
// looks the fields up and makes a target for each column again with each row: most of what the 600
// rows of a page of a commune's products cost. Here the look-up is done once for a query, and the
// usual types are read from their binary form straight into their fields, the texts of rows as parts
// of few strings. Rows with a column of any other type are pgx's, and so is a value that does
// not fit.
//
// part says that fields may be without a column; room is told how many there were last time; add adds a struct of the type to the list and gives it;
// slow has pgx read the row into the last one.
// Nothing here is generic: there are some seventy types of rows, and code for structs is compiled for
// each.
func collectStructs(rows pgx.Rows, typ reflect.Type, part bool, room func(int), add func() reflect.Value, slow func() error) error {
	defer rows.Close()
	p := planFor(typ, part, rows.FieldDescriptions())
	if p != nil {
		room(int(p.usual.Load()))
	}
	n := 0
	var texts shared
	defer func() {
		if p != nil {
			p.usual.Store(int64(min(n+n/8, maxUsual)))
		}
	}()
	for rows.Next() {
		n++
		if to := add(); p != nil && p.read(to, rows.RawValues(), &texts) {
			continue
		}
		if err := slow(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scanPlan says how the columns of a query become a struct.
type scanPlan struct {
	part    bool
	columns []pgconn.FieldDescription
	fields  []target     // by column; nil: pgx must
	usual   atomic.Int64 // how many rows to expect
}

// target is the field of a column. read is false for a value that does not fit.
type target struct {
	index   []int
	pointer bool // NULL is nil
	text    bool // its bytes are part of the row's text
	read    func(to reflect.Value, raw []byte, text string) bool
}

// maxUsual bounds the rows that room is made for beforehand.
const maxUsual = 1000

// maxScanPlans bounds the plans that are kept for a type, which few queries read.
const maxScanPlans = 16

var scanPlans sync.Map // *plansOf by reflect.Type

type plansOf struct {
	mu   sync.RWMutex
	list []*scanPlan
}

// planFor is nil where pgx must read the rows.
func planFor(typ reflect.Type, part bool, columns []pgconn.FieldDescription) *scanPlan {
	found, _ := scanPlans.Load(typ)
	if found == nil {
		found, _ = scanPlans.LoadOrStore(typ, &plansOf{})
	}
	all := found.(*plansOf)
	p := all.find(part, columns)
	if p == nil {
		p = newScanPlan(typ, part, columns)
		all.mu.Lock()
		if len(all.list) < maxScanPlans {
			all.list = append(all.list, p)
		}
		all.mu.Unlock()
	}
	if p.fields == nil {
		return nil
	}
	return p
}

func (all *plansOf) find(part bool, columns []pgconn.FieldDescription) *scanPlan {
	all.mu.RLock()
	defer all.mu.RUnlock()
	for _, p := range all.list {
		if p.part == part && slices.EqualFunc(p.columns, columns, func(a, b pgconn.FieldDescription) bool {
			return a.Name == b.Name && a.DataTypeOID == b.DataTypeOID && a.Format == b.Format
		}) {
			return p
		}
	}
	return nil
}

func newScanPlan(typ reflect.Type, part bool, columns []pgconn.FieldDescription) *scanPlan {
	p := &scanPlan{part: part, columns: slices.Clone(columns)} // pgx uses the slice again
	for i := range p.columns {
		p.columns[i].Name = strings.Clone(p.columns[i].Name)
	}
	if typ.Kind() != reflect.Struct {
		return p
	}
	fields := make([]target, len(columns))
	filled := 0
	for _, f := range reflect.VisibleFields(typ) {
		tag, tagged := f.Tag.Lookup("db")
		if f.Anonymous && f.Type.Kind() == reflect.Struct || !f.IsExported() || tag == "-" {
			continue
		}
		i := slices.IndexFunc(columns, func(c pgconn.FieldDescription) bool {
			if tagged {
				return c.Name == tag
			}
			return strings.EqualFold(strings.ReplaceAll(c.Name, "_", ""), strings.ReplaceAll(f.Name, "_", ""))
		})
		if i < 0 && part {
			continue
		}
		if i < 0 || fields[i].read != nil || columns[i].Format != pgtype.BinaryFormatCode && columns[i].DataTypeOID != pgtype.TextOID {
			return p
		}
		to := target{index: f.Index}
		elem := f.Type
		if elem.Kind() == reflect.Pointer {
			to.pointer, elem = true, elem.Elem()
		}
		if to.read, to.text = reader(elem, columns[i].DataTypeOID); to.read == nil {
			return p
		}
		fields[i] = to
		filled++
	}
	if filled == len(columns) {
		p.fields = fields
	}
	return p
}

// shared makes strings of the bytes of rows, as parts of longer ones: the first row has one of its own
// length, which a single one kept for long holds nothing beside; those after it share.
type shared struct {
	strings.Builder
	rows int
}

// maxShared bounds a string that rows share, in bytes: what keeps a part of it keeps all.
const maxShared = 8 << 10

// room has the next row's texts follow each other in one string.
func (t *shared) room(size int) {
	if t.Cap()-t.Len() < size {
		more := min(size*t.rows, maxShared)
		t.Reset() // what was handed out stays
		t.Grow(max(size, more))
	}
	t.rows++
}

// read reads a row; false: a value does not fit.
func (p *scanPlan) read(to reflect.Value, raw [][]byte, texts *shared) bool {
	size := 0
	for i := range p.fields {
		if p.fields[i].text {
			size += len(raw[i])
		}
	}
	texts.room(size)
	from := texts.Len()
	for i := range p.fields {
		if p.fields[i].text {
			texts.Write(raw[i])
		}
	}
	rest := texts.String()[from:]
	for i := range p.fields {
		f := &p.fields[i]
		text := ""
		if f.text {
			text, rest = rest[:len(raw[i])], rest[len(raw[i]):]
		}
		field := to.Field(f.index[0])
		for _, inner := range f.index[1:] { // of a struct in the struct
			field = field.Field(inner)
		}
		if f.pointer {
			if raw[i] == nil {
				continue
			}
			v := reflect.New(field.Type().Elem())
			field.Set(v)
			field = v.Elem()
		}
		if raw[i] == nil || !f.read(field, raw[i], text) {
			return false
		}
	}
	return true
}

// reader reads a column's binary form into a Go type; nil: only pgx knows how.
func reader(typ reflect.Type, oid uint32) (read func(to reflect.Value, raw []byte, text string) bool, text bool) {
	if reflect.PointerTo(typ).Implements(scanner) {
		if typ == reflect.TypeFor[uuid.UUID]() && oid == pgtype.UUIDOID {
			return readUUID, false
		}
		return nil, false
	}
	switch {
	case oid == pgtype.TextOID && typ.Kind() == reflect.String:
		return func(to reflect.Value, _ []byte, text string) bool { to.SetString(text); return true }, true
	case (oid == pgtype.Int2OID || oid == pgtype.Int4OID || oid == pgtype.Int8OID) && typ.Kind() >= reflect.Int && typ.Kind() <= reflect.Int64:
		return readInt, false
	case oid == pgtype.BoolOID && typ.Kind() == reflect.Bool:
		return readBool, false
	case oid == pgtype.Float8OID && typ.Kind() == reflect.Float64:
		return readFloat, false
	case oid == pgtype.TimestamptzOID && typ == reflect.TypeFor[time.Time]():
		return readTime, false
	case oid == pgtype.TextArrayOID && typ == reflect.TypeFor[[]string]():
		return readTexts, true
	}
	return nil, false
}

// scanner is what database/sql asks to read itself; a uuid.UUID would read its own text.
var scanner = reflect.TypeFor[interface{ Scan(any) error }]()

// sendUUIDs has uuid.UUID sent as the bytes that it is: database/sql's interface, which it has too,
// would write it as a text for pgx to read again.
func sendUUIDs(types *pgtype.Map) {
	types.TryWrapEncodePlanFuncs = append([]pgtype.TryWrapEncodePlanFunc{
		func(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
			id, ok := value.(uuid.UUID)
			return &encodeUUID{}, asUUID(id), ok
		},
	}, types.TryWrapEncodePlanFuncs...)
}

type asUUID uuid.UUID

// UUIDValue is what pgx sends.
func (id asUUID) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: id, Valid: true}, nil }

type encodeUUID struct{ next pgtype.EncodePlan }

// SetNext is pgx's: the plan of the type that is sent instead.
func (p *encodeUUID) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode sends a uuid.UUID.
func (p *encodeUUID) Encode(value any, b []byte) ([]byte, error) {
	return p.next.Encode(asUUID(value.(uuid.UUID)), b)
}

func readInt(to reflect.Value, raw []byte, _ string) bool {
	var n int64
	switch len(raw) {
	case 2:
		n = int64(int16(binary.BigEndian.Uint16(raw)))
	case 4:
		n = int64(int32(binary.BigEndian.Uint32(raw)))
	case 8:
		n = int64(binary.BigEndian.Uint64(raw))
	default:
		return false
	}
	if to.OverflowInt(n) {
		return false
	}
	to.SetInt(n)
	return true
}

func readBool(to reflect.Value, raw []byte, _ string) bool {
	if len(raw) != 1 {
		return false
	}
	to.SetBool(raw[0] == 1)
	return true
}

func readFloat(to reflect.Value, raw []byte, _ string) bool {
	if len(raw) != 8 {
		return false
	}
	to.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	return true
}

func readUUID(to reflect.Value, raw []byte, _ string) bool {
	id, ok := to.Addr().Interface().(*uuid.UUID)
	return ok && copy(id[:], raw) == len(raw) && len(raw) == len(id)
}

// epoch is Postgres's, in seconds of Unix: 2000-01-01.
const epoch = 946_684_800

func readTime(to reflect.Value, raw []byte, _ string) bool {
	t, ok := to.Addr().Interface().(*time.Time)
	if !ok || len(raw) != 8 {
		return false
	}
	micros := int64(binary.BigEndian.Uint64(raw))
	if micros > endOfTime || micros < -endOfTime {
		return false // infinity, or what pgx refuses
	}
	*t = time.Unix(epoch+micros/1_000_000, micros%1_000_000*1000)
	return true
}

// endOfTime is some 6,000 years from epoch, in microseconds: what is beyond is for pgx to judge.
const endOfTime = 6000 * 366 * 24 * 3600 * 1_000_000

// readTexts reads an array of one dimension, or an empty one, without NULLs. Its elements are parts of
// the text, which has its bytes.
func readTexts(to reflect.Value, raw []byte, text string) bool {
	list, ok := to.Addr().Interface().(*[]string)
	if !ok || len(raw) < 12 {
		return false
	}
	dimensions, nulls := binary.BigEndian.Uint32(raw), binary.BigEndian.Uint32(raw[4:])
	if dimensions == 0 {
		*list = []string{}
		return true
	}
	if dimensions != 1 || nulls != 0 || len(raw) < 20 {
		return false
	}
	n, rest := int(binary.BigEndian.Uint32(raw[12:])), raw[20:]
	text = text[20:]
	if n > len(rest)/4 {
		return false
	}
	*list = make([]string, n)
	for i := range n {
		if len(rest) < 4 {
			return false
		}
		size := int(int32(binary.BigEndian.Uint32(rest)))
		if rest, text = rest[4:], text[4:]; size < 0 || size > len(rest) {
			return false
		}
		(*list)[i], rest, text = text[:size], rest[size:], text[size:]
	}
	return true
}
