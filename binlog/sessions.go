package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
	"daybook/change"
)

// sessions are those of the source that have temporary tables which the binlog
// tells of: sessions that log statements. It does not tell what a session did
// before the reading began, or with sql_log_bin=0.
type sessions struct {
	open   map[session]*schema.TemporaryTables
	tables int // of all of them
	// seen are the sessions that were read from their beginning.
	seen   seenSessions
	source int // stream.source that all of this is of
	// entries are where changes are saved; nil: nowhere.
	entries *entries
}

// session is a thread of a server.
type session struct{ server, thread uint32 }

// seenSessions are the server's threads that are newer than one.
type seenSessions struct {
	Server uint32 `json:"server"`
	After  uint32 `json:"after"`
}

// maxTemporary bounds the temporary tables that are known at a time.
const maxTemporary = 10_000

// sessionPrefix begins the key of a session's entry; seenKey is that of those
// seen, which no session's is: it has no numbers.
var (
	sessionPrefix = []byte("s\x00")
	seenKey       = sessionPrefix
)

func newSessions(e *entries) *sessions {
	return &sessions{open: map[session]*schema.TemporaryTables{}, seen: seenSessions{After: math.MaxUint32}, entries: e}
}

// clone returns sessions for a scan that begins where these were.
func (s *sessions) clone() *sessions {
	c := newSessions(nil)
	for id, t := range s.open {
		c.open[id] = &schema.TemporaryTables{Tables: append([]schema.TemporaryTable(nil), t.Tables...)}
	}
	c.tables, c.seen = s.tables, s.seen
	return c
}

// apply has a catalog follow a statement of a session.
func (s *sessions) apply(c *schema.Catalog, it *item) (*schema.Result, error) {
	q, id := &it.query, session{it.event.ServerID, it.query.thread}
	t, known := s.open[id]
	if !known {
		t = &schema.TemporaryTables{}
	}
	before := len(t.Tables)
	ctx := q.context
	ctx.Temporary, ctx.UsesTemporary, ctx.EndsGroup, ctx.Failed = t, it.event.Flags&dump.FlagThreadSpecific != 0, it.ends, q.failed
	result, err := c.Apply(string(q.sql), ctx)
	if result.TemporaryChanged {
		s.keep(id, t, len(t.Tables)-before)
	}
	if result.Unexplained && s.saw(id) {
		s.see(id.server, id.thread)
	}
	truncates := len(result.Tables) == 1 && result.Tables[0].Type == change.Truncated
	result.InDoubt = result.InDoubt && !s.saw(id) && !(q.atomic && !truncates)
	return result, err
}

// saw tells whether everything that a session did to temporary tables was read.
func (s *sessions) saw(id session) bool {
	return id.server == s.seen.Server && id.thread > s.seen.After
}

// keep notes the temporary tables that a session has now, added more than before.
func (s *sessions) keep(id session, t *schema.TemporaryTables, added int) {
	for s.tables+added > maxTemporary && s.forgetOldest(id) {
	}
	if s.tables+added > maxTemporary {
		t.Tables = t.Tables[:len(t.Tables)-added]
		s.unsee(id)
		added = 0
	}
	s.tables += added
	if len(t.Tables) == 0 {
		delete(s.open, id)
	} else {
		s.open[id] = t
	}
	if s.entries != nil {
		s.entries.put(sessionKey(id), encodeSession(t))
	}
}

// forgetOldest makes room by forgetting the session that began first, which may have
// ended without a trace (sql_log_bin=0), but not the one given.
func (s *sessions) forgetOldest(but session) bool {
	oldest, found := session{}, false
	for id := range s.open {
		if id != but && (!found || id.thread < oldest.thread) {
			oldest, found = id, true
		}
	}
	if !found {
		return false
	}
	s.tables -= len(s.open[oldest].Tables)
	delete(s.open, oldest)
	if s.entries != nil {
		s.entries.put(sessionKey(oldest), nil)
	}
	s.unsee(oldest)
	return true
}

// unsee notes that not everything is known of a session, nor therefore of those that began before.
func (s *sessions) unsee(id session) {
	if id.server == s.seen.Server && id.thread > s.seen.After {
		s.see(id.server, id.thread)
	}
}

func sessionKey(id session) []byte {
	return fmt.Appendf(nil, "%s%d\x00%d", sessionPrefix, id.server, id.thread)
}

// encodeSession returns the entry's value, nil for a session without temporary tables.
func encodeSession(t *schema.TemporaryTables) []byte {
	if len(t.Tables) == 0 {
		return nil
	}
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and truth values only
	}
	return b
}

// see notes which sessions are read from their beginning.
func (s *sessions) see(server, after uint32) {
	s.seen = seenSessions{server, after}
	if s.entries == nil {
		return
	}
	b, err := json.Marshal(&s.seen)
	if err != nil {
		panic(err) // strings and numbers only
	}
	s.entries.put(seenKey, b)
}

// connected notes which sessions are read from their beginning where the dump
// of a connection is the first of its server.
func (s *sessions) connected(c *dump.Connection) { s.see(c.Status.ServerID, c.Thread) }

// known tells whether it is noted which sessions are.
func (s *sessions) known() bool { return s.seen.Server != 0 }

// follow forgets all sessions when the source has begun anew, which ends them,
// or is another one, on which they are not. It tells whether all have ended.
func (s *sessions) follow(stream *stream) (ended bool) {
	if s.source == stream.source {
		return false
	}
	s.source = stream.source
	for id := range s.open {
		if s.entries != nil {
			s.entries.put(sessionKey(id), nil)
		}
	}
	clear(s.open)
	s.tables = 0
	if stream.begun {
		s.see(stream.status.ServerID, 0)
	} else {
		s.connected(stream.conn)
	}
	return stream.begun
}

// load takes over a saved entry.
func (s *sessions) load(key, value []byte) error {
	if bytes.Equal(key, seenKey) {
		if err := json.Unmarshal(value, &s.seen); err != nil {
			return fmt.Errorf("sessions: %w", err)
		}
		return nil
	}
	server, thread, _ := bytes.Cut(key[len(sessionPrefix):], []byte{0})
	n, err := strconv.ParseUint(string(server), 10, 32)
	m, err2 := strconv.ParseUint(string(thread), 10, 32)
	t := &schema.TemporaryTables{}
	if err := json.Unmarshal(value, t); err != nil {
		return fmt.Errorf("session %q: %w", key, err)
	}
	if err != nil || err2 != nil {
		return fmt.Errorf("session %q: not two numbers", key)
	}
	s.open[session{uint32(n), uint32(m)}] = t
	s.tables += len(t.Tables)
	return nil
}
