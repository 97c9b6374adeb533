//go:build servers

package schema

import (
	"fmt"
	"slices"
	"testing"
)

// The collations that sessions speak here.
const (
	collationLatin1 = 8
	collationUTF8   = 33
	collationBinary = 63
)

// TestBinaryConnection has sessions whose character set, or that of their connection, is
// binary, as tools that dump and load have it: a literal is bytes then, which each column takes
// for text in its own character set.
func TestBinaryConnection(t *testing.T) {
	types := []string{"ENUM('é', 'abc', 'd') CHARACTER SET %s DEFAULT 'é'", "SET('é', 'abc', 'd') CHARACTER SET %s DEFAULT 'abc,é'", "VARCHAR(9) CHARACTER SET %s DEFAULT 'é'",
		"CHAR(9) CHARACTER SET %s DEFAULT 'abc'", "ENUM('ab ') CHARACTER SET %s COMMENT 'é' DEFAULT _latin1'ab'"}
	notUTF8 := []string{"ENUM('\xc8\x40', '\xe9\xe9') CHARACTER SET %s DEFAULT '\xe9\xe9'", "VARCHAR(9) CHARACTER SET %s DEFAULT '\xe9\xe9'", "VARCHAR(9) CHARACTER SET %s DEFAULT _latin1'\xe9\xe9'"}
	eachLine(t, func(t *testing.T, src *source) {
		c := NewCatalog(src.server)
		taken := 0
		for i, session := range []struct {
			set                string
			client, connection uint16
		}{
			{"character_set_client = binary, collation_connection = binary", collationBinary, collationBinary},
			{"character_set_client = latin1, collation_connection = binary", collationLatin1, collationBinary},
			{"character_set_client = utf8, collation_connection = binary", collationUTF8, collationBinary},
			{"character_set_client = binary, collation_connection = latin1_swedish_ci", collationBinary, collationLatin1},
			{"character_set_client = binary, collation_connection = utf8_general_ci", collationBinary, collationUTF8},
		} {
			src.adopt(c)
			src.ctx = Context{Database: src.db, ClientCollation: session.client, ConnectionCollation: session.connection, EndsGroup: true}
			src.must("SET " + session.set)
			for n, set := range []string{"latin1", "utf8", "gbk", "ucs2", "binary"} {
				forms := types
				if session.client == collationBinary && session.connection != collationUTF8 && (set == "latin1" || set == "gbk") {
					forms = append(slices.Clone(types), notUTF8...)
				}
				for k, typ := range forms {
					logged, err := src.run(fmt.Sprintf("CREATE TABLE t%d%d%d (`a` %s)", i, n, k, fmt.Sprintf(typ, set)))
					if err != nil {
						continue
					}
					taken++
					src.must("SET NAMES utf8")
					if diff := src.follow(c, logged); diff != "" {
						t.Errorf("%s: %q:\n%s", session.set, logged, diff)
						src.adopt(c)
					}
					src.must("SET " + session.set)
				}
			}
			src.must("SET NAMES utf8")
		}
		if taken < 60 {
			t.Errorf("the server took only %d statements", taken)
		}
	})
}
