package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/patch"
)

func TestField(t *testing.T) {
	t.Parallel()
	text := func(v any) (patch.Field[string], error) {
		var f patch.Field[string]
		err := f.UnmarshalGQL(v)
		return f, err
	}
	number := func(v any) (patch.Field[int], error) {
		var f patch.Field[int]
		err := f.UnmarshalGQL(v)
		return f, err
	}
	if f, err := text("Épicerie"); err != nil || !cmp.Equal(f, patch.To("Épicerie")) {
		t.Errorf("%v, %v", f, err)
	}
	if f, err := text(nil); err != nil || !cmp.Equal(f, patch.Null[string]()) || f.Set == (patch.Field[string]{}).Set {
		t.Errorf("null: %v, %v", f, err)
	}
	for _, v := range []any{int64(12), 12, 12.0, json.Number("12"), json.Number("12.0")} {
		if f, err := number(v); err != nil || !cmp.Equal(f, patch.To(12)) {
			t.Errorf("%T: %v, %v", v, f, err)
		}
	}
	for _, v := range []any{"12", 1.5, json.Number("1.5"), json.Number("3000000000"), true} {
		if _, err := number(v); fault.Of(err) == nil {
			t.Errorf("%v is no Int: %v", v, err)
		}
	}
	if _, err := text(int64(1)); fault.Of(err) == nil {
		t.Errorf("a number is no String: %v", err)
	}
}
