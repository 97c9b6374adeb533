package binlog

import (
	"fmt"

	"daybook/binlog/dump"
)

// rotate goes from one binlog file to the next, whose name comes twice: as the last
// event of the file before, and made up by the server in front of what follows.
func (s *stream) rotate(e *dump.Event) error {
	file, pos, err := dump.ParseRotate(e.Body)
	if err != nil {
		return err
	}
	if e.Flags&dump.FlagArtificial == 0 { // the file's last event: what follows it the server says next
		s.start, s.offset = e.Span(s.offset)
		s.lastType, s.named = e.Type, file
		if s.missing == nil {
			s.enter() // and no further: the next dump is to be told of that file once more
		}
		return s.missing
	}
	if s.settled && file != s.file && s.lastType != dump.EvRotate && s.lastType != dump.EvStop && !s.conn.EndsOpen(s.file) {
		return dump.Transient(fmt.Errorf("%w: it went on from %s to %s in the middle: its binlogs were reset", ErrOtherServer, s.file, file))
	}
	if (s.settled || s.entered) && file != s.file {
		if err := s.follow(file); err != nil {
			return err
		}
		s.skipTo = 0
	}
	if !s.settled && !s.byGTID {
		s.settle()
	}
	s.file, s.offset, s.start, s.lastType, s.named, s.entered = file, pos, pos, 0, "", true
	return nil
}

// enter moves the resume point into the file that the stream has come to. It
// stays at the end of the one before until what the file begins with fits: what
// is refused comes again.
func (s *stream) enter() {
	if s.settled && s.pos.File != s.file {
		s.pos.EnterFile(s.file, s.format.Made)
	}
}

// follow sees that no file is missing before the one that comes: the one before
// names it, or a number comes after the other. A server that restarts may leave
// numbers out; then the GTIDs that the file begins after must have been read.
func (s *stream) follow(file string) error {
	if s.missing != nil || s.named == "" && dump.Follows(s.file, file) || s.named == file {
		return s.missing
	}
	s.missing = missingBefore(file, "after %s the source goes on with %s: a binlog between them is missing", s.file, file)
	if s.named != "" || s.pos.GTIDs == nil {
		return s.missing
	}
	return nil
}

func missingBefore(file, format string, args ...any) error {
	return &MissingError{Next: dump.Place{File: file, Pos: 4}, Text: fmt.Sprintf(format, args...)}
}

// formatDescription reads what a file begins with.
func (s *stream) formatDescription(e *dump.Event) error {
	f, err := dump.ParseFormat(e.Body)
	if err != nil {
		return err
	}
	f.Made = e.Made()
	s.format = f
	switch {
	case !s.settled:
	case s.pos.File == s.file && s.pos.FileMade != 0 && s.pos.FileMade != f.Made:
		// Since the source was compared: the next connection tells.
		return dump.Transient(fmt.Errorf("%w: %s was made at another time than the one read before", ErrOtherServer, s.file))
	case s.pos.File == s.file:
		s.pos.FileMade = f.Made
	}
	return nil
}

// previousGTIDs compares the set at a file's beginning with what was read
// before, and takes it over.
func (s *stream) previousGTIDs(e *dump.Event) error {
	sought := s.byGTID && !s.settled
	if s.skipTo > 0 || sought && s.missing == nil {
		return nil
	}
	set, err := dump.ParsePreviousGTIDs(*e)
	if err != nil {
		return err
	}
	if s.missing != nil && (s.pos.GTIDs == nil || !s.pos.GTIDs.ContainsSet(set)) {
		return s.missing
	}
	if s.missing = nil; sought {
		return nil
	}
	if err := s.allRead(set); err != nil {
		return err
	}
	if s.pos.GTIDs == nil && s.conn != nil && s.conn.Purged != nil {
		set.AddSet(s.conn.Purged) // what was in no binlog when reading began is not missing
	}
	if err := s.pos.BeginsWith(s.file, s.format.Made, set); err != nil {
		return err
	}
	s.enter()
	return nil
}

// allRead sees that everything that a MySQL file begins after was read, or is
// what the server was told to count as executed. That changes seldom, and is
// known as of the connection: in doubt it is asked for once more.
func (s *stream) allRead(previous *dump.GTIDSet) error {
	if s.pos.GTIDs == nil || s.pos.Flavor != MySQL || s.pos.GTIDs.ContainsSet(previous) {
		return nil
	}
	known := s.pos.GTIDs.Clone()
	if s.conn != nil && s.conn.Purged != nil {
		known.AddSet(s.conn.Purged)
	}
	if known.ContainsSet(previous) {
		return nil
	}
	err := missingBefore(s.file, "%s begins after the transactions %q, and those before it that were read are %q: a binlog before it is missing", s.file, previous.Brief(), s.pos.GTIDs.Brief())
	if s.doubted != s.file {
		s.doubted = s.file
		return dump.Transient(err)
	}
	return err
}
