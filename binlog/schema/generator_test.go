//go:build servers

package schema

import "math/rand/v2"

// generator is the seeded source of all chance.
type generator struct {
	*rand.Rand
	server Server
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// maybe returns s with that chance, else "".
func (g *generator) maybe(percent int, s string) string {
	if g.chance(percent) {
		return s
	}
	return ""
}
