//go:build servers && soak

package takeover

import (
	"fmt"
	"testing"
)

// TestSoakTakeover has each fault happen to each client in each mode, with two
// consumers and with five, in a group of its own.
func TestSoakTakeover(t *testing.T) {
	faults := []struct {
		name   string
		happen func(*scenario, *member)
	}{
		{"close", func(s *scenario, m *member) { s.close(m) }},
		{"kill", func(s *scenario, m *member) { s.kill(m) }},
		{"freeze", func(s *scenario, m *member) { s.freeze(m) }},
		{"cut", func(s *scenario, m *member) { s.cut(m) }},
	}
	var all []cast
	for _, client := range clients {
		for _, m := range []mode{subscribe, assign, resume} {
			for _, count := range []int{2, 5} {
				for _, fault := range faults {
					all = append(all, cast{client, fmt.Sprintf("%s-%s-%s-%d", client, m, fault.name, count), m, func(s *scenario) {
						for range count {
							s.start()
						}
						fault.happen(s, s.settle())
						s.end()
					}})
				}
			}
		}
	}
	perform(t, all)
}
