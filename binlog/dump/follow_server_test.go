//go:build servers

package dump_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// origin is a server whose binlog is read, and the values inserted there.
type origin struct {
	*servers.Server
	t    *testing.T
	db   *servers.Conn
	gtid bool
}

// begin starts a server, with GTIDs or without where it can be.
func begin(t *testing.T, version string, gtid bool, options ...string) *origin {
	t.Helper()
	if !gtid && !strings.HasPrefix(version, "mariadb") && version != "mysql-5.5" {
		options = append(options, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
	}
	if gtid {
		options = append(options, "--log-slave-updates")
	}
	o := blank(t, version, options...)
	o.gtid = gtid
	o.db.Exec("CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB")
	return o
}

// blank starts a server that has nothing in its binlogs, with GTIDs.
func blank(t *testing.T, version string, options ...string) *origin {
	t.Helper()
	o := &origin{Server: servers.Start(t, version, options...), t: t, gtid: true}
	o.connect()
	o.reset()
	return o
}

func (o *origin) connect() {
	o.t.Helper()
	o.db = o.Connect(o.t, "")
	o.db.Exec("SET binlog_format=STATEMENT")
}

func (o *origin) restart() {
	o.t.Helper()
	o.Restart(o.t)
	o.connect()
}

// reset is RESET MASTER, in a second of its own.
func (o *origin) reset() {
	o.t.Helper()
	time.Sleep(1100 * time.Millisecond) // two files of one second look alike until something is read
	if o.Name == "mysql-9" {
		o.db.Exec("RESET BINARY LOGS AND GTIDS")
		return
	}
	o.db.Exec("RESET MASTER")
}

// insert commits the values from first to last, each by itself.
func (o *origin) insert(first, last int) {
	o.t.Helper()
	for i := first; i <= last; i++ {
		o.db.Exec(fmt.Sprintf("REPLACE INTO d.t VALUES (%d)", i))
	}
}

// start returns the position of the binlog's end.
func (o *origin) start() *dump.Position {
	o.t.Helper()
	c, err := dump.Dial(o.t.Context(), o.source(nil))
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s, err := c.Status(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	p := &dump.Position{Flavor: s.Flavor, ServerUUID: s.ServerUUID, ServerID: s.ServerID, File: s.File, Pos: s.Pos}
	if err := p.Identify(o.t.Context(), o.source(nil), s); err != nil {
		o.t.Fatal(err)
	}
	if o.gtid {
		if p.GTIDs, err = dump.ParseGTIDSet(s.Flavor, s.GTIDSet); err != nil {
			o.t.Fatal(err)
		}
	}
	return p
}

func (o *origin) source(w *wire) dump.Source {
	s := dump.Source{Address: o.Address, User: servers.Repl, Password: servers.Repl}
	if w != nil {
		s.Dial = w.dial
	}
	return s
}

// wire is a network whose connections can be cut, and all be refused.
type wire struct {
	mu    sync.Mutex
	conns []net.Conn
	to    string // "": where it is asked for
	down  bool
}

func (w *wire) dial(ctx context.Context, address string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return nil, errors.New("the network is down")
	}
	if w.to != "" {
		address = w.to
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err == nil {
		w.conns = append(w.conns, c)
	}
	return c, err
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// heal lets connections through, to that address from now on.
func (w *wire) heal(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down, w.to = false, address
}

// follower reads a feed as a stream does, and keeps the position.
type follower struct {
	t       *testing.T
	feed    *dump.Feed
	p       dump.Position
	at      *dump.Connection
	values  []string
	file    string
	offset  uint64
	skipTo  uint64 // what is before was read
	made    uint32
	settled bool
	open    bool
	mark    dump.GroupMark
	inserts []string // of the open group
	ended   bool     // the file's last event was one of its end
	idle    int      // heartbeats
}

func follow(t *testing.T, s dump.Source, p *dump.Position) *follower {
	f := &follower{t: t, feed: dump.NewFeed(dump.FeedOptions{Source: s, ServerID: dump.RandomServerID()}, nil), p: *p.Clone()}
	f.begin()
	f.feed.Start(p)
	t.Cleanup(f.feed.Close)
	return f
}

func (f *follower) begin() {
	f.file, f.offset, f.settled, f.open, f.ended = f.p.File, f.p.Pos, false, false, true
}

// until reads until done or for so long.
func (f *follower) until(limit time.Duration, done func() bool) error {
	deadline := time.After(limit)
	for !done() {
		e, ok, c, err := f.feed.Next()
		switch {
		case err != nil && dump.IsTransient(err):
			f.t.Logf("at %s: %v", &f.p, err)
			f.begin()
			f.feed.Resume(&f.p, err)
		case err != nil:
			return err
		case c != nil:
			f.at = c
			if f.skipTo = 0; c.From.GTIDs == nil && c.From.File == f.p.File && c.From.Pos < f.p.Pos {
				f.skipTo = f.p.Pos
			}
		case ok:
			if err := f.event(e); err != nil {
				return err
			}
		default:
			select {
			case <-f.feed.Ready():
			case <-deadline:
				return errTimeout
			}
		}
	}
	return nil
}

// patience is how long a value is waited for that has to come.
const patience = 2 * time.Minute

var errTimeout = errors.New("it did not come")

// read reads until a value has come.
func (f *follower) read(value int) {
	f.t.Helper()
	if err := f.until(patience, func() bool { return slices.Contains(f.values, fmt.Sprint(value)) }); err != nil {
		f.t.Fatalf("waiting for %d at %s, read %s: %v", value, &f.p, f.values, err)
	}
}

// want checks that nothing but the values from first to last has been read,
// each once and in order, and forgets them.
func (f *follower) want(first, last int) {
	f.t.Helper()
	f.read(last)
	var want []string
	for i := first; i <= last; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(f.values, want) {
		f.t.Fatalf("read %s in place of %d to %d", f.values, first, last)
	}
	f.values = nil
}

// refused waits for the error that ends the feed, before any value.
func (f *follower) refused(limit time.Duration, want error, parts ...string) {
	f.t.Helper()
	err := f.until(limit, func() bool { return len(f.values) > 0 })
	if !errors.Is(err, want) {
		f.t.Fatalf("at %s, read %s, error %v in place of %q", &f.p, f.values, err, want)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			f.t.Errorf("error %q does not tell %q", err, part)
		}
	}
	f.t.Log(err)
}

var inserted = regexp.MustCompile(`REPLACE INTO d\.t VALUES \((\d+)\)`)

func (f *follower) event(e dump.Event) error {
	switch {
	case e.Type == dump.EvHeartbeat || e.Type == dump.EvHeartbeatV2:
		f.idle++
		if f.settled && !f.open {
			f.feed.Check(&f.p)
		}
		return nil
	case e.Type == dump.EvRotate && e.Flags&dump.FlagArtificial != 0:
		file, pos, err := dump.ParseRotate(e.Body)
		if err != nil {
			return err
		}
		if file != f.file && !f.ended && !f.at.EndsOpen(f.file) {
			f.feed.Cut(errors.New("the file ended early"))
			return nil
		}
		if f.at.From.GTIDs == nil {
			f.settle()
		}
		if file != f.file {
			f.skipTo = 0
		}
		f.file, f.offset, f.ended = file, pos, false
		return nil
	case e.Type == dump.EvFormatDescription && (e.LogPos == 0 || e.Flags&dump.FlagArtificial != 0):
		f.made = e.Timestamp
		return nil
	case e.Flags&dump.FlagArtificial != 0:
		return nil
	}
	if f.at.From.GTIDs != nil && !f.settled && f.at.First.File == f.file && e.Type != dump.EvFormatDescription && e.Type != dump.EvPreviousGTIDs && e.Type != dump.EvMariaGTIDList {
		f.offset = max(f.offset, f.at.First.Pos)
	}
	start, end := e.Span(f.offset)
	f.offset, f.ended = end, false
	if start < f.skipTo {
		return nil
	}
	mark := dump.Mark{Start: start, Sum: e.Sum()}
	switch e.Type {
	case dump.EvRotate, dump.EvStop:
		f.ended = true
	case dump.EvFormatDescription:
		f.made = e.Timestamp
		if f.settled && f.p.File != f.file {
			f.p.EnterFile(f.file, f.made)
		}
	case dump.EvPreviousGTIDs, dump.EvMariaGTIDList:
		if set, err := dump.ParsePreviousGTIDs(e); err != nil {
			return err
		} else if f.settled && start >= f.p.Pos {
			if err := f.p.BeginsWith(f.file, f.made, set); err != nil {
				return err
			}
		}
	case dump.EvBinlogCheckpoint:
	default:
		return f.inGroup(e, start, mark)
	}
	if f.settled && !f.open && f.file == f.p.File && start >= f.p.Pos {
		f.p.Passed(end, mark)
	}
	return nil
}

func (f *follower) settle() {
	f.settled = true
	f.p.Settle(f.at)
}

func (f *follower) inGroup(e dump.Event, start uint64, mark dump.Mark) error {
	if !f.open {
		f.open, f.mark, f.inserts = true, dump.GroupMark{}, nil
		f.p.At(f.file, f.made, start)
		f.settle()
		switch e.Type {
		case dump.EvGTID, dump.EvGTIDTagged, dump.EvMariaGTID:
			t, err := dump.ParseTransactionStart(e)
			f.mark.GTID, f.mark.Micros = t.GTID, t.OriginalMicros
			return err
		case dump.EvAnonymousGTID:
			return nil
		}
	} else if f.mark.Began == 0 {
		f.mark.Began = e.Timestamp
	}
	if m := inserted.FindSubmatch(e.Body); m != nil && e.Type == dump.EvQuery {
		f.inserts = append(f.inserts, string(m[1]))
		return nil
	}
	if e.Type == dump.EvXID || e.Type == dump.EvQuery && !bytes.HasSuffix(e.Body, []byte("BEGIN")) {
		f.open = false
		f.values = append(f.values, f.inserts...)
		f.p.Passed(f.offset, mark)
		f.p.Executed(f.mark)
	}
	return nil
}

// saved returns the position as it is after a restart of the reader.
func (f *follower) saved() *dump.Position {
	f.t.Helper()
	s, base := f.p.Save()
	p, err := s.Load(base)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// TestAway has a source away for as long as it may be, and longer.
func TestAway(t *testing.T) {
	t.Parallel()
	eachLine(t, func(v string) bool { return v == "mysql-8.0" || v == "mariadb-10.11" }, func(t *testing.T, v string) {
		o := begin(t, v, true)
		for _, long := range []time.Duration{2 * time.Second, 40 * time.Second} {
			w := &wire{}
			s := o.source(w)
			s.Times.Away = long
			f := follow(t, s, o.start())
			o.insert(1, 1)
			f.want(1, 1)
			w.cut()
			began := time.Now()
			err := f.until(18*time.Second, func() bool { return false })
			if is := errors.Is(err, dump.ErrUnreachable); is != (long < 15*time.Second) || is && time.Since(began) > 10*time.Second {
				t.Errorf("may be away for %s: after %s %v", long, time.Since(began), err)
			}
			w.heal(o.Address)
			f.feed.Close()
		}
	})
}

// TestResumeOfALiveConnection: what a consumer finds wrong itself leads to a new
// connection each time, and nothing of the one before comes any more.
func TestResumeOfALiveConnection(t *testing.T) {
	t.Parallel()
	eachLine(t, func(string) bool { return true }, func(t *testing.T, v string) {
		o := begin(t, v, true)
		f := follow(t, o.source(nil), o.start())
		for range 3 {
			o.insert(1, 20)
			f.read(3)
			connection := f.at
			f.p, f.values = *o.start(), nil
			o.insert(1, 3)
			f.begin()
			f.feed.Resume(&f.p, errors.New("tried"))
			f.want(1, 3)
			if f.at == connection {
				t.Fatal("it is the same connection")
			}
		}
	})
}
