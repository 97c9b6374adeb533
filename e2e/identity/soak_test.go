//go:build servers && soak

package identity

import "testing"

// TestSoakIdentity runs the whole matrix.
func TestSoakIdentity(t *testing.T) {
	matrix(t, func(column, string) bool { return true })
}
