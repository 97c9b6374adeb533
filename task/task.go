package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"daybook/binlog"
	"daybook/format"
	"daybook/journal"
	"daybook/store"
)

const (
	firstRetry = 2 * time.Second
	lastRetry  = time.Minute
	// steady is how long a run must have lasted for the next failure to be one of its own.
	steady = 10 * time.Second
	// lastDial is lastRetry while the source is not there.
	lastDial = 8 * time.Second
)

// Options says what one task tracks and where its records go.
type Options struct {
	Name string // the topic
	// Source and Start say what to read; Include, Exclude and SchemaChanges what of it.
	Source           binlog.Source
	Start            binlog.Start
	Include, Exclude []string
	SchemaChanges    binlog.SchemaChanges
	ServerID         uint32 // the replica's own; unique at the source, the same for a task after a restart
	Tombstones       bool
	IncludeQuery     bool // the records hold the statement's text
	// StopAtPartialImages: rows of which a session leaves columns out are an error.
	StopAtPartialImages bool
	// CheckDefinitions is how often the tables' definitions are compared with the
	// source's; 0: only by command.
	CheckDefinitions time.Duration
	Version          string // of Daybook, for the records' source block
	// AutoStart has a created task start as soon as its precheck has passed.
	AutoStart bool
	// WireCompression is what consumers get, of which the task knows nothing more.
	WireCompression string
	// SkipChecks are checks of the precheck whose warnings are not to be told.
	SkipChecks []string
	// Retention is what is kept of the records, where it is not as for all.
	Retention store.Retention
	// Definition is all of this as it was written, as JSON without secrets.
	Definition json.RawMessage
}

// Task is the life of one change tracking task.
type Task struct {
	name  string
	store *store.Store
	log   *slog.Logger
	kept  *journal.Log  // of events; nil: none
	wake  chan struct{} // something is to be done
	gone  chan struct{} // closed when it is deleted

	warned map[string]string // by check, what was told; run's own
	told   binlog.Told       // by its readers, one after another; run's own

	saving sync.Mutex // held while life is changed and saved
	// definitions counts those that the reading was begun anew for; changed while saving is held.
	definitions atomic.Int64

	mu     sync.Mutex // guards the fields below; not held across I/O
	opts   Options
	broken error // why there are no options; nil: there are
	life   life
	checks []Check   // of the last precheck
	retry  time.Time // when a task in Error tries again by itself; zero: it does not
	// notices counts by kind what was noticed since Daybook started.
	notices map[string]uint64
	reader  *binlog.Reader // of the run that pumps; nil: none does
	found   found
	// checkEnded is closed at the end of a check or of the run, and made anew.
	checkEnded chan struct{}
	// resting is closed when a run has ended that was under way.
	resting chan struct{}
	// interrupt ends the run that is under way, for a command.
	interrupt context.CancelCauseFunc

	// commands is held while a command is saved, and while one is done: so
	// that none is deleted but the one that was done.
	commands sync.Mutex
	awaited  *awaited // who gave the command waits here; nil: nobody
}

func newTask(name string, s *store.Store, kept *journal.Log, log *slog.Logger) *Task {
	return &Task{
		name: name, store: s, kept: kept, log: log.With("task", name), wake: make(chan struct{}, 1), gone: make(chan struct{}), checkEnded: make(chan struct{}),
		interrupt: func(error) {}, warned: map[string]string{}, told: binlog.Told{},
	}
}

// Name returns the task's name, which is the topic's.
func (t *Task) Name() string { return t.name }

// WireCompression returns how its records are packed for consumers.
func (t *Task) WireCompression() string { return t.options().WireCompression }

// keepLog has the store keep what the options say.
func (t *Task) keepLog() error {
	p, err := t.store.EnsurePartition(t.name)
	if err != nil {
		return fmt.Errorf("create partition %s: %w", t.name, err)
	}
	return p.SetRetention(t.options().Retention)
}

