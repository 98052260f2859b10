package direct

import (
	"context"
	"fmt"
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/audelor/halles/graph/scalar"
)

// Query is the Go type of the object that root fields belong to.
type Query struct{}

// Table is what is understood: object types by their names.
type Table map[string]*Type

// Type is an object type of the schema and the Go type behind it.
type Type struct {
	name   string
	of     reflect.Type // of a pointer to the object
	fields map[string]*field
	short  []string // see Short; nil: there is no short form
}

// Object describes a type. P is a pointer to the Go type behind it: code for pointers is compiled once
// for all of them, and code for structs for each.
func Object[P any](name string, fields ...Field[P]) *Type {
	t := &Type{name: name, of: reflect.TypeFor[P](), fields: map[string]*field{}}
	for _, f := range fields {
		t.fields[f.name] = f.field
	}
	return t
}

// Short names the fields that need no more of an object than its short form, where the type has one.
// Those that are not named need all of it.
func (t *Type) Short(fields ...string) *Type {
	t.short = fields
	return t
}

// New is the table of types.
func New(types ...*Type) Table {
	t := Table{}
	for _, one := range types {
		t[one.name] = one
	}
	return t
}

// Field is a field of an object type that a P points to.
type Field[P any] struct{ *field }

// shape is what a field gives.
type shape int

const (
	leaf shape = iota // a scalar, an enum, or a list of them
	one               // an object, or null
	many              // a list of objects
)

// field is a plain member, or a relation that a resolver finds. Objects are pointers to the Go type.
type field struct {
	name string
	shape
	null bool         // it may be null
	of   reflect.Type // of the objects that it gives; nil where they are of several types, and for a leaf

	// A plain member has one of these.
	put  func(b []byte, object any) []byte
	get  func(object any) any
	into func(object any, kept *any) any // get, into the same place each time: for what is written at once; may be nil
	each func(object any, do func(any))

	// A relation has call, which adds to what the field gave, for one object after the other.
	args func(*Args) any
	ask  func(ctx context.Context, b *Batch, object, args any)
	// ahead is ask for an object that only its ID is known of; stub makes such a one.
	ahead func(ctx context.Context, b *Batch, object, args any)
	stub  func(object, args any) (any, bool)
	call  func(ctx context.Context, object, args any, to *level) error
	io    bool // call asks Postgres by itself
}

func (f *field) plain() bool { return f.call == nil }

// Put is a leaf, written by put.
func Put[P, V any](name string, get func(P) V, put func([]byte, V) []byte) Field[P] {
	return Field[P]{&field{name: name, put: func(b []byte, object any) []byte { return put(b, get(object.(P))) }}}
}

// PutOr is a leaf that may be null.
func PutOr[P, V any](name string, get func(P) *V, put func([]byte, V) []byte) Field[P] {
	return Field[P]{&field{name: name, null: true, put: func(b []byte, object any) []byte {
		v := get(object.(P))
		if v == nil {
			return append(b, null...)
		}
		return put(b, *v)
	}}}
}

// PutEach is a list of leaves.
func PutEach[P, V any](name string, get func(P) []V, put func([]byte, V) []byte) Field[P] {
	return Put(name, get, func(b []byte, list []V) []byte { return scalar.AppendEach(b, list, put) })
}

// One is an object in the object.
func One[P, V any](name string, get func(P) V) Field[P] {
	return Field[P]{&field{
		name: name, shape: one, of: reflect.TypeFor[*V](),
		get: func(object any) any {
			v := get(object.(P))
			return &v
		},
		into: func(object any, kept *any) any {
			v, _ := (*kept).(*V)
			if v == nil {
				v = new(V)
				*kept = v
			}
			*v = get(object.(P))
			return *kept
		},
	}}
}

// OneOr is an object behind a pointer; nil is null.
func OneOr[P, V any](name string, get func(P) *V) Field[P] {
	return Field[P]{&field{name: name, shape: one, null: true, of: reflect.TypeFor[*V](), get: func(object any) any {
		if v := get(object.(P)); v != nil {
			return v
		}
		return nil
	}}}
}

// OneAt is an object behind a pointer that is never nil.
func OneAt[P, V any](name string, get func(P) *V) Field[P] {
	f := OneOr(name, get)
	f.null = false
	return f
}

// Each is a list of objects in the object.
func Each[P, V any](name string, get func(P) []V) Field[P] {
	return Field[P]{&field{name: name, shape: many, of: reflect.TypeFor[*V](), each: func(object any, do func(any)) {
		list := get(object.(P))
		for i := range list {
			do(&list[i])
		}
	}}}
}

// EachAt is a list of objects behind pointers.
func EachAt[P, V any](name string, get func(P) []*V) Field[P] {
	return Field[P]{&field{name: name, shape: many, of: reflect.TypeFor[*V](), each: func(object any, do func(any)) {
		for _, v := range get(object.(P)) {
			do(v)
		}
	}}}
}

// Relation is how a resolver finds V for an object, to which a P points, with arguments A.
type Relation[P, A, V any] struct {
	// Args reads the arguments; nil: there are none.
	Args func(*Args) A
	// Ask asks ahead for the keys that Call will load for an object; nil: for none.
	Ask func(ctx context.Context, b *Batch, object P, args A)
	// Ahead is Ask for an object that nothing but its ID is known of, which is being read in the same
	// round trip; nil: the keys are not known by then.
	Ahead func(ctx context.Context, b *Batch, object P, args A)
	// Stub is the object that Call will find, with nothing but its ID; false where not even that is known.
	Stub func(object P, args A) (V, bool)
	// Call is the resolver. Its loads of what was asked for do not wait.
	Call func(ctx context.Context, object P, args A) (V, error)
	// IO says that Call asks Postgres by itself: it is called beside the loaders.
	IO bool
}

