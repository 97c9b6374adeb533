package binlog

import (
	"errors"
	"strings"
	"testing"
)

// TestUnknownStatusVariable reads status variables in any order, and must not
// lose the character set behind one that it does not know.
func TestUnknownStatusVariable(t *testing.T) {
	const charset = "\x04\x08\x00\x08\x00\x08\x00"
	for variables, want := range map[string]string{
		charset + "\x80\x01": "", // of Percona XtraDB Cluster
		charset:              "",
		"\x83\x02\x2d\x00\x00\x09\x21\x00\xc0\x00" + charset: "", // MariaDB 11.4's default collations
		"\x82\x04\x01\x02\x03\x04\x05\x06\x07\x08" + charset: "", // the end of its ALTER in two phases
		"\x82\x01" + charset:         "",
		charset + "\xc8\x01\x02\x03": "",
		"\xc8\x01\x02\x03" + charset: "status variable 200 is not known",
		"\xff\xff\xff":               "", // padding
		"\x04\x08\x00":               "status variables",
	} {
		var q query
		err := q.readVariables([]byte(variables), !strings.HasSuffix(variables, "\x80\x01"))
		switch {
		case want == "" && err != nil, want != "" && (!errors.Is(err, ErrEvent) || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v, want %q", variables, err, want)
		case want == "" && strings.Contains(variables, charset) && q.context.ClientCollation != 8:
			t.Errorf("%q: collation %d", variables, q.context.ClientCollation)
		}
	}
}
