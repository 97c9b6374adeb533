package binlog

import (
	"context"

	"daybook/binlog/dump"
)

// stream is a source's binlog as event groups: it takes events from a feed,
// follows them from file to file, unpacks compressed transactions, tells where
// groups begin and end, and keeps the resume point. What the groups hold is
// its consumers' matter: a Reader follows all of it, a scan looks at
// statements, a search for XA transactions at those.
type stream struct {
	feed      *dump.Feed
	foresight *foresight // nil: what was undone is handed out like the rest
	opaque    bool       // compressed transactions are not looked into
	// onConnect is told of each connection but the first; nil: nobody asks.
	onConnect func(*dump.Connection) error
	status    *Status // of the source when it was connected last
	conn      *dump.Connection

	format  dump.Format
	payload payload
	outer   dump.Mark // of the event that ends the group, or holds its end

	file      string
	offset    uint64         // of the next event in file
	start     uint64         // of the current event
	skipTo    uint64         // events of the first file before this offset are not wanted
	lastType  dump.EventType // of the last event in file
	named     string         // file that it says comes next; "": not told
	entered   bool           // file is one that the dump has sent
	missing   error          // a file seems to be, unless the GTIDs tell otherwise
	doubted   string         // file whose beginning did not fit at first sight
	heartbeat place          // where the source says that it is, when it has nothing to send

	pos     dump.Position // where the current group, or the next one, begins
	settled bool          // pos follows the stream's file and offset
	byGTID  bool          // the stream was asked for by GTID set
	source  int           // grows when another server's binlog is read, or the server was started anew
	begun   bool          // it was
	group   group
}

// place is an offset in a binlog file.
type place struct {
	file string
	pos  uint64
}

// passed tells whether everything before another place stands before this one, which may be in a later file of that name; the
// zero place has passed none.
func (q place) passed(p place) bool {
	if q.file == p.file {
		return q.pos >= p.pos
	}
	return q.file != "" && dump.Place{File: p.file, Pos: p.pos}.Before(dump.Place{File: q.file, Pos: q.pos})
}

// group is the event group that is being read: a transaction, or a statement
// that is one by itself.
type group struct {
	bounds
	dump.TransactionStart
	gtidText string // made when the first change needs it
	micros   int64  // commit time
	thread   uint64
	serverID uint32 // of the server that committed it first
	query    string // text of the statement whose rows follow
	xid      string // of an XA transaction
	rows     bool   // it has had a rows event
	foreseen bool   // item.undone tells what of it was undone
	began    uint32 // header's time of the event behind the GTID event
	// disorder is the error of a group that changes a selected table, and that stands before what
	// was read already; nil: it does not.
	disorder *MissingError
	old      bool // see [dump.Position.IsOld]
}

// newStream returns a stream over a feed that has not been started.
func newStream(feed *dump.Feed, status *Status) *stream {
	return &stream{feed: feed, status: status}
}

// foresee looks into compressed transactions from here on, and has the consumer
// not see what was undone. seek finds the fate of a group too large to be held.
func (s *stream) foresee(seek func(context.Context, dump.Position) (*fate, error)) {
	s.opaque, s.foresight = false, &foresight{feed: s.feed, seek: seek}
}

// begin prepares for a stream from p on, and asks for it the first time.
func (s *stream) begin(p *dump.Position) {
	s.beginAt(p)
	s.feed.Start(p)
}

// resume goes on at p after why, a transient error.
func (s *stream) resume(p *dump.Position, why error) {
	s.beginAt(p)
	s.feed.Resume(p, why)
}

func (s *stream) beginAt(p *dump.Position) {
	if s.foresight != nil {
		s.foresight.reset()
	}
	s.pos = *p.Clone()
	s.payload.end()
	s.group = group{}
	s.file, s.offset, s.start = p.File, p.Pos, p.Pos
	s.skipTo, s.settled, s.byGTID = 0, false, false
	s.named, s.missing, s.entered = "", nil, false
	s.heartbeat = place{}
}

// connected begins a new connection's stream.
func (s *stream) connected(c *dump.Connection) {
	s.status, s.conn, s.lastType = c.Status, c, 0
	s.byGTID = c.From.GTIDs != nil
	switch {
	case s.byGTID:
	case c.From.File != s.pos.File: // the position's is purged, and was read to its end
		s.file, s.offset, s.start = c.From.File, c.From.Pos, c.From.Pos
	case c.From.Pos < s.pos.Pos:
		s.skipTo = s.pos.Pos
	}
}

// next takes the next item. An error that is transient asks for resume.
func (s *stream) next() (item, error) {
	if s.payload.open {
		e, ok, err := s.payload.next()
		if ok && err == nil {
			return s.inside(e)
		}
		if err != nil {
			return item{}, err
		}
		s.payload.end()
	}
	e, undone, ok, err := s.take()
	if err != nil || !ok {
		return item{kind: itemNone}, err
	}
	return s.act(e, undone)
}

// release gives up the memory of the event that was taken last.
func (s *stream) release() {
	if s.payload.open {
		s.payload.release()
		return
	}
	if s.foresight != nil {
		s.foresight.release()
	}
	s.feed.Release()
}

