package dump

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// Position is where to go on reading in a source's binlog: where an event
// group begins, and by what the source is known again.
type Position struct {
	Flavor     Flavor
	ServerUUID string // "" where servers have none
	ServerID   uint32
	Node       Node // what is known of it when something is read; its Numbers are those of GTIDs
	File       string
	FileMade   uint32   // when File was made, see [Event.Made]; 0: not known
	Pos        uint64   // offset in File of the group's first event
	GTIDs      *GTIDSet // executed before the group; nil: not known
	Last       Mark     // the last event in File before Pos that was read; zero: none
	LastGroup  GroupMark

	// Read is what was read of MariaDB's servers, and Since where that began; see [history].
	// Back is the last of those servers whose sequence went back below that of Read.
	Read  Sequences
	Back  BinlogState
	Since *GTIDSet // nil: not known
	// Told is what a MariaDB source that was set up from a copy had, when reading began, of domains that are in
	// none of its binlogs; GTIDs has it, too. Nil: nothing.
	Told *GTIDSet
	// Had is what a source that does not log what it replicates had when it was first read, of which its binlogs need not
	// tell: MySQL's gtid_purged, MariaDB's gtid_slave_pos. Nil: it logs that, or it is not known.
	Had *GTIDSet

	// Overlap is zero but for a while behind a dump after a GTID set.
	Overlap Overlap

	// LastFile is the binlog of the server ServerUUID and ServerID that LastGroup was
	// read in; "": another server's, or not known.
	LastFile string
}

// Mark tells one event of a binlog file from any other that may stand there.
type Mark struct {
	Start uint64 // offset in the file
	Sum   uint32 // see Event.Sum
}

// GroupMark tells the event group that was read last from any other that may
// have its GTID, on whatever server.
type GroupMark struct {
	GTID GTID // zero: it has none
	// Micros is when it was committed first, in microseconds since the epoch, as
	// servers from MySQL 8.0.1 on tell; 0: not told.
	Micros int64
	// Began is the header's time of the event that follows the GTID event. Of all
	// times in a group it is the one that each replica of any version keeps: that
	// of the GTID event and of the commit may be the last row's there. 0: not known.
	Began uint32
}

// At says where the next event group begins. Last goes with the place that it
// ends at.
func (p *Position) At(file string, made uint32, pos uint64) {
	if p.File != file || p.FileMade != made || p.Pos != pos {
		p.Last = Mark{}
	}
	p.File, p.FileMade, p.Pos = file, made, pos
}

// Passed says that an event, or an event group that last is the last event of,
// has been read up to pos.
func (p *Position) Passed(pos uint64, last Mark) { p.Pos, p.Last = pos, last }

// Executed says that an event group has been read. After one without a GTID, the
// GTID set does not tell what was read: it is known again at the next file's
// beginning.
func (p *Position) Executed(g GroupMark) {
	p.LastGroup, p.LastFile = g, p.File
	if p.Overlap.End != (Place{}) && !p.overlaps() {
		p.Overlap = Overlap{}
	}
	if g.GTID.Seq != 0 {
		p.noteRead(g.GTID)
	}
	switch {
	case g.GTID.IsZero():
		p.GTIDs = nil
	case p.GTIDs != nil:
		p.GTIDs.Add(g.GTID)
	}
}

// Skips tells whether a transaction leaves out numbers of its MariaDB domain, behind the last
// one that was read.
func (p *Position) Skips(g GTID) (last GTID, skips bool) {
	if g.Seq == 0 || p.GTIDs == nil {
		return GTID{}, false
	}
	last, known := p.GTIDs.domains[g.Domain]
	return last, known && g.Seq > last.Seq+1
}

// EnterFile notes that the stream, having read all of the file before, has
// begun the next one, made at that time.
func (p *Position) EnterFile(file string, made uint32) {
	p.File, p.FileMade, p.Pos, p.Last = file, made, 4, Mark{}
}

// BeginsWith compares the GTID set that a file begins with, everything before
// which was read, to what was read, and takes it over. It is kept by p.
//
// In MySQL the set lacks what the server did not execute but was told to count
// as executed (gtid_purged), so of what was read only the last group must be in
// it. MariaDB lists the last group of each domain, which is the one that was
// read last, or the domain was deleted; that is refused for as long as a binlog has
// groups of it, so not behind the one that was read in the file before.
func (p *Position) BeginsWith(file string, made uint32, previous *GTIDSet) error {
	g := p.LastGroup.GTID
	if p.LastFile != "" && !g.IsZero() {
		there, ok := previous.domains[g.Domain]
		if p.Flavor == MySQL && !previous.Contains(g) || p.Flavor == MariaDB && (ok || p.LastFile == p.File && p.File != file) && there != g {
			return &MissingError{Next: Place{file, 4}, Kind: ErrOtherServer, Text: fmt.Sprintf(
				"file %s, made %s, begins after the transactions %q, but %s had been read before it: the binlogs were reset, or are those of a restored backup",
				file, seconds(made), previous.Brief(), &g)}
		}
	}
	if p.GTIDs == nil || p.Flavor == MariaDB {
		p.addTold(previous)
		p.GTIDs = previous
	} else {
		p.GTIDs.AddSet(previous)
	}
	return nil
}

// Clone returns a copy that shares nothing.
func (p *Position) Clone() *Position {
	c := *p
	if p.GTIDs != nil {
		c.GTIDs = p.GTIDs.Clone()
	}
	c.Read, c.Back = p.Read.clone(), maps.Clone(p.Back)
	return &c
}

// String gives file and offset.
func (p *Position) String() string { return p.File + ":" + strconv.FormatUint(p.Pos, 10) }

// seconds gives a time of an event header for messages.
func seconds(t uint32) string {
	if t == NotMade {
		return "at a time that it does not tell"
	}
	return time.Unix(int64(t), 0).UTC().Format(time.RFC3339)
}
