//go:build servers && soak

package kafka

import "testing"

func TestSoakSideBySideWithTheNewest(t *testing.T) { sideBySide(t, Newest) }