// act places an event and makes an item of it.
func (s *stream) act(e dump.Event, undone bool) (item, error) {
	passed := item{kind: itemPassed}
	if s.group.open && endsFile(&e) {
		passed.kind, s.group = itemAbandoned, group{}
	}
	if done, err := s.locate(&e); done || err != nil {
		return passed, err
	}
	if !e.InGroup() {
		passed.event = e
		return passed, s.outside(&e)
	}
	it, err := s.content(e)
	if it.ends || e.Type == dump.EvTransactionPayload {
		s.outer = dump.Mark{Start: s.start, Sum: e.Sum()}
	}
	it.undone = undone
	return it, err
}

// take takes an event from the feed, and what is known of a new connection.
func (s *stream) take() (e dump.Event, undone, ok bool, err error) {
	var c *dump.Connection
	for {
		if s.foresight != nil {
			e, undone, ok, c, err = s.foresight.next(s.group.open, s.placeOf)
		} else {
			e, ok, c, err = s.feed.Next()
		}
		if err != nil || c == nil {
			return e, undone, ok, err
		}
		s.connected(c)
		if s.onConnect != nil {
			if err := s.onConnect(c); err != nil {
				return dump.Event{}, false, false, err
			}
		}
	}
}

// placeOf returns the position of an event that comes next, by file and offset.
func (s *stream) placeOf(e dump.Event) dump.Position {
	start, _ := e.Span(s.offset)
	p := dump.Position{File: s.file, FileMade: s.format.Made, Pos: start}
	p.SetServer(s.status)
	return p
}

// locate keeps the offset. done: the event is not part of a file's contents or
// before the place that is wanted.
func (s *stream) locate(e *dump.Event) (done bool, err error) {
	switch {
	case e.Type == dump.EvHeartbeat || e.Type == dump.EvHeartbeatV2:
		s.heartbeat = place{string(e.Body), uint64(e.LogPos)}
		if s.missing == nil {
			s.enter()
		}
		if s.settled && !s.group.open {
			s.feed.Check(&s.pos)
		}
		return true, nil
	case e.Type == dump.EvRotate:
		return true, s.rotate(e)
	case e.Type == dump.EvFormatDescription && e.LogPos == 0:
		return true, s.formatDescription(e)
	case e.Flags&dump.FlagArtificial != 0: // such as the GTID lists that MariaDB makes up between groups
		return true, nil
	case e.InGroup() || e.Type == dump.EvStop:
		if s.missing != nil {
			return true, s.missing
		}
		s.enter()
	}
	if s.byGTID && !s.settled && s.file == s.conn.First.File && e.InGroup() {
		s.offset = max(s.offset, s.conn.First.Pos)
	}
	s.start, s.offset = e.Span(s.offset)
	s.lastType = e.Type
	return s.start < s.skipTo && e.Type != dump.EvFormatDescription && e.Type != dump.EvPreviousGTIDs && e.Type != dump.EvMariaGTIDList, nil
}

// settle makes the resume point follow the stream's file and offset. After a
// GTID set they mean nothing before the first group: the server goes back to
// the beginning of a file to find it.
func (s *stream) settle() {
	first := !s.settled
	s.settled = true
	if !s.pos.IsOf(s.status) {
		s.source, s.begun = s.source+1, false
	}
	if first && s.conn != nil {
		s.pos.Settle(s.conn)
	}
}

// outside acts on an event that belongs to no group.
func (s *stream) outside(e *dump.Event) error {
	switch e.Type {
	case dump.EvFormatDescription:
		err := s.formatDescription(e)
		if passed := s.pos.File == s.file && s.pos.Pos >= s.offset; s.settled && s.format.Begins && !passed {
			s.source, s.begun = s.source+1, true
		}
		return err
	case dump.EvPreviousGTIDs, dump.EvMariaGTIDList:
		if err := s.previousGTIDs(e); err != nil {
			return err
		}
	}
	if s.settled && s.pos.File == s.file && !s.group.open && e.Flags&dump.FlagArtificial == 0 && s.start >= s.pos.Pos {
		s.pos.Passed(s.offset, dump.Mark{Start: s.start, Sum: e.Sum()})
	}
	return nil
}

// openGroup notes the place of a group's first event, and what a GTID event
// tells.
func (s *stream) openGroup(e *dump.Event) error {
	s.group = group{micros: int64(e.Timestamp) * 1e6, serverID: e.ServerID, foreseen: s.foresight != nil && mayBeUndone(e)}
	s.pos.At(s.file, s.format.Made, s.start)
	s.settle()
	if !e.Type.IsGTID() {
		return nil
	}
	var err error
	if s.group.TransactionStart, err = dump.ParseTransactionStart(*e); err != nil {
		return err
	}
	s.group.disorder, s.group.old = s.pos.OutOfOrder(dump.Place{File: s.file, Pos: s.start}, s.group.GTID), s.pos.IsOld(s.group.GTID)
	if s.group.Micros > 0 {
		s.group.micros = s.group.Micros
	}
	s.group.xid = s.group.MariaDB.XID
	return nil
}

// endGroup moves the resume point behind the group.
func (s *stream) endGroup() {
	if s.payload.open { // its last event ends it
		s.payload.end()
	}
	s.pos.Passed(s.offset, s.outer)
	s.pos.Executed(dump.GroupMark{GTID: s.group.GTID, Micros: s.group.OriginalMicros, Began: s.group.began})
	s.group = group{}
}

func (s *stream) gtidText() string {
	if s.group.gtidText == "" && !s.group.GTID.IsZero() {
		s.group.gtidText = s.group.GTID.String()
	}
	return s.group.gtidText
}
