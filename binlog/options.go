package binlog

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"daybook/binlog/dump"
)

// What a caller needs of the network side.
type (
	// Source says how to log in to the server whose binlog is read.
	Source = dump.Source
	Times  = dump.Times // how long a source is waited for
	// TLSMode is when a connection is encrypted and what of the server is verified.
	TLSMode = dump.TLSMode
	// TLSOptions are the TLS settings of a Source.
	TLSOptions = dump.TLSOptions
	// Conn is a plain connection to a source.
	Conn = dump.Conn
	// Text is one value of a query's result.
	Text = dump.Text
	// Status is what a server says about itself and the end of its binlog.
	Status = dump.Status
	// Flavor names the family of a server.
	Flavor = dump.Flavor
	// MissingError tells of transactions that were not read and are in none of
	// the source's binlogs.
	MissingError = dump.MissingError
)

// The flavors and TLS modes.
const (
	MySQL   = dump.MySQL
	MariaDB = dump.MariaDB

	TLSDisabled       = dump.TLSDisabled
	TLSPreferred      = dump.TLSPreferred
	TLSRequired       = dump.TLSRequired
	TLSVerifyCA       = dump.TLSVerifyCA
	TLSVerifyIdentity = dump.TLSVerifyIdentity

	// ReplicaHost is the host name under which the source lists a Reader.
	ReplicaHost = dump.ReplicaHost
)

// OldestBinlog looks at the oldest binlog of a server.
func OldestBinlog(ctx context.Context, s Source) (dump.Oldest, error) {
	return dump.OldestBinlog(ctx, s)
}

// Dial connects to a source and logs in.
func Dial(ctx context.Context, s Source) (*Conn, error) { return dump.Dial(ctx, s) }

// ServerIDFor derives a replica's server ID from names that are its own.
func ServerIDFor(names ...string) uint32 { return dump.ServerIDFor(names...) }

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

// SchemaEntry is a part of what a Reader has to know besides its position: the
// tables' definitions, and the rows of prepared XA transactions. It is to be
// saved together with the position. A nil Value deletes the key.
type SchemaEntry struct{ Key, Value []byte }

// Told is when it was told of tables that their rows come with columns left out, by
// "database.table". It is a Reader's as long as that is open.
type Told map[string]time.Time

// Options of a Reader. The zero value of each field but Source is useful.
type Options struct {
	Source Source
	Start  Start
	// Resume is the position of the last checkpoint saved, nil the first time,
	// and Schema all the entries saved with checkpoints so far.
	Resume []byte
	Schema iter.Seq2[[]byte, []byte]
	// Load returns the value of one entry that was taken with a checkpoint; nil
	// if there is none. Poll calls it. A Reader without it cannot commit XA
	// transactions that are larger than what it keeps in memory.
	Load func(key []byte) ([]byte, error)
	// Skip names an event group that is passed over when the Reader comes to
	// it; a change of Op Gap stands in its place. Nil: none.
	Skip *GroupPlace
	// Include and Exclude are patterns as package objects has them, compared in lower
	// case unless the source tells names apart by case. No Include: nothing is selected.
	Include, Exclude []string
	SchemaChanges    SchemaChanges
	// IncludeQuery puts the text of the statement that changed a row into
	// change.Source, where the source logs it. A statement of many rows then
	// costs its text for each of them.
	IncludeQuery bool
	// StopAtPartialImages makes an error, ErrPartialImage, of the rows of a selected
	// table of which a session leaves columns out.
	StopAtPartialImages bool
	// Notify is told what a person should know of, on the goroutine that calls
	// Poll; nil: it is only logged.
	Notify func(Notice)
	// Told is what Readers of the same source that were open before have told of, and
	// must not be told again so soon; nil: none was.
	Told Told
	// ServerID is that of this replica and must differ from all others at the
	// source; 0: a random one. See [ServerIDFor].
	ServerID uint32
	// BufferBytes bounds what is read ahead, apart from one event that is
	// larger; 0: 8 MiB.
	BufferBytes int
	Logger      *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.ServerID == 0 {
		o.ServerID = dump.RandomServerID()
	}
	if o.Told == nil {
		o.Told = Told{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Start.Mode == StartFile && o.Start.Pos < 4 {
		o.Start.Pos = 4
	}
	return o
}

// feedOptions are those of a feed beside the Reader's own: short-lived, under a
// server ID of its own, with little read ahead.
func (o *Options) sideFeed() dump.FeedOptions {
	return dump.FeedOptions{Source: o.Source, ServerID: dump.RandomServerID(), BufferBytes: sideBufferBytes, HeadersOnly: true, Logger: o.Logger}
}

const sideBufferBytes = 1 << 20
