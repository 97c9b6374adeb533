//go:build servers && soak

package hosted

import (
	"testing"
	"time"
)

func TestSoakFailovers(t *testing.T) { failovers(t, 20, "mysql-9", "mariadb-10.11", "mariadb-11.8") }

func TestSoakGroupReplication(t *testing.T) { groupReplication(t, 12) }

func TestSoakMiddleBox(t *testing.T) {
	middleBox(t, 10*time.Minute, "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8")
}
