//go:build servers

package schema

import (
	"fmt"
	"testing"
)

// TestDefaultsWithOffset has defaults that are times with an offset from UTC, which MySQL
// 8.0.19 and later turn into the session's time zone, in each type of a time.
func TestDefaultsWithOffset(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		taken := 0
		for i, zone := range []string{"+02:00", "-03:30", "+00:00"} {
			src.must("SET time_zone = '" + zone + "'")
			src.ctx = Context{Database: src.db, TimeZone: zone}
			for k, typ := range []string{"DATETIME", "DATETIME(3)", "TIMESTAMP(6) NULL", "TIMESTAMP NULL", "DATE", "TIME", "TIME(2)"} {
				for n, text := range []string{"1995-05-05 00:00:00+05:30", "1995-05-05 00:00:00.125-03:00", "2024-02-29 23:59:59.25+00:00", "1995-05-05 00:00:00", "2000-01-01 00:10:00+14:00"} {
					if src.follows(c, fmt.Sprintf("CREATE TABLE t%d%d%d (a %s DEFAULT '%s')", i, k, n, typ, text)) {
						taken++
						src.follows(c, fmt.Sprintf("DROP TABLE t%d%d%d", i, k, n))
					}
				}
			}
		}
		if taken < 10 {
			t.Errorf("the server took only %d defaults", taken)
		}
	})
}
