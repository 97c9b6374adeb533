package cli

import "testing"

func TestCounted(t *testing.T) {
	for n, want := range map[int64]string{0: "0 tables match", 1: "1 table matches", 2: "2 tables match"} {
		if got := counted(n, "table matches", "tables match"); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
