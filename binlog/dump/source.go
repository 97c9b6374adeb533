package dump

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net"
	"time"

	"github.com/google/uuid"
)

const (
	heartbeatPeriod = 5 * time.Second
	readTimeout     = 3*heartbeatPeriod + time.Second
	dialTimeout     = 10 * time.Second
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

// RandomServerID returns one for a short-lived connection.
func RandomServerID() uint32 {
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
