package dump

import (
	"fmt"
	"hash/crc32"
)

// SavedPosition is a position as it is saved: JSON, so that a person who looks
// into a data directory can read it. Positions of version 1 have no identity but
// that of the server.
type SavedPosition struct {
	Flavor     Flavor  `json:"flavor"`
	ServerUUID string  `json:"server_uuid,omitempty"`
	ServerID   uint32  `json:"server_id"`
	Node       string  `json:"node,omitempty"`
	Numbers    string  `json:"numbers,omitempty"`
	File       string  `json:"file"`
	FileMade   uint32  `json:"file_made,omitempty"`
	Pos        uint64  `json:"pos"`
	LastStart  uint64  `json:"last_start,omitempty"`
	LastSum    uint32  `json:"last_sum,omitempty"`
	GTIDs      *string `json:"gtids,omitempty"`
	// GTIDBase is the CRC32 of the set that GTIDs are to be added to, which is
	// kept apart; 0: none.
	GTIDBase   uint32  `json:"gtid_base,omitempty"`
	LastGTID   string  `json:"last_gtid,omitempty"`
	LastMicros int64   `json:"last_micros,omitempty"`
	LastBegan  uint32  `json:"last_began,omitempty"`
	LastFile   string  `json:"last_file,omitempty"`
	Read       string  `json:"read,omitempty"`
	Back       string  `json:"back,omitempty"`
	Since      *string `json:"since,omitempty"`
	Told       string  `json:"told,omitempty"`
	Had        *string `json:"had,omitempty"`
	// The Overlap: file:offset, and the server.
	OverlapRead     string `json:"overlap_read,omitempty"`
	OverlapEnd      string `json:"overlap_end,omitempty"`
	OverlapOrigin   string `json:"overlap_origin,omitempty"`
	OverlapParallel string `json:"overlap_parallel,omitempty"`
	OverlapKnown    string `json:"overlap_known,omitempty"`
	OverlapOlder    string `json:"overlap_older,omitempty"`
}

// smallSet is the intervals or domains up to which a GTID set stands in the
// saved position itself. Of a larger one, the position says what was added to a
// base, which is saved again when that is no small set any more.
const smallSet = 64

// Save returns what is to be saved. base, if it is not nil, replaces the one
// saved before, in the same atomic write; it belongs to this position and to
// those that are saved after it.
func (p *Position) Save() (s SavedPosition, base []byte) {
	s = SavedPosition{
		Flavor: p.Flavor, ServerUUID: p.ServerUUID, ServerID: p.ServerID, Node: p.Node.Name, Numbers: p.Node.Numbers, File: p.File, FileMade: p.FileMade, Pos: p.Pos,
		LastStart: p.Last.Start, LastSum: p.Last.Sum,
		LastGTID: p.LastGroup.GTID.String(), LastMicros: p.LastGroup.Micros, LastBegan: p.LastGroup.Began, LastFile: p.LastFile, Read: p.Read.String(), Back: p.Back.String(),
		OverlapRead: p.Overlap.Read.save(), OverlapEnd: p.Overlap.End.save(), OverlapOrigin: p.Overlap.Origin,
	}
	s.OverlapParallel, s.OverlapKnown, s.OverlapOlder = p.Overlap.Parallel.save(), p.Overlap.Known.save(), p.Overlap.Older.save()
	s.Told = p.Told.save()
	s.Since, s.Had = p.Since.known(), p.Had.known()
	set := p.GTIDs
	if set == nil {
		return s, nil
	}
	if set.size <= smallSet {
		set.since, set.base = nil, 0
		text := set.String()
		s.GTIDs = &text
		return s, nil
	}
	if set.since == nil || set.since.size > smallSet {
		base = []byte(set.String())
		set.since, set.base = NewGTIDSet(set.flavor), crc32.ChecksumIEEE(base)
	}
	text := set.since.String()
	s.GTIDs, s.GTIDBase = &text, set.base
	return s, base
}

// Load returns the position. base is the one that was saved last; nil if none
// was.
func (s *SavedPosition) Load(base []byte) (*Position, error) {
	if s.Flavor != MySQL && s.Flavor != MariaDB || s.Pos < 4 || s.File == "" && s.GTIDs == nil {
		return nil, fmt.Errorf("%w: it is incomplete: %s:%d of %q", ErrSaved, s.File, s.Pos, s.Flavor)
	}
	p := &Position{
		Flavor: s.Flavor, ServerUUID: s.ServerUUID, ServerID: s.ServerID, Node: Node{s.Node, s.Numbers}, File: s.File, FileMade: s.FileMade, Pos: s.Pos,
		Last:      Mark{s.LastStart, s.LastSum},
		LastGroup: GroupMark{Micros: s.LastMicros, Began: s.LastBegan}, LastFile: s.LastFile,
	}
	var err error
	if p.LastGroup.GTID, err = ParseGTID(s.Flavor, s.LastGTID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	p.Overlap.Origin = s.OverlapOrigin
	if p.Overlap.Read, err = loadPlace(s.OverlapRead); err == nil {
		p.Overlap.End, err = loadPlace(s.OverlapEnd)
	}
	for text, set := range map[string]**GTIDSet{s.OverlapParallel: &p.Overlap.Parallel, s.OverlapKnown: &p.Overlap.Known, s.OverlapOlder: &p.Overlap.Older, s.Told: &p.Told} {
		if err == nil && text != "" {
			*set, err = ParseGTIDSet(s.Flavor, text)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.Read != "" {
		if p.Read, err = parseSequences(s.Read); err == nil {
			p.Back, err = parseBinlogState(s.Back)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSaved, err)
		}
	}
	for text, set := range map[*string]**GTIDSet{s.Since: &p.Since, s.Had: &p.Had} {
		if text == nil {
			continue
		}
		if *set, err = ParseGTIDSet(s.Flavor, *text); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSaved, err)
		}
	}
	if s.GTIDs != nil {
		p.GTIDs, err = s.set(base)
	}
	return p, err
}

// save returns the text of a set; "" for none.
func (s *GTIDSet) save() string {
	if s == nil {
		return ""
	}
	return s.String()
}

// known returns the text of a set, which may be empty; nil for none.
func (s *GTIDSet) known() *string {
	if s == nil {
		return nil
	}
	text := s.String()
	return &text
}

func (s *SavedPosition) set(base []byte) (*GTIDSet, error) {
	added, err := ParseGTIDSet(s.Flavor, *s.GTIDs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.GTIDBase == 0 {
		return added, nil
	}
	if sum := crc32.ChecksumIEEE(base); sum != s.GTIDBase {
		return nil, fmt.Errorf("%w: its GTID set adds to one of checksum %08x, and the one kept has %08x", ErrSaved, s.GTIDBase, sum)
	}
	set, err := ParseGTIDSet(s.Flavor, string(base))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	set.AddSet(added)
	set.since, set.base = added, s.GTIDBase
	return set, nil
}
