//go:build servers && soak

package replay

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSoakSettings sets every variable that each server lists, alone to each of its
// values and with others, those that sessions inherit first.
func TestSoakSettings(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // they mostly wait
			seed := *seedFlag
			if seed == 0 {
				seed = rand.Uint64()
			}
			s := newSettings(t, version, seed)
			inherited := func(v *variable) int {
				if v.session {
					return 0
				}
				return 1
			}
			all := slices.Clone(s.all)
			slices.SortStableFunc(all, func(a, b *variable) int { return inherited(a) - inherited(b) })
			for _, v := range all {
				s.alone(t, v.name, 40)
			}
			s.together(t, 8, 100)
		})
	}
}
