//go:build servers && soak

package transactions

import (
	"testing"
	"time"
)

// TestSoakTransactions runs the long form, on every server.
func TestSoakTransactions(t *testing.T) {
	for _, s := range sources {
		t.Run(s.name, func(t *testing.T) { run(t, s, faults{90 * time.Second, 40, 20, 4}) })
	}
}
