//go:build servers

package rowevent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"daybook/change"
)

// TestCharsets stores every character of every charset that has a table of
// its own, and compares what it decodes to with the server's own conversion to
// utf8mb4. Where the server has none, and gives a question mark, anything may
// come, but it must be one character.
func TestCharsets(t *testing.T) {
	eachServer(t, func(s *server) {
		for _, r := range s.Query("SELECT CHARACTER_SET_NAME, MAXLEN FROM information_schema.CHARACTER_SETS ORDER BY 1") {
			name := r[0]
			if strings.HasPrefix(name, "utf") || name == "ucs2" || name == "binary" {
				continue
			}
			s.Exec("CREATE TABLE c_" + name + " (n INT PRIMARY KEY, c TEXT CHARACTER SET " + name + ")")
			table := s.definition("c_" + name)
			want := map[int64]string{}
			rows := s.rows(table, s.events(func() {
				for i, codes := range charsetCodes(r[1]) {
					sql := validCharacters(name, codes)
					if stored := s.Query("SELECT HEX(CONCAT(''," + sql + "))")[0][0]; stored == "" {
						continue
					}
					s.Exec(fmt.Sprintf("INSERT INTO c_%s VALUES (%d,CONCAT('',%s))", name, i, sql))
				}
				for _, r := range s.Query("SELECT n, CONVERT(c USING utf8mb4) FROM c_" + name) {
					var lead int64
					fmt.Sscan(r[0], &lead)
					want[lead] = r[1]
				}
			}))
			if len(rows) != len(want) || len(rows) == 0 {
				s.Fatalf("%s: %d rows decoded, %d stored", name, len(rows), len(want))
			}
			for _, row := range rows {
				compareText(s, name, want[row.after[0].Int()], &row.after[1])
			}
		}
	})
}

func compareText(s *server, name, want string, v *change.Value) {
	s.Helper()
	got := v.Bytes
	for _, w := range want {
		g, n := utf8.DecodeRune(got)
		if got = got[n:]; g != w && w != '?' {
			s.Errorf("%s: got %U, want %U in %.40q", name, g, w, want)
			return
		}
	}
	if len(got) > 0 {
		s.Errorf("%s: %q is left after %.40q", name, got, want)
	}
}

// charsetCodes returns the codes that may be characters, in lists of up to 256.
func charsetCodes(maxLen string) [][]string {
	var one []string
	for i := range 256 {
		one = append(one, fmt.Sprintf("%02X", i))
	}
	lists := [][]string{one}
	if maxLen == "1" {
		return lists
	}
	for lead := 0x80; lead < 256; lead++ {
		var two, three []string
		for i := range 256 {
			two = append(two, fmt.Sprintf("%02X%02X", lead, i))
			if maxLen == "3" && lead >= 0xa1 && i >= 0xa1 {
				three = append(three, fmt.Sprintf("8F%02X%02X", lead, i))
			}
		}
		lists = append(lists, two)
		if three != nil {
			lists = append(lists, three)
		}
	}
	if maxLen == "4" { // some of gb18030's that are not in a run
		lists = append(lists, []string{"8135F437", "81308130", "8431A439", "90308130", "95328236", "E3329A35"})
	}
	return slices.Clip(lists)
}

// validCharacters returns the arguments of CONCAT that make the text of those
// codes that are one character.
func validCharacters(name string, codes []string) string {
	var exprs []string
	for _, c := range codes {
		x := fmt.Sprintf("CONVERT(x'%s' USING %s)", c, name)
		exprs = append(exprs, fmt.Sprintf("IF(CHAR_LENGTH(%s)=1 AND HEX(%s)='%s',%s,'')", x, x, c, x))
	}
	return strings.Join(exprs, ",")
}
