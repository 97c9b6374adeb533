//go:build servers && soak

package ddl

import "testing"

// TestSoakRandomDDL runs 2,000 statements on each line, with a new seed.
func TestSoakRandomDDL(t *testing.T) {
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) { run(t, l, *seedFlag, 2000) })
	}
}