// options returns what the task tracks now.
func (t *Task) options() Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opts
}

// unusable says why the task has no options; nil: it has.
func (t *Task) unusable() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

// run does what the task's stage asks for, until ctx is done or the task is to be
// deleted.
func (t *Task) run(ctx context.Context) {
	for ctx.Err() == nil {
		switch t.current().Stage {
		case deleting:
			return
		case checking:
			t.precheck(ctx)
		case started:
			rests := make(chan struct{})
			t.mu.Lock()
			t.resting = rests
			t.mu.Unlock()
			t.keepUp(ctx)
			close(rests)
		case paused:
			t.lookAtSource(ctx)
			select {
			case <-ctx.Done():
			case <-t.wake:
			case <-time.After(pausedLook):
			}
		default:
			select {
			case <-ctx.Done():
			case <-t.wake:
			}
		}
	}
}

// nudge ends a run that is under way, and what waits, to look at what is to be done.
func (t *Task) nudge() {
	t.mu.Lock()
	t.interrupt(errCommanded)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default: // it is woken already
	}
}

// keepUp keeps a started task going until ctx is done or it is not to go on. A
// task that is stuck waits for a command.
func (t *Task) keepUp(ctx context.Context) {
	if l := t.current(); l.Stuck && !t.commanded() {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		}
	}
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		began := time.Now()
		err := t.track(ctx)
		if ctx.Err() != nil || t.current().Stage != started {
			return
		}
		if errors.Is(err, errCommanded) {
			pause = firstRetry / 2
			t.forgive()
			continue
		}
		switch ran := time.Since(began); {
		case ran > lastRetry:
			t.forgive()
			pause = firstRetry
		case ran > steady:
			pause = firstRetry
		}
		if mayPass(err) {
			pause = min(pause, lastDial)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.fail(err, pause/2+rand.N(pause)):
		case <-t.wake:
			pause = firstRetry / 2
			t.forgive()
		}
	}
}

// track checks the source and pumps its changes until something fails or a
// command is given.
func (t *Task) track(ctx context.Context) (err error) {
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	t.mu.Lock()
	t.interrupt = interrupt // before the command is looked for: one that comes later is seen
	t.mu.Unlock()
	select {
	case <-t.wake:
	default:
	}
	defer func() {
		if errors.Is(context.Cause(ctx), errCommanded) {
			err = errCommanded
		}
	}()
	if t.current().Stage != started {
		return errCommanded
	}
	if err := t.unusable(); err != nil {
		return err
	}
	run, err := t.prepare()
	if err != nil {
		return err
	}
	switch {
	case t.state() == Error: // until it is known to be better
	case run.position == nil:
		t.set(Prechecking)
	default:
		t.set(Initial)
	}
	checks := Precheck(ctx, run.opts)
	t.keepChecks(checks)
	t.tellWarnings(run.opts.Shown(checks))
	if err := Failed(checks); err != nil {
		return err
	}
	if err := run.open(ctx); err != nil {
		return err
	}
	defer run.reader.Close()
	t.set(Initial)
	return run.pump(ctx)
}

func (t *Task) keepChecks(checks []Check) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checks = checks
}

// tellWarnings logs each warning of the prechecks, until it changes once.
func (t *Task) tellWarnings(checks []Check) {
	for _, c := range checks {
		if c.Status == Warn && t.warned[c.Name] != c.Detail {
			t.log.Warn("precheck warns", "check", c.Name, "found", c.Detail, "fix", c.Fix)
			t.warned[c.Name] = c.Detail
		}
	}
}

func (r *run) encoder(flavor binlog.Flavor) format.Encoder {
	return format.NewDebezium(format.DebeziumOptions{
		Name: r.t.name, Connector: string(flavor), Version: r.opts.Version,
		Tombstones: r.opts.Tombstones, Now: time.Now,
	})
}
