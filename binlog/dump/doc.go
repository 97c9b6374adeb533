// Package dump is the network side of reading a binlog: connections to a MySQL
// or MariaDB server, the dump of its binlog as a replica asks for it, cut into
// events, and the identity of the source: whether a server is still the one
// that a position is from.
//
// The main types are [Conn], a plain connection for queries, [Feed], the events
// from a [Position] on, [Event], and [GTIDSet]. What the events mean is not
// known here, but for the few that the stream's form depends on.
//
// Guarantees: every event's CRC32 is verified where the source writes one. The
// bytes that are read ahead are bounded by [FeedOptions], apart from one event
// that is larger. An error says whether a new connection may heal it
// ([IsTransient]), and wraps the sentinel of the decision that a caller may take.
// Nothing waits for ever, whatever the network or the server does ([Times]), and
// no server can fill the memory: what it says is bounded, and memory grows with
// what has come, not with what was announced.
//
// A Conn belongs to one goroutine; its Close may be called from any. A Feed has
// one goroutine of its own, which owns the connection: it reads into large
// blocks, cuts them into packets and queues slices of the blocks. Next and
// Resume belong to one consumer; Close may be called from any goroutine.
//
// The protocol is spoken here and not by go-mysql: its BinlogSyncer switches
// checksums off, allocates and copies each packet, retries out of sight and
// opens another connection when it is closed; its client knows no deadlines,
// allocates what a server announces and panics on packets that are too short.
// Its functions that prove passwords are used.
package dump
