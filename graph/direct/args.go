package direct

import (
	"time"

	"github.com/audelor/halles/graph/scalar"
	"github.com/audelor/halles/internal/tenancy"
)

// Args are the arguments of a field, or the members of an input object, as the document and the
// variables give them. What does not fit is not refused here: the operation goes to gqlgen, which
// says what is wrong. So does one with an argument that nobody read: the schema has grown.
type Args struct {
	given map[string]any
	read  int
	wrong *bool
}

func (a *Args) value(name string) any {
	v, given := a.given[name]
	if given {
		a.read++
	}
	return v
}

// done says that all arguments were read.
func (a *Args) done() {
	if a.read != len(a.given) {
		*a.wrong = true
	}
}

func needed[V any](a *Args, name string, read func(any) (V, error)) (v V) {
	given := a.value(name)
	v, err := read(given)
	if given == nil || err != nil {
		*a.wrong = true
	}
	return v
}

func optional[V any](a *Args, name string, read func(any) (V, error)) *V {
	given := a.value(name)
	if given == nil {
		return nil
	}
	v, err := read(given)
	if err != nil {
		*a.wrong = true
	}
	return &v
}

func id(v any) (id tenancy.ID, err error) { return id, id.UnmarshalGQL(v) }

// Int is an argument that is always there.
func (a *Args) Int(name string) int { return needed(a, name, scalar.UnmarshalInt) }

// ID is an argument that is always there.
func (a *Args) ID(name string) tenancy.ID {
	return needed(a, name, func(v any) (tenancy.ID, error) { return id(v) })
}

// Text is an argument that is always there.
func (a *Args) Text(name string) string { return needed(a, name, scalar.UnmarshalText) }

// Float is an argument that is always there.
func (a *Args) Float(name string) float64 { return needed(a, name, scalar.UnmarshalFloat) }

// Bool is an argument that is always there.
func (a *Args) Bool(name string) bool {
	v, ok := a.value(name).(bool)
	if !ok {
		*a.wrong = true
	}
	return v
}

// TextOr is an argument, or nil.
func (a *Args) TextOr(name string) *string { return optional(a, name, scalar.UnmarshalText) }

// IDOr is an argument, or nil.
func (a *Args) IDOr(name string) *tenancy.ID {
	return optional(a, name, func(v any) (tenancy.ID, error) { return id(v) })
}

// TimeOr is an argument, or nil.
func (a *Args) TimeOr(name string) *time.Time { return optional(a, name, scalar.UnmarshalDateTime) }

// BoolOr is an argument, or nil.
func (a *Args) BoolOr(name string) *bool {
	if v := a.value(name); v != nil {
		b, ok := v.(bool)
		if !ok {
			*a.wrong = true
		}
		return &b
	}
	return nil
}

// EnumOr is an argument that is one of an enum's names, or nil.
func EnumOr[E ~string](a *Args, name string) *E {
	if v := a.TextOr(name); v != nil {
		return new(E(*v))
	}
	return nil
}

// Enum is an argument that is one of an enum's names and always there.
func Enum[E ~string](a *Args, name string) E { return E(a.Text(name)) }

// Texts is a list, or nil where there is none.
func (a *Args) Texts(name string) []string {
	v := a.value(name)
	if v == nil {
		return nil
	}
	given, ok := v.([]any)
	if !ok { // one for a list of one, or what a client of Go made
		*a.wrong = true
		return nil
	}
	list := make([]string, len(given))
	for i, v := range given {
		text, err := scalar.UnmarshalText(v)
		if err != nil {
			*a.wrong = true
		}
		list[i] = text
	}
	return list
}

// InputOr is an input object, or nil.
func InputOr[V any](a *Args, name string, read func(*Args) V) *V {
	v := a.value(name)
	if v == nil {
		return nil
	}
	members, ok := v.(map[string]any)
	if !ok {
		*a.wrong = true
		return nil
	}
	in := &Args{given: members, wrong: a.wrong}
	object := read(in)
	in.done()
	return &object
}