// None are the arguments of a field without any.
type None struct{}

// By is the relation of a resolver without arguments; ask may be nil.
func By[P, V any](call func(context.Context, P) (V, error), ask func(ctx context.Context, b *Batch, object P)) Relation[P, None, V] {
	r := Relation[P, None, V]{Call: func(ctx context.Context, object P, _ None) (V, error) { return call(ctx, object) }}
	if ask != nil {
		r.Ask = func(ctx context.Context, b *Batch, object P, _ None) { ask(ctx, b, object) }
	}
	return r
}

// ByID is By for a relation that asks for nothing but the object's ID, so that it can be asked for
// ahead of the object.
func ByID[P, V any](call func(context.Context, P) (V, error), ask func(ctx context.Context, b *Batch, object P)) Relation[P, None, V] {
	r := By(call, ask)
	r.Ahead = r.Ask
	return r
}

func (r Relation[P, A, V]) field(name string, of shape, add func(to *level, v V)) Field[P] {
	f := &field{name: name, shape: of, io: r.IO, args: func(*Args) any { var none A; return none }}
	if r.Args != nil {
		f.args = func(a *Args) any { return r.Args(a) }
	}
	if r.Ask != nil {
		f.ask = func(ctx context.Context, b *Batch, object, args any) { r.Ask(ctx, b, object.(P), args.(A)) }
	}
	if r.Ahead != nil {
		f.ahead = func(ctx context.Context, b *Batch, object, args any) { r.Ahead(ctx, b, object.(P), args.(A)) }
	}
	if r.Stub != nil {
		f.stub = func(object, args any) (any, bool) { return r.Stub(object.(P), args.(A)) }
	}
	f.call = func(ctx context.Context, object, args any, to *level) error {
		v, err := r.Call(ctx, object.(P), args.(A))
		if err == nil {
			add(to, v)
		}
		return err
	}
	return Field[P]{f}
}

// PutBy is a leaf that a resolver finds.
func PutBy[P, A, V any](name string, r Relation[P, A, V], put func([]byte, V) []byte) Field[P] {
	return r.field(name, leaf, func(to *level, v V) { to.bytes = put(to.bytes, v) })
}

// PutByOr is a leaf that a resolver finds, or null.
func PutByOr[P, A, V any](name string, r Relation[P, A, *V], put func([]byte, V) []byte) Field[P] {
	f := r.field(name, leaf, func(to *level, v *V) {
		if v == nil {
			to.bytes = append(to.bytes, null...)
			return
		}
		to.bytes = put(to.bytes, *v)
	})
	f.null = true
	return f
}

// OneBy is an object that a resolver finds; nil is null, where the schema has it.
func OneBy[P, A, V any](name string, r Relation[P, A, *V]) Field[P] {
	f := r.field(name, one, func(to *level, v *V) {
		if v != nil {
			to.objects = append(to.objects, v)
		}
	})
	f.of = reflect.TypeFor[*V]()
	return f
}

// AnyBy is an object of one of several types that a resolver finds; nil is null.
func AnyBy[P, A any, V comparable](name string, r Relation[P, A, V]) Field[P] {
	return r.field(name, one, func(to *level, v V) {
		if v != *new(V) {
			to.objects = append(to.objects, v)
		}
	})
}

// EachBy is a list of objects that a resolver finds.
func EachBy[P, A, V any](name string, r Relation[P, A, []*V]) Field[P] {
	f := r.field(name, many, func(to *level, list []*V) {
		for _, v := range list {
			to.objects = append(to.objects, v)
		}
	})
	f.of = reflect.TypeFor[*V]()
	return f
}

// Check holds the table against the schema: each type and field must be there, with the shape that
// its accessor gives. A field of the schema may be missing in the table.
func (t Table) Check(schema *ast.Schema) error {
	for _, typ := range t {
		definition := schema.Types[typ.name]
		if definition == nil || definition.Kind != ast.Object {
			return fmt.Errorf("%s is no object type", typ.name)
		}
		for _, name := range typ.short {
			if typ.fields[name] == nil {
				return fmt.Errorf("%s.%s is not in the table", typ.name, name)
			}
		}
		for _, f := range typ.fields {
			of := definition.Fields.ForName(f.name)
			if of == nil {
				return fmt.Errorf("%s.%s is not in the schema", typ.name, f.name)
			}
			if err := t.fits(f, of.Type, schema.Types[of.Type.Name()]); err != nil {
				return fmt.Errorf("%s.%s: %w", typ.name, f.name, err)
			}
		}
	}
	return nil
}

func (t Table) fits(f *field, of *ast.Type, result *ast.Definition) error {
	switch {
	case f.null && of.NonNull:
		return fmt.Errorf("%s is never null", of)
	case result.IsLeafType() != (f.shape == leaf):
		return fmt.Errorf("%s is a leaf, or has fields", of)
	case f.shape != leaf && (of.Elem != nil) != (f.shape == many):
		return fmt.Errorf("%s is a list, or one", of)
	case f.shape == many && (!of.NonNull || !of.Elem.NonNull):
		return fmt.Errorf("%s has nulls", of)
	case f.of == nil && result.Kind == ast.Object:
		return fmt.Errorf("%s is of one type", of)
	case f.of != nil && t[result.Name] != nil && t[result.Name].of != f.of:
		return fmt.Errorf("%s is made of %v, not of %v", of, t[result.Name].of, f.of)
	}
	return nil
}
