package dump

import (
	"errors"
	"testing"
)

func mustSet(t *testing.T, f Flavor, text string) *GTIDSet {
	t.Helper()
	s, err := ParseGTIDSet(f, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustGTID(t *testing.T, f Flavor, text string) GTID {
	t.Helper()
	g, err := ParseGTID(f, text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestNotListed: what a list of binlogs tells of a file that is not in it.
func TestNotListed(t *testing.T) {
	for _, c := range []struct {
		file, first, last string
		speaks            bool // against its having been purged
	}{
		{"binlog.000003", "binlog.000004", "binlog.000009", false},
		{"binlog.000010", "binlog.000004", "binlog.000009", true},
		{"binlog.000005", "binlog.000004", "binlog.000009", true},
		{"old-bin.000010", "binlog.000004", "binlog.000009", false},
		{"binlog.999999", "binlog.1000000", "binlog.1000002", false},
	} {
		d := placing{p: &Position{File: c.file}, logs: []binaryLog{{name: c.first}, {name: c.last}}}
		if differs := d.notListed(); (differs != "") != c.speaks {
			t.Errorf("%s of %s to %s: %q", c.file, c.first, c.last, differs)
		}
	}
}

func TestEndsOpen(t *testing.T) {
	c := Connection{newest: "binlog.000007"}
	for file, want := range map[string]bool{"binlog.000006": true, "binlog.000007": false, "binlog.000008": false} {
		if got := c.EndsOpen(file); got != want {
			t.Errorf("%s: %t", file, got)
		}
	}
}

func TestWithout(t *testing.T) {
	for _, c := range []struct {
		flavor         Flavor
		set, gtid, out string
	}{
		{MySQL, uuidA + ":1-9", uuidA + ":9", uuidA + ":1-8"},
		{MySQL, uuidA + ":1-9", uuidA + ":1", uuidA + ":2-9"},
		{MySQL, uuidA + ":1-9:20", uuidA + ":5", uuidA + ":1-4:6-9:20"},
		{MySQL, uuidA + ":5," + uuidB + ":1", uuidA + ":5", uuidB + ":1"},
		{MySQL, uuidA + ":1-9", uuidB + ":1", uuidA + ":1-9"},
		{MariaDB, "0-1-7,2-3-4", "0-1-7", "0-1-6,2-3-4"},
		{MariaDB, "0-1-1,2-3-4", "0-1-1", "2-3-4"},
	} {
		s := mustSet(t, c.flavor, c.set)
		if got := s.Without(mustGTID(t, c.flavor, c.gtid)).String(); got != c.out || s.String() != c.set {
			t.Errorf("%s without %s is %s, want %s; and the set is %s", c.set, c.gtid, got, c.out, s)
		}
	}
}

// TestMinus: what of a set another lacks.
func TestMinus(t *testing.T) {
	for _, c := range []struct{ set, without, left string }{
		{uuidA + ":1-9", uuidA + ":1-9", ""},
		{uuidA + ":1-4", uuidA + ":1-3:5", uuidA + ":4"},
		{uuidA + ":1-20", uuidA + ":3-5:9:18-30", uuidA + ":1-2:6-8:10-17"},
		{uuidA + ":1-2:5-6", uuidA + ":2-5", uuidA + ":1:6"},
		{uuidA + ":1," + uuidB + ":1-3", uuidB + ":1-2", uuidA + ":1," + uuidB + ":3"},
		{"", uuidA + ":1", ""},
	} {
		if got := mustSet(t, MySQL, c.set).minus(mustSet(t, MySQL, c.without)).String(); got != c.left {
			t.Errorf("%s minus %s is %s, want %s", c.set, c.without, got, c.left)
		}
	}
}

// TestBeginsWith: what the set at a file's beginning tells of the one that was
// read.
func TestBeginsWith(t *testing.T) {
	for _, c := range []struct {
		name            string
		flavor          Flavor
		read, last      string // last was read on this server
		begins          string
		want            string // "-": refused
		readOtherServer bool
		fileBefore      string // that last was read in; "": an earlier one
	}{
		{name: "the same", flavor: MySQL, read: uuidA + ":1-9", last: uuidA + ":9", begins: uuidA + ":1-9", want: uuidA + ":1-9"},
		{name: "gtid_purged was set", flavor: MySQL, read: uuidA + ":1-9", last: uuidA + ":9", begins: uuidA + ":1-9," + uuidB + ":1-3", want: uuidA + ":1-9," + uuidB + ":1-3"},
		{name: "executed but never logged", flavor: MySQL, read: uuidA + ":1-9," + uuidB + ":1-3", last: uuidA + ":9", begins: uuidA + ":1-9", want: uuidA + ":1-9," + uuidB + ":1-3"},
		{name: "reset", flavor: MySQL, read: uuidA + ":1-9", last: uuidA + ":9", begins: uuidA + ":1-4", want: "-"},
		{name: "last read on another server", flavor: MySQL, read: uuidA + ":1-9", last: uuidA + ":9", begins: uuidB + ":1", want: uuidA + ":1-9," + uuidB + ":1", readOtherServer: true},
		{name: "the same", flavor: MariaDB, read: "0-1-7", last: "0-1-7", begins: "0-1-7", want: "0-1-7"},
		{name: "domain deleted", flavor: MariaDB, read: "0-1-7,5-1-3", last: "0-1-7", begins: "0-1-7", want: "0-1-7"},
		{name: "last domain deleted", flavor: MariaDB, read: "0-1-7,5-1-3", last: "5-1-3", begins: "0-1-7", want: "0-1-7"},
		{name: "went back", flavor: MariaDB, read: "0-1-500", last: "0-1-500", begins: "0-1-500", want: "0-1-500"},
		{name: "reset", flavor: MariaDB, read: "0-1-7", last: "0-1-7", begins: "0-1-9", want: "-"},
		{name: "an older file", flavor: MariaDB, read: "0-1-7", last: "0-1-7", begins: "", want: "-", fileBefore: "binlog.000001"},
	} {
		p := &Position{Flavor: c.flavor, ServerUUID: uuidA, ServerID: 1, File: "binlog.000000", GTIDs: mustSet(t, c.flavor, c.read)}
		if c.fileBefore != "" {
			p.File = c.fileBefore
		}
		p.Executed(GroupMark{GTID: mustGTID(t, c.flavor, c.last)})
		if c.readOtherServer {
			p.ServerUUID, p.ServerID, p.LastFile = uuidB, 2, ""
		}
		p.File = "binlog.000001"
		err := p.BeginsWith("binlog.000002", 8, mustSet(t, c.flavor, c.begins))
		got := p.GTIDs.String()
		if err != nil {
			got = "-"
		}
		if got != c.want || err != nil && !errors.Is(err, ErrOtherServer) {
			t.Errorf("%s %s: %s, want %s (%v)", c.flavor, c.name, got, c.want, err)
		}
	}
}

// TestWithoutGTID: after a group without a GTID the set says nothing any more.
func TestWithoutGTID(t *testing.T) {
	p := &Position{Flavor: MySQL, GTIDs: mustSet(t, MySQL, uuidA+":1-9")}
	p.Executed(GroupMark{Began: 7})
	if p.GTIDs != nil {
		t.Errorf("the set is %s", p.GTIDs)
	}
	p.EnterFile("binlog.000002", 8)
	if err := p.BeginsWith(p.File, p.FileMade, mustSet(t, MySQL, uuidA+":1-9")); err != nil || p.GTIDs.String() != uuidA+":1-9" {
		t.Errorf("the set is %s, %v", p.GTIDs, err)
	}
}

// TestIsReplicated: what a server has replicated last tells what it has from before, if numbers tell the order.
func TestIsReplicated(t *testing.T) {
	g := func(server uint32, seq uint64) GTID { return GTID{Server: server, Seq: seq} }
	read := []GTID{g(1, 4), g(1, 5), g(3, 6), g(2, 7), g(2, 8), g(1, 9)}
	for _, c := range []struct {
		name string
		more []GTID
		last GTID
		of   GTID
		want bool
	}{
		{"the last itself", nil, g(2, 8), g(2, 8), true},
		{"one of its server", nil, g(2, 8), g(2, 7), true},
		{"one of another server", nil, g(2, 8), g(3, 6), true},
		{"a later one", nil, g(2, 7), g(2, 8), false},
		{"one of another server, of the same number", nil, g(2, 6), g(3, 6), false},
		{"one of another server, and the last was not read", nil, g(4, 8), g(3, 6), false},
		{"one of its server, and the last was not read", nil, g(2, 20), g(2, 8), true},
		{"two have its number", []GTID{g(2, 6)}, g(2, 8), g(3, 6), false},
		{"a sequence went back", []GTID{g(1, 2)}, g(2, 8), g(3, 6), false},
		{"nothing of the domain", nil, GTID{Domain: 5, Server: 2, Seq: 8}, g(3, 6), false},
	} {
		p := &Position{Flavor: MariaDB, GTIDs: NewGTIDSet(MariaDB)}
		for _, r := range append(read, c.more...) {
			p.Executed(GroupMark{GTID: r})
		}
		replicated := NewGTIDSet(MariaDB)
		replicated.Add(c.last)
		if has := p.isReplicated(c.of, replicated); has != c.want {
			t.Errorf("%s: %t", c.name, has)
		}
	}
}
