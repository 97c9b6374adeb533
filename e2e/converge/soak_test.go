//go:build servers && soak

package converge

import (
	"testing"
	"time"
)

// TestSoakConverge runs every line for half an hour, with ever new seeds.
func TestSoakConverge(t *testing.T) {
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) {
			seed := *seedFlag
			for begun := time.Now(); time.Since(begun) < 30*time.Minute; {
				run(t, l, seed, 3000, 20_000)
				if seed != 0 {
					return
				}
			}
		})
	}
}
