package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// position is where to go on reading: the start of an event group, and how
// much of the group was taken already.
type position struct {
	flavor     Flavor
	serverUUID string // "" where servers have none
	serverID   uint32
	file       string
	pos        uint64   // offset in file of the group's first event
	gtids      *gtidSet // executed before the group; nil: not known
	// taken counts the rows of the group that were handed out or stepped
	// over, selected or not, and each statement as one. group names the
	// group, where it has a GTID.
	taken uint64
	group gtid
}

const positionVersion = 1

// savedPosition is a position as it is saved: JSON, so that a person who looks
// into a data directory can read it.
type savedPosition struct {
	Version    int     `json:"v"`
	Flavor     Flavor  `json:"flavor"`
	ServerUUID string  `json:"server_uuid,omitempty"`
	ServerID   uint32  `json:"server_id"`
	File       string  `json:"file"`
	Pos        uint64  `json:"pos"`
	GTIDs      *string `json:"gtids,omitempty"`
	Taken      uint64  `json:"taken,omitempty"`
	Group      string  `json:"group,omitempty"`
}

func (p *position) encode() []byte {
	s := savedPosition{
		Version: positionVersion, Flavor: p.flavor, ServerUUID: p.serverUUID, ServerID: p.serverID,
		File: p.file, Pos: p.pos, Taken: p.taken, Group: p.group.String(),
	}
	if p.gtids != nil {
		text := p.gtids.String()
		s.GTIDs = &text
	}
	b, err := json.Marshal(&s)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}

func decodePosition(b []byte) (*position, error) {
	var s savedPosition
	// The version first: a newer one may have more fields.
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.Version != positionVersion {
		return nil, fmt.Errorf("%w: it has version %d, this program knows %d; use the newer program that wrote it", ErrSaved, s.Version, positionVersion)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.Flavor != MySQL && s.Flavor != MariaDB || s.Pos < 4 || s.File == "" && s.GTIDs == nil {
		return nil, fmt.Errorf("%w: %s is incomplete", ErrSaved, b)
	}
	p := &position{
		flavor: s.Flavor, serverUUID: s.ServerUUID, serverID: s.ServerID,
		file: s.File, pos: s.Pos, taken: s.Taken,
	}
	var err error
	if p.group, err = parseGTIDText(s.Flavor, s.Group); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if s.GTIDs != nil {
		set, err := parseGTIDSet(s.Flavor, *s.GTIDs)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSaved, err)
		}
		p.gtids = set
	}
	return p, nil
}

func (p *position) String() string {
	s := p.file + ":" + strconv.FormatUint(p.pos, 10)
	if p.taken > 0 {
		s += fmt.Sprintf(", %d rows taken", p.taken)
	}
	return s
}
