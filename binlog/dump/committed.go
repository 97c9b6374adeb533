package dump

import (
	"context"
	"strconv"
	"strings"
)

// ReadCommitted fills in a place of the binlog that everything before was committed at, that is to say
// visible to others, when it was asked. The end of the binlog is not: a transaction
// may wait there, for the disk or for a semi-synchronous replica. Not whole: GTIDSet is of such a place, and File and Pos
// are of one behind it. Of a MySQL server without GTIDs nothing but the end can be known.
func (c *Conn) ReadCommitted(ctx context.Context, s *Status) (whole bool, err error) {
	if s.Flavor == MariaDB {
		return true, c.readSnapshotEnd(ctx, s)
	}
	if err := c.ReadEnd(ctx, s); err != nil || !s.UsesGTID() {
		return err == nil, err
	}
	// A transaction owns its GTID from before it is written until it is in gtid_executed.
	owned, err := c.value(ctx, "SELECT @@GLOBAL.gtid_owned")
	if err != nil {
		return false, err
	}
	again := *s
	if err := c.ReadEnd(ctx, &again); err != nil {
		return false, err
	}
	return owned == "" && again.File == s.File && again.Pos == s.Pos && again.GTIDSet == s.GTIDSet, nil
}

// readSnapshotEnd fills in where MariaDB's binlog ends for who begins a consistent snapshot now.
func (c *Conn) readSnapshotEnd(ctx context.Context, s *Status) error {
	rows, err := c.Query(ctx, `SHOW STATUS LIKE 'binlog\_snapshot\_%'`)
	if err != nil {
		return err
	}
	v := map[string]string{}
	for _, row := range rows {
		v[strings.ToLower(row[0].String)] = row[1].String
	}
	pos, err := strconv.ParseUint(v["binlog_snapshot_position"], 10, 64)
	if v["binlog_snapshot_file"] == "" || err != nil {
		return c.ReadEnd(ctx, s)
	}
	s.File, s.Pos, s.GTIDSet = v["binlog_snapshot_file"], pos, ""
	if s.UsesGTID() {
		s.GTIDSet, err = c.gtidSetAt(ctx, s.File, s.Pos)
	}
	return err
}

// IsCommitted tells whether what was read up to p was committed at the place of ReadCommitted.
func (p *Position) IsCommitted(s *Status, whole bool) (bool, error) {
	if p.GTIDs == nil || s.Flavor == MySQL && whole || s.Flavor == MariaDB && !(Place{s.File, s.Pos}).Before(Place{p.File, p.Pos}) {
		return true, nil
	}
	set, err := ParseGTIDSet(s.Flavor, s.GTIDSet)
	return err == nil && set.ContainsSet(p.GTIDs), err
}
