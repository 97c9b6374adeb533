package dump

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net"
	"time"

	"github.com/google/uuid"
)

// Source says how to log in to the server whose binlog is read.
type Source struct {
	Address  string // host:port
	User     string
	Password string
	// Secret, if it is set, is asked for the password at each login, in place of
	// Password: it may be a token that ends soon.
	Secret func(ctx context.Context) (string, error)
	// AllowCleartext lets the password itself be sent, where an account wants it, over TLS
	// whose certificate is not verified; see mayReveal.
	AllowCleartext bool
	// PublicKeyFile has the server's RSA key (PEM), for logins without TLS; "": the
	// key that the server sends is taken on trust.
	PublicKeyFile string
	TLS           TLSOptions
	Times         Times
	// Dial opens the network connection; nil: TCP. It may take as long as a
	// login.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Times are how long a source is waited for. Zero fields have the defaults.
type Times struct {
	Login  time.Duration // for the network connection, and once more for the login; 15 s
	Answer time.Duration // for the whole answer to a question about the server; 30 s
	Long   time.Duration // for that to one about all its tables; 1 h
	// Silence is how long nothing may come, of a long answer or of a dump,
	// before the source is asked over a second connection whether it is still
	// at it; 6 s. A dump has three heartbeats in this time.
	Silence time.Duration
	// Away is how long a source may not be reached, once it was, before that is an error; 15 s.
	Away time.Duration
}

func (t Times) withDefaults() Times {
	t.Login = cmp.Or(t.Login, 15*time.Second)
	t.Answer = cmp.Or(t.Answer, 30*time.Second)
	t.Long = cmp.Or(t.Long, time.Hour)
	t.Silence = cmp.Or(t.Silence, 6*time.Second)
	t.Away = cmp.Or(t.Away, away)
	return t
}

// heartbeat is the period of a dump's heartbeats.
func (t Times) heartbeat() time.Duration { return t.Silence / 3 }

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
