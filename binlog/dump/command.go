package dump

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

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
	GTIDs    *GTIDSet // nil: File and Pos
	File     string
	Pos      uint64
	nonBlock bool
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
		fmt.Sprintf(heartbeatVariable, heartbeatPeriod.Nanoseconds()),
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
	for _, sql := range set {
		if _, err := c.Query(ctx, sql); err != nil {
			return err
		}
	}
	_ = c.raw.SetDeadline(time.Now().Add(readTimeout))
	if err := c.command(registerReplica(serverID)); err != nil {
		return privilege(classify("register as a replica", err))
	}
	if _, err := c.c.ReadOKPacket(); err != nil {
		return privilege(classify("register as a replica", err))
	}
	if err := c.command(dumpCommand(s.Flavor, serverID, from)); err != nil {
		return classify(doing, err)
	}
	return nil
}

// privilege turns a refusal after the login into what it is.
func privilege(err error) error {
	if errors.Is(err, ErrAuth) {
		return fmt.Errorf("%w: %v; GRANT REPLICATION SLAVE ON *.* to it", ErrPrivilege, err)
	}
	return err
}

// command sends b, which has room for the packet header at its front.
func (c *Conn) command(b []byte) error {
	c.c.ResetSequence()
	return c.c.WritePacket(b)
}

func registerReplica(serverID uint32) []byte {
	b := []byte{0, 0, 0, 0, mysql.COM_REGISTER_SLAVE}
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
	b := []byte{0, 0, 0, 0, mysql.COM_BINLOG_DUMP}
	b = binary.LittleEndian.AppendUint32(b, uint32(from.Pos))
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint32(b, serverID)
	return append(b, from.File...)
}

func dumpGTIDCommand(serverID uint32, from From, flags uint16) []byte {
	set := from.GTIDs.Encode()
	b := []byte{0, 0, 0, 0, commandDumpGTID}
	b = binary.LittleEndian.AppendUint16(b, flags|dumpThroughGTID)
	b = binary.LittleEndian.AppendUint32(b, serverID)
	b = binary.LittleEndian.AppendUint32(b, 0) // length of the file name
	b = binary.LittleEndian.AppendUint64(b, 4)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(set)))
	return append(b, set...)
}
