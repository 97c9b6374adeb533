package dump

import "testing"

func TestVersionNumber(t *testing.T) {
	for text, want := range map[string]int{
		"8.0.31": 80031, "5.5.34-log": 50534, "10.11.6-MariaDB-1": 101106, "5.5.5-10.1.13-MariaDB": 100113, "9.7.4": 90704, "": 0, "x": 0,
	} {
		if got := versionNumber(text); got != want {
			t.Errorf("%q is %d", text, got)
		}
	}
}
