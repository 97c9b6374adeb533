//go:build servers && soak

package exactlyonce

import "testing"

func TestSoakExactlyOnce(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) { run(t, version, all) })
	}
}
