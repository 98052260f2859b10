package main

import "testing"

func TestCacheSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mebibytes{"none": 0, "1MiB": 1 << 20, "32MiB": 32 << 20} {
		var m mebibytes
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want || m.String() != text {
			t.Errorf("%s: %d %v", text, m, err)
		}
	}
	for _, text := range []string{"", "0MiB", "-1MiB", "32", "32MB", "1.5MiB", "MiB", "99999999999MiB"} {
		m := mebibytes(7)
		if err := m.UnmarshalText([]byte(text)); err == nil || m != 7 {
			t.Errorf("%q: %d %v", text, m, err)
		}
	}
}
