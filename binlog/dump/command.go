package dump

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// dumpFlags of COM_BINLOG_DUMP.
const (
	dumpNonBlock      = 0x01 // end at the end of the binlog
	dumpAnnotateRows  = 0x02 // MariaDB only: send ANNOTATE_ROWS events
	dumpThroughGTID   = 0x04
	commandDumpGTID   = 0x1e
	mariaKnowsGTID    = 4 // @mariadb_slave_capability
	heartbeatVariable = "SET @master_heartbeat_period=%[1]d, @source_heartbeat_period=%[1]d"
)

// From is where a dump starts: after a GTID set, or at a place in a file.
type From struct {
	GTIDs *GTIDSet // nil: File and Pos
	File  string
	Pos   uint64
	// For a look: it ends with the binlog, and checksums are not looked at.
	nonBlock, unverified bool
}

func (d From) String() string {
	if d.GTIDs != nil {
		return fmt.Sprintf("after the GTID set %q", d.GTIDs)
	}
	return fmt.Sprintf("%s:%d", d.File, d.Pos)
}

// startDump makes a replica's connection out of c and asks for the binlog.
// From then on c carries nothing but the dump.
// Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
func (c *Conn) startDump(ctx context.Context, s *Status, serverID uint32, from From) error {
	doing := "start reading the binlog " + from.String()
	uuid := replicaUUID(serverID)
	set := []string{
		fmt.Sprintf(heartbeatVariable, c.times.heartbeat().Nanoseconds()),
		fmt.Sprintf("SET @slave_uuid='%[1]s', @replica_uuid='%[1]s'", uuid),
	}
	if s.Checksum != "" {
		set = append(set, "SET @master_binlog_checksum='CRC32', @source_binlog_checksum='CRC32'")
	}
	if s.Flavor == MariaDB {
		set = append(set, fmt.Sprintf("SET @mariadb_slave_capability=%d", mariaKnowsGTID))
		if from.GTIDs != nil {
			set = append(set, "SET @slave_connect_state='"+from.GTIDs.String()+"'", "SET @slave_gtid_strict_mode=0", "SET @slave_gtid_ignore_duplicates=0")
		}
	}
	if err := c.identify(ctx); err != nil {
		return err
	}
	for _, sql := range set {
		if _, err := c.Query(ctx, sql); err != nil {
			return err
		}
	}
	err := c.ask(ctx, "register as a replica", c.times.Answer, func() error {
		if err := c.command(registerReplica(serverID)); err != nil {
			return err
		}
		return c.readOK()
	})
	if err != nil {
		return privilege(err)
	}
	return c.ask(ctx, doing, c.times.Answer, func() error {
		if c.in.Buffered() > 0 {
			return errors.New("the source spoke unasked")
		}
		return c.command(dumpCommand(s.Flavor, serverID, from))
	})
}

// privilege turns a refusal after the login into what it is.
func privilege(err error) error {
	if errors.Is(err, ErrAuth) {
		return fmt.Errorf("%w: %v; GRANT REPLICATION SLAVE ON *.* to it", ErrPrivilege, err)
	}
	return err
}

func registerReplica(serverID uint32) []byte {
	b := []byte{mysql.COM_REGISTER_SLAVE}
	b = binary.LittleEndian.AppendUint32(b, serverID)
	b = append(b, byte(len(ReplicaHost)))
	b = append(b, ReplicaHost...)
	b = append(b, 0, 0)                      // no user, no password
	b = append(b, 0, 0)                      // port
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0) // rank, source ID
}

func dumpCommand(flavor Flavor, serverID uint32, from From) []byte {
	var flags uint16
	if from.nonBlock {
		flags |= dumpNonBlock
	}
	if flavor == MySQL && from.GTIDs != nil {
		return dumpGTIDCommand(serverID, from, flags)
	}
	if flavor == MariaDB {
		flags |= dumpAnnotateRows
	}
	if from.GTIDs != nil { // MariaDB was told by @slave_connect_state
		from.File, from.Pos = "", 4
	}
	b := []byte{mysql.COM_BINLOG_DUMP}
	b = binary.LittleEndian.AppendUint32(b, uint32(from.Pos))
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint32(b, serverID)
	return append(b, from.File...)
}

func dumpGTIDCommand(serverID uint32, from From, flags uint16) []byte {
	set := from.GTIDs.Encode()
	b := []byte{commandDumpGTID}
	b = binary.LittleEndian.AppendUint16(b, flags|dumpThroughGTID)
	b = binary.LittleEndian.AppendUint32(b, serverID)
	b = binary.LittleEndian.AppendUint32(b, 0) // length of the file name
	b = binary.LittleEndian.AppendUint64(b, 4)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(set)))
	return append(b, set...)
}
