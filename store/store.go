// Package store keeps the log of every topic, and the small tables that go
// with it, in one Pebble database in one data directory.
//
// A [Store] holds any number of topics with one [Partition] each, and any number of
// small durable [Table]s. A partition is a log of Kafka record batches with
// dense offsets from 0, plus two things that [Partition.Append] writes in the
// same atomic, synced Pebble batch as the records: the position in the source
// that they lead to, and changes to the schema history. Both are bytes to this
// package. The layout on disk is docs/store-format.md.
//
// What it guarantees:
//   - When Append returns without an error, the records and the state are
//     synced; only then can they be read. After a crash at any instant the
//     log ends at a batch whose state is the saved one.
//   - An offset that was once visible names the same record for ever, until
//     retention removes it from the log's front, or the topic is deleted.
//   - A topic is deleted as a whole or, after a crash, not at all.
//   - Bytes damaged on disk are an error wrapping [ErrCorrupt], never a
//     wrong record.
//   - Memory is bounded by Options, whatever the size of the log.
//
// Everything may be called from any goroutine, but a partition has one writer
// at a time. Once a write has failed, the store refuses further writes,
// because only the disk knows whether that one happened: see [Store.Failed].
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options configure a Store. Only Dir is needed.
type Options struct {
	Dir    string
	FS     vfs.FS // nil: the real one
	Logger *slog.Logger

	// RetentionAge is how long a batch stays after it was appended, unless its topic
	// has a time of its own; 0: 24 hours.
	RetentionAge time.Duration
	// RetentionBytes limits the batches of all partitions together, in bytes
	// as stored. The largest partitions pay, with their oldest batches, however young.
	// 0: no limit.
	RetentionBytes int64

	// Wall is the wall clock, for tests; nil: time.Now.
	Wall func() time.Time

	// RecentBytes bounds the newest batches that each partition keeps in
	// memory, uncompressed; 0: 8 MiB.
	RecentBytes int
	// CacheBytes bounds Pebble's block cache; 0: 16 MiB.
	CacheBytes int64
	// ReserveBytes of free disk space are left for compaction and retention:
	// with less, Append fails with ErrDiskFull; 0: 128 MiB.
	ReserveBytes int64
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.RetentionAge == 0 {
		o.RetentionAge = 24 * time.Hour
	}
	if o.RecentBytes == 0 {
		o.RecentBytes = 8 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 16 << 20
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 128 << 20
	}
	return o
}

// Store is an open data directory.
type Store struct {
	opts Options
	log  *slog.Logger

	lock      *pebble.Lock
	db        *pebble.DB
	clusterID string
	format    uint32 // of the directory when it was opened
	failure   failure
	marks     acknowledged
	tables    *counter // of writes to the small tables
	calls     calls
	clock     clock
	// uncompacted tells that a table is too damaged to be compacted.
	uncompacted atomic.Bool
	retainNow   chan struct{} // retention is to look at once
	retainSoon  chan struct{} // a cap may be passed
	grown       atomic.Int64  // bytes appended since retention has looked

	stop context.CancelFunc
	done sync.WaitGroup

	saving sync.Mutex // held while the catalog is written
	saved  []byte     // what it says on disk

	naming sync.Mutex // held while a partition is created or deleted

	mu         sync.RWMutex // guards the fields below; never held across I/O
	partitions map[string]*Partition
	byTopicID  map[[16]byte]*Partition
	nextID     uint32
}

// New returns a Store that is not open yet.
func New(o Options) *Store {
	o = o.withDefaults()
	return &Store{
		opts:       o,
		log:        o.Logger,
		clock:      clock{wall: o.Wall, grace: min(stoppedGrace, o.RetentionAge), log: o.Logger},
		marks:      acknowledged{written: make(chan struct{}, 1)},
		tables:     newCounter(tablesMark),
		failure:    failure{log: o.Logger, ch: make(chan struct{}), fatal: make(chan struct{})},
		partitions: make(map[string]*Partition),
		byTopicID:  make(map[[16]byte]*Partition),
		retainNow:  make(chan struct{}, 1),
		retainSoon: make(chan struct{}, 1),
	}
}

