//go:build servers && soak

package bigtransaction

import "testing"

// TestSoakBigTransaction: two million rows are about 1 GB of binlog.
func TestSoakBigTransaction(t *testing.T) { run(t, 2_000_000, 4) }
