// Package patch tells what is absent from what is null in the input of an update: absent leaves
// a value as it is, null takes it away.
package patch

import (
	"encoding/json"
	"io"
	"math"
	"reflect"

	"github.com/audelor/halles/internal/fault"
)

// Field is one value of an update. Its zero value is absent.
type Field[T any] struct {
	Set   bool
	Value *T // nil: null
}

// To sets a field to a value.
func To[T any](v T) Field[T] { return Field[T]{Set: true, Value: &v} }

// Null takes a value away.
func Null[T any]() Field[T] { return Field[T]{Set: true} }

// UnmarshalGQL reads a field that is there; of one that is absent it is not called.
func (f *Field[T]) UnmarshalGQL(v any) error {
	f.Set, f.Value = true, nil
	if v == nil {
		return nil
	}
	value := new(T)
	if err := read(value, v); err != nil {
		return err
	}
	f.Value = value
	return nil
}

// MarshalGQL writes the value, for messages; inputs are read only.
func (f Field[T]) MarshalGQL(w io.Writer) { _ = json.NewEncoder(w).Encode(f.Value) }

// read puts a value of a request into a text, a whole number or what reads itself; an element of
// a list that stands alone is a list of one (GraphQL, 3.12).
func read(into, v any) error {
	switch into := into.(type) {
	case interface{ UnmarshalGQL(v any) error }:
		return into.UnmarshalGQL(v)
	case *string:
		s, ok := v.(string)
		if !ok {
			return fault.Errorf(fault.Invalid, "Il faut un texte, entre guillemets.")
		}
		*into = s
		return nil
	case *int:
		n, ok := whole(v)
		if !ok {
			return fault.Errorf(fault.Invalid, "Il faut un nombre entier de 32 bits, sans guillemets.")
		}
		*into = n
		return nil
	}
	panic("patch: a field of " + reflect.TypeOf(into).Elem().String() + " cannot be read")
}

// whole reads an Int: 3.0 is the integer 3 in JSON's eyes and in GraphQL's (spec, 3.5.1).
func whole(v any) (int, bool) {
	var f float64
	switch v := v.(type) {
	case int64:
		f = float64(v)
	case int:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		var err error
		if f, err = v.Float64(); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return int(f), f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32
}