// Open takes the data directory, creating it if need be, recovers what was
// synced, and starts retention. ctx bounds opening, not the store's life.
// Errors: ErrLocked, ErrNewerFormat, ErrReadOnly, ErrDiskFull, ErrCorrupt.
func (s *Store) Open(ctx context.Context) error {
	if err := s.open(); err != nil {
		return fmt.Errorf("open data directory %s: %w", s.opts.Dir, describe(err))
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(fmt.Errorf("open data directory %s: %w", s.opts.Dir, context.Cause(ctx)), s.closeDB())
	}
	s.calls.open()
	run, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.done.Go(func() { s.retain(run) })
	s.done.Go(func() { s.syncMarks(run) })
	return nil
}

func (s *Store) open() error {
	lock, err := takeDir(s.opts.FS, s.opts.Dir)
	if err != nil {
		return err
	}
	s.lock = lock
	if err := checkRepaired(s.opts); err != nil {
		return errors.Join(err, lock.Close())
	}
	second, err := readCatalog(s.opts.FS, s.opts.Dir)
	if errors.Is(err, syscall.EISDIR) { // it cannot be written anew either
		return errors.Join(err, lock.Close())
	}
	if err != nil {
		s.log.Error("a file is damaged that is needed only if others are, too; it is written anew", "error", err)
	}
	marks, err := readMarks(s.opts.FS, s.opts.Dir)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	err = s.start(func() error { return s.openPebble(second, marks) })()
	if s.failure.hangs() {
		return err // the directory stays locked until the process ends
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	if err := s.load(second, marks); err != nil {
		return errors.Join(err, s.closeDB())
	}
	return nil
}

// openPebble opens the database once it is known to have what was acknowledged: Pebble would
// delete what it cannot read of a write-ahead log.
func (s *Store) openPebble(second *catalog, marks map[uint32]mark) (err error) {
	if err := s.checkFiles(second); err != nil {
		return err
	}
	if err := s.checkAcknowledged(marks); err != nil {
		return err
	}
	if err := s.removeOptions(); err != nil {
		return err
	}
	if s.db, err = pebble.Open(s.opts.Dir, s.pebbleOptions(s.lock)); err != nil {
		return describeRead(err)
	}
	if err := s.openMarks(marks); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// Close waits for running calls and closes the directory. Calls that come
// later return ErrClosed.
func (s *Store) Close() error {
	if !s.calls.close() {
		return nil
	}
	s.stop()
	s.done.Wait()
	if err := s.saveCatalog(); err != nil && s.failure.get() == nil {
		return errors.Join(err, s.closeDB())
	}
	return s.closeDB()
}

func (s *Store) closeDB() error {
	if s.failure.hangs() {
		return nil // the directory stays locked until the process ends
	}
	err := s.start(func() error { return errors.Join(s.db.Close(), s.closeMarks()) })()
	if s.failure.get() != nil {
		err = nil // it follows from the failure, which has been told
	}
	if err = errors.Join(err, s.lock.Close()); err != nil {
		return fmt.Errorf("close data directory %s: %w", s.opts.Dir, describe(err))
	}
	return nil
}

// ClusterID returns the ID that was made for this data directory once.
func (s *Store) ClusterID() string { return s.clusterID }

// Failed is closed when the store can take no more writes. The process should
// then end, with Err as its message: what was acknowledged is safe on disk.
func (s *Store) Failed() <-chan struct{} { return s.failure.ch }

// Err returns why Failed is closed, or nil.
func (s *Store) Err() error { return s.failure.get() }

// calls counts the calls into Pebble that are running, because closing it under
// one is a panic.
type calls struct {
	mu      sync.Mutex
	running int
	isOpen  bool
	idle    chan struct{} // made by close, closed by the last exit
}

func (c *calls) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isOpen = true
}

func (c *calls) taken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isOpen
}

func (c *calls) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isOpen {
		return ErrClosed
	}
	c.running++
	return nil
}

func (c *calls) exit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	if c.running == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// close refuses new calls and waits for the running ones. It returns false if
// it was not open.
func (c *calls) close() bool {
	c.mu.Lock()
	if !c.isOpen {
		c.mu.Unlock()
		return false
	}
	c.isOpen = false
	var idle chan struct{}
	if c.running > 0 {
		idle = make(chan struct{})
		c.idle = idle
	}
	c.mu.Unlock()
	if idle != nil {
		<-idle
	}
	return true
}
