package direct

import (
	"bytes"
	"reflect"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

const null = "null"

// writer writes the answer of a run.
type writer struct {
	*run
	b     []byte
	kept  []any   // by the place of a step: what it wrote last, see field.into
	trail []crumb // where it is
	errs  []func()
}

// crumb is a step on the way to a value, or where index is not negative, an element of its list.
type crumb struct {
	*step
	index int
}

func (r *run) write() (*writer, error) {
	w := &writer{run: r, kept: make([]any, r.places), b: room(max(512, int(r.size.Load())))}
	if !w.object(r.root, &Query{}, 0) {
		w.b = append(w.b[:0], null...)
	}
	r.size.Store(int64(len(w.b) + len(w.b)/8))
	return w, nil
}

// rooms are what answers were written into.
var rooms = sync.Pool{}

// maxRoom bounds what is kept of it, in bytes: a page of a commune's shops with products has 70 KB.
const maxRoom = 128 << 10

// room is empty and has room for size bytes.
func room(size int) []byte {
	if b, _ := rooms.Get().(*[]byte); b != nil && cap(*b) >= size {
		return (*b)[:0]
	}
	return make([]byte, 0, size)
}

// Spent takes back the data of an answer that nobody reads any more: to be made, the 6 KB of a page of
// shops took as long as to be written.
func Spent(data []byte) {
	if cap(data) > 0 && cap(data) <= maxRoom {
		rooms.Put(&data)
	}
}

// object writes an object; false says that a value in it is null and must not be, so that the object
// is null too.
func (w *writer) object(s *selection, object any, place int) bool {
	whole := true
	w.b = append(w.b, '{')
	for _, one := range s.steps {
		w.b = append(w.b, one.key...)
		if one.field == nil {
			w.b = append(w.b, one.name...)
		} else if !w.value(one, object, place) && one.nonNull {
			whole = false
		}
	}
	w.b = append(w.b, '}')
	return whole
}

// value writes the value of a field; false: it is null.
func (w *writer) value(s *step, object any, place int) bool {
	if s.level < 0 {
		return w.plain(s, object)
	}
	if len(w.trail) == 0 {
		if answer := w.refused[s]; answer != nil {
			w.b = append(w.b, answer...)
			return !bytes.Equal(answer, []byte(null))
		}
	}
	l := &w.levels[s.level]
	if err := l.errs[place]; err != nil {
		w.fail(s, err)
		w.b = append(w.b, null...)
		return false
	}
	from, to := l.span(place)
	if s.shape == leaf {
		w.b = append(w.b, l.bytes[from:to]...)
		return true
	}
	if s.shape == one && from == to {
		return w.nothing(s)
	}
	start := len(w.b)
	w.trail = append(w.trail, crumb{s, -1})
	whole := true
	if s.shape == one {
		whole = w.element(s, l, from)
	} else {
		w.b = append(w.b, '[')
		for i := from; i < to; i++ {
			if i > from {
				w.b = append(w.b, ',')
			}
			w.trail = append(w.trail, crumb{s, i - from})
			whole = w.element(s, l, i) && whole
			w.trail = w.trail[:len(w.trail)-1]
		}
		w.b = append(w.b, ']')
	}
	w.trail = w.trail[:len(w.trail)-1]
	return w.orNull(whole, start)
}

// element writes one of the objects of a level.
func (w *writer) element(s *step, l *level, i int) bool {
	if l.branch != nil {
		return w.object(s.below[l.branch[i]].selection, l.objects[i], int(l.place[i]))
	}
	return w.object(s.below[0].selection, l.objects[i], i)
}

// plain writes what is a member of the object, with all below it. Nothing in it can fail.
func (w *writer) plain(s *step, object any) bool {
	switch s.shape {
	case one:
		var v any
		if s.into != nil {
			v = s.into(object, &w.kept[s.place])
		} else {
			v = s.get(object)
		}
		if v == nil {
			return w.nothing(s)
		}
		return w.object(s.below[s.branchOf(v)].selection, v, 0)
	case many:
		w.b = append(w.b, '[')
		first := true
		s.each(object, func(v any) {
			if !first {
				w.b = append(w.b, ',')
			}
			first = false
			w.object(s.below[s.branchOf(v)].selection, v, 0)
		})
		w.b = append(w.b, ']')
	default:
		w.b = s.put(w.b, object)
	}
	return true
}

// orNull keeps what was written since start, or writes null in its place.
func (w *writer) orNull(whole bool, start int) bool {
	if !whole {
		w.b = append(w.b[:start], null...)
	}
	return whole
}

// nothing writes null for an object that is not there.
func (w *writer) nothing(s *step) bool {
	if s.nonNull {
		panic(s.Name + " is null")
	}
	w.b = append(w.b, null...)
	return true
}

// branchOf is the branch for an object.
func (s *step) branchOf(object any) int {
	if len(s.below) == 1 {
		return 0
	}
	of := reflect.TypeOf(object)
	for i := range s.below {
		if s.below[i].of == of {
			return i
		}
	}
	// Caught in execute: gqlgen answers in its place, and knows what the table does not.
	panic("an object of " + of.String())
}

// fail notes the error of a field where the writer is. It is presented when the answer is whole:
// till then gqlgen may have to begin anew.
func (w *writer) fail(s *step, err error) {
	trail := append(append([]crumb{}, w.trail...), crumb{s, -1})
	w.errs = append(w.errs, func() {
		ctx := graphql.WithFieldContext(w.ctx, &graphql.FieldContext{Object: w.root.typ.name})
		for _, c := range trail {
			f := &graphql.FieldContext{}
			if c.index >= 0 {
				f.Index = &c.index
			} else {
				f.Field = c.CollectedField
				f.Object = c.ObjectDefinition.Name
			}
			ctx = graphql.WithFieldContext(ctx, f) //nolint:fatcontext // a field's stands in that of the field above
		}
		w.operation.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
	})
}

func marshalled(m graphql.Marshaler) []byte {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.Bytes()
}
