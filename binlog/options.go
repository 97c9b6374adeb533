package binlog

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"iter"
	"log/slog"
	"net"
	"time"

	"github.com/google/uuid"
)

// Source says how to log in to the server whose binlog is read.
type Source struct {
	Address  string // host:port
	User     string
	Password string
	TLS      TLSOptions
	// Dial opens the network connection; nil: TCP with a timeout of 10 s.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Start says where the first run of a Reader begins.
type Start struct {
	Mode StartMode
	Time time.Time // of StartTime
	GTID string    // of StartGTID: the set of transactions that are not wanted
	File string    // of StartFile
	Pos  uint64    // of StartFile; 0 means 4, the file's first event
}

// StartMode is the kind of a Start.
type StartMode uint8

// The kinds of start. StartTime begins with the first transaction committed at
// or after the time.
const (
	StartNow StartMode = iota
	StartEarliest
	StartTime
	StartGTID
	StartFile
)

// SchemaChanges says which DDL statements are handed out as changes. Every one
// is followed, whatever is chosen here.
type SchemaChanges uint8

// All but those on the server's own databases; those that touch a selected
// table or a database with one; none.
const (
	SchemaChangesInstance SchemaChanges = iota
	SchemaChangesObjects
	SchemaChangesNone
)

// SchemaEntry is a part of the tables' definitions that has changed, to be
// saved together with the position. A nil Value deletes the key.
type SchemaEntry struct{ Key, Value []byte }

// Options of a Reader. The zero value of each field but Source is useful.
type Options struct {
	Source Source
	Start  Start
	// Resume is the position of the last checkpoint saved, nil the first time,
	// and Schema all the entries saved with checkpoints so far.
	Resume []byte
	Schema iter.Seq2[[]byte, []byte]
	// Skip names the event group at the position of Resume that is passed over;
	// a change of Op Gap stands in its place. A group elsewhere is not skipped.
	Skip *GroupPlace
	// Include and Exclude are patterns of the form database.table with the
	// wildcards * and ?; they are looked at in lower case unless the source
	// tells names apart by case. No Include: nothing is selected.
	Include, Exclude []string
	SchemaChanges    SchemaChanges
	// IncludeQuery puts the text of the statement that changed a row into
	// change.Source, where the source logs it. A statement of many rows then
	// costs its text for each of them.
	IncludeQuery bool
	// ServerID is that of this replica and must differ from all others at the
	// source; 0: a random one. See [ServerIDFor].
	ServerID uint32
	// BufferBytes bounds what is read ahead, apart from one event that is
	// larger; 0: 8 MiB.
	BufferBytes int
	Logger      *slog.Logger
}

const (
	defaultBufferBytes = 8 << 20
	heartbeatPeriod    = 5 * time.Second
	readTimeout        = 3*heartbeatPeriod + time.Second
	dialTimeout        = 10 * time.Second
)

func (o Options) withDefaults() Options {
	if o.BufferBytes <= 0 {
		o.BufferBytes = defaultBufferBytes
	}
	if o.ServerID == 0 {
		o.ServerID = randomServerID()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Start.Mode == StartFile && o.Start.Pos < 4 {
		o.Start.Pos = 4
	}
	return o
}

// ServerIDFor derives a replica's server ID from names that are its own, such
// as the data directory and the task, so that it is the same after a restart
// and a left-over connection of the last run is recognised by the source. It
// is above 2^30, where people choose none.
func ServerIDFor(names ...string) uint32 {
	h := fnv.New32a()
	for _, n := range names {
		fmt.Fprintf(h, "%d:%s", len(n), n)
	}
	return h.Sum32()>>2 | 1<<30
}

func randomServerID() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint32(b[:])>>2 | 1<<30
}

// ReplicaHost is the host name under which the source's SHOW REPLICAS lists a
// Reader.
const ReplicaHost = "daybook"

// replicaUUID is the UUID by which the source tells this replica from others:
// it ends an older dump of the same UUID when a new one begins.
func replicaUUID(serverID uint32) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, binary.BigEndian.AppendUint32([]byte("daybook"), serverID)).String()
}
