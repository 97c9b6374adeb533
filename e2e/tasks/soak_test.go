//go:build servers && soak

package tasks

import "testing"

// TestSoakOperationsThroughKills is TestOperationsThroughKills with 200 kills.
func TestSoakOperationsThroughKills(t *testing.T) { operationsThroughKills(t, 200) }
