package binlog

import (
	"errors"
	"reflect"
	"testing"
)

func testPositions(t testing.TB) []*position {
	t.Helper()
	set := func(f Flavor, text string) *gtidSet {
		s, err := parseGTIDSet(f, text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := func(f Flavor, text string) gtid {
		g, err := parseGTIDText(f, text)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	const id = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	return []*position{
		{flavor: MySQL, serverID: 7, file: "binlog.000001", pos: 4},
		{flavor: MySQL, serverUUID: id, serverID: 7, file: "binlog.000009", pos: 5 << 32, taken: 3,
			gtids: set(MySQL, id+":1-5:7:tag:1-3"), group: one(MySQL, id+":tag:4")},
		{flavor: MySQL, pos: 4, gtids: set(MySQL, "")},
		{flavor: MariaDB, serverID: 1, file: "b.1", pos: 99, gtids: set(MariaDB, "0-1-5,3-2-18446744073709551615"), group: one(MariaDB, "0-1-6"), taken: 1},
	}
}

func TestPositionRoundTrip(t *testing.T) {
	for _, p := range testPositions(t) {
		got, err := decodePosition(p.encode())
		if err != nil {
			t.Errorf("%s: %v", p.encode(), err)
		} else if !reflect.DeepEqual(got, p) {
			t.Errorf("got %s, want %s", got.encode(), p.encode())
		}
	}
}

func TestPositionRefused(t *testing.T) {
	for _, text := range []string{
		"", "{}", "null", `{"v":2,"flavor":"mysql","file":"b","pos":4}`, `{"v":1,"flavor":"oracle","file":"b","pos":4}`,
		`{"v":1,"flavor":"mysql","pos":4}`, `{"v":1,"flavor":"mysql","file":"b","pos":3}`,
		`{"v":1,"flavor":"mysql","file":"b","pos":4,"more":1}`, `{"v":1,"flavor":"mysql","file":"b","pos":4,"gtids":"x"}`,
		`{"v":1,"flavor":"mariadb","file":"b","pos":4,"group":"0-1-1,1-1-1"}`,
	} {
		if _, err := decodePosition([]byte(text)); !errors.Is(err, ErrSaved) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func FuzzPosition(f *testing.F) {
	for _, p := range testPositions(f) {
		f.Add(p.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePosition(b)
		if err != nil {
			return
		}
		again, err := decodePosition(p.encode())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%s becomes %s: %v", b, p.encode(), err)
		}
	})
}
