//go:build servers && soak

package corpus

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestSoakCorpus runs all files, those of MySQL on MySQL only; the servers side by
// side, as a file mostly waits.
func TestSoakCorpus(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		from := []string{"mariadb"}
		if strings.HasPrefix(version, "mysql") {
			from = append(from, "mysql")
		}
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			runFiles(t, version, from, rand.Uint64(), 1<<30, 20*time.Second)
		})
	}
}
