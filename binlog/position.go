package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"

	"daybook/binlog/dump"
)

// position is where a Reader goes on: where an event group begins, and how
// much of the group was taken already.
type position struct {
	dump.Position
	// taken counts the rows of the group that were handed out, and each
	// statement as one: what of the group is not selected may be missing on
	// another server. group names the group, where it has a GTID.
	taken uint64
	group dump.GTID
	// spooled counts the events of the group, an XA transaction that is being
	// prepared, that were saved for its commit, in so many chunks.
	spooled, chunks int
	statement       string // that it may have changed a selected table by
}

// inGroup tells whether something of the group was taken.
func (p *position) inGroup() bool { return p.taken > 0 || p.spooled > 0 }

const positionVersion = 2

// savedPosition is a position as it is saved: JSON, so that a person who looks
// into a data directory can read it.
type savedPosition struct {
	Version int `json:"v"`
	dump.SavedPosition
	Taken     uint64 `json:"taken,omitempty"`
	Group     string `json:"group,omitempty"`
	Spooled   int    `json:"spooled,omitempty"`
	Chunks    int    `json:"chunks,omitempty"`
	Statement string `json:"statement,omitempty"`
}

// baseKey is the key of the schema entry that holds the base of a large GTID
// set; see dump.Position.Save.
var baseKey = []byte("g\x00")

// encode gives the saved form, and the base if there is a new one.
func (p *position) encode() (saved, base []byte) {
	s := savedPosition{Version: positionVersion, Taken: p.taken, Group: p.group.String(), Spooled: p.spooled, Chunks: p.chunks, Statement: p.statement}
	s.SavedPosition, base = p.Save()
	b, err := json.Marshal(&s)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b, base
}

// readPosition reads the saved form and checks its version.
func readPosition(b []byte) (*savedPosition, error) {
	var s savedPosition
	// The version first: a newer one may have more fields.
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.Version < 1 || s.Version > positionVersion {
		return nil, fmt.Errorf("%w: it has version %d, this program knows %d; use the newer program that wrote it", ErrSaved, s.Version, positionVersion)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	return &s, nil
}

func decodePosition(b, base []byte) (*position, error) {
	s, err := readPosition(b)
	if err != nil {
		return nil, err
	}
	at, err := s.Load(base)
	if err != nil {
		return nil, err
	}
	p := &position{Position: *at, taken: s.Taken, spooled: s.Spooled, chunks: s.Chunks, statement: s.Statement}
	if p.group, err = dump.ParseGTID(p.Flavor, s.Group); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	return p, nil
}

// String gives file, offset and what of the group was taken.
func (p *position) String() string {
	s := p.Position.String()
	if p.taken > 0 {
		s += fmt.Sprintf(", %d rows taken", p.taken)
	}
	return s
}
