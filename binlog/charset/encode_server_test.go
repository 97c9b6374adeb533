//go:build servers

package charset_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"daybook/binlog/charset"
	"daybook/e2e/servers"
)

// TestEncode has the servers convert each character of the BMP to each of their character sets.
func TestEncode(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		conn := s.Connect(t, "")
		sets := conn.Query("SHOW CHARACTER SET")
		if s.MariaDB() || strings.HasPrefix(s.Name, "mysql-5.6") {
			sets = append(sets, []string{"filename"}) // which is not shown, and others do not let one use
		}
		for _, row := range sets {
			cs, ok := charset.ByName(row[0])
			if !ok {
				if row[0] != "binary" {
					t.Errorf("%s is not known", row[0])
				}
				continue
			}
			wrong := 0
			for from := rune(0x80); from < 0x10000; from += 64 {
				var text strings.Builder
				for r := from; r < from+64; r++ {
					if !utf16.IsSurrogate(r) && r != utf8.RuneError && !(r == 0x6661 && row[0] == "cp932") { // a second character for one code
						text.WriteRune(r)
						text.WriteRune('|')
					}
				}
				want := conn.Query("SELECT HEX(CONVERT(CONVERT(X'" + hex.EncodeToString([]byte(text.String())) + "' USING utf8mb4) USING " + row[0] + "))")[0][0]
				if got := strings.ToUpper(hex.EncodeToString(cs.Encode(text.String()))); got != want {
					if wrong++; wrong < 4 {
						t.Errorf("%s: from %U on\ngot  %s\nwant %s", row[0], from, got, want)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%s: %d wrong", row[0], wrong)
			}
		}
	})
}
