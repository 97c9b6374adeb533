package binlog

import (
	"errors"
	"reflect"
	"testing"

	"daybook/binlog/dump"
)

func testPositions(t testing.TB) []*position {
	t.Helper()
	set := func(f Flavor, text string) *dump.GTIDSet {
		s, err := dump.ParseGTIDSet(f, text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := func(f Flavor, text string) dump.GTID {
		g, err := dump.ParseGTID(f, text)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	const id = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	return []*position{
		{Position: dump.Position{Flavor: MySQL, ServerID: 7, File: "binlog.000001", Pos: 4}},
		{Position: dump.Position{Flavor: MySQL, ServerUUID: id, ServerID: 7, File: "binlog.000009", FileMade: 1, Pos: 5 << 32, Last: dump.Mark{Start: 77, Sum: 9},
			GTIDs: set(MySQL, id+":1-5:7:tag:1-3"), LastGroup: dump.GroupMark{GTID: one(MySQL, id+":7"), Micros: 3, Began: 4}}, taken: 3, group: one(MySQL, id+":tag:4")},
		{Position: dump.Position{Flavor: MySQL, Pos: 4, GTIDs: set(MySQL, "")}},
		{Position: dump.Position{Flavor: MariaDB, ServerID: 1, File: "b.1", Pos: 99, GTIDs: set(MariaDB, "0-1-5,3-2-18446744073709551615")}, group: one(MariaDB, "0-1-6"), spooled: 4, chunks: 1, statement: "\"INSERT\""},
	}
}

func TestPositionRoundTrip(t *testing.T) {
	for _, p := range testPositions(t) {
		saved, base := p.encode()
		got, err := decodePosition(saved, base)
		if err != nil {
			t.Errorf("%s: %v", saved, err)
		} else if !reflect.DeepEqual(got, p) {
			t.Errorf("got %+v, want %+v", got, p)
		}
	}
}

func TestPositionOfVersionOne(t *testing.T) {
	p, err := decodePosition([]byte(`{"v":1,"flavor":"mysql","server_uuid":"u","server_id":3,"file":"b.1","pos":77,"gtids":"","taken":2}`), nil)
	if err != nil || p.File != "b.1" || p.Pos != 77 || p.taken != 2 || p.ServerUUID != "u" || p.FileMade != 0 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestPositionRefused(t *testing.T) {
	for _, text := range []string{
		"", "{}", "null", `{"v":3,"flavor":"mysql","file":"b","pos":4}`, `{"v":1,"flavor":"oracle","file":"b","pos":4}`,
		`{"v":1,"flavor":"mysql","pos":4}`, `{"v":1,"flavor":"mysql","file":"b","pos":3}`,
		`{"v":1,"flavor":"mysql","file":"b","pos":4,"more":1}`, `{"v":1,"flavor":"mysql","file":"b","pos":4,"gtids":"x"}`,
		`{"v":1,"flavor":"mariadb","file":"b","pos":4,"group":"0-1-1,1-1-1"}`,
	} {
		if _, err := decodePosition([]byte(text), nil); !errors.Is(err, ErrSaved) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func FuzzPosition(f *testing.F) {
	for _, p := range testPositions(f) {
		saved, _ := p.encode()
		f.Add(saved)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePosition(b, nil)
		if err != nil {
			return
		}
		saved, base := p.encode()
		again, err := decodePosition(saved, base)
		if err != nil {
			t.Fatalf("%s becomes %s: %v", b, saved, err)
		}
		if once, _ := again.encode(); string(once) != string(saved) && base == nil {
			t.Errorf("%s becomes %s", saved, once)
		}
	})
}
