package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"daybook/binlog"
	"daybook/format"
	"daybook/store"
)

const (
	firstRetry = 2 * time.Second
	lastRetry  = time.Minute
	// lastDial is lastRetry while the source is not there.
	lastDial = 8 * time.Second
	// giveUp is how long a task in Error tries to resume by itself.
	giveUp = 7 * 24 * time.Hour
)

// ErrGaveUp is the end of a task that could not resume within seven days.
var ErrGaveUp = errors.New("the task failed for seven days and is not tried again; mend the cause and restart Daybook")

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
}

// Task is the life of one change tracking task.
type Task struct {
	opts  Options
	store *store.Store
	log   *slog.Logger
	wake  chan struct{} // a command was given

	warned map[string]string // by check, what was told; run's own
	told   binlog.Told       // by its readers, one after another; run's own

	mu     sync.Mutex // guards the fields below; not held across I/O
	status Status
	events events
	reader *binlog.Reader // of the run that pumps; nil: none does
	found  found
	// checkEnded is closed at the end of a check or of the run, and made anew.
	checkEnded chan struct{}
	// interrupt ends the run that is under way, for a command.
	interrupt context.CancelCauseFunc

	// commands is held while a command is saved, and while one is done: so
	// that none is deleted but the one that was done.
	commands sync.Mutex
	awaited  *awaited // who gave the command waits here; nil: nobody
}

func newTask(o Options, s *store.Store, log *slog.Logger) *Task {
	return &Task{
		opts: o, store: s, log: log.With("task", o.Name), wake: make(chan struct{}, 1), checkEnded: make(chan struct{}), interrupt: func(error) {}, warned: map[string]string{}, told: binlog.Told{},
		status: Status{Name: o.Name, Source: o.Source.Address, State: NotStarted, Since: time.Now()},
	}
}

// run keeps the task going until ctx is done. A task that gave up waits for a
// command.
func (t *Task) run(ctx context.Context) {
	var failing time.Time
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		began := time.Now()
		err := t.track(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errCommanded) {
			pause, failing = firstRetry/2, time.Time{}
			continue
		}
		if failing.IsZero() || time.Since(began) > lastRetry {
			failing, pause = time.Now(), firstRetry
		}
		if mayPass(err) {
			pause = min(pause, lastDial)
		}
		wait := pause/2 + rand.N(pause)
		retry := time.After(wait)
		if time.Since(failing) > giveUp {
			retry, wait = nil, 0
			err = fmt.Errorf("%w: %w", ErrGaveUp, err)
		}
		t.fail(err, wait)
		select {
		case <-ctx.Done():
			return
		case <-retry:
		case <-t.wake:
			pause, failing = firstRetry/2, time.Time{}
		}
	}
}

// mayPass tells a failure that ends when the source is there again.
func mayPass(err error) bool {
	var p passing
	return errors.Is(err, binlog.ErrUnreachable) || binlog.IsTransient(err) || errors.As(err, &p)
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
	if t.state() != Error {
		t.set(Prechecking)
	}
	run, err := t.prepare()
	if err != nil {
		return err
	}
	checks := Precheck(ctx, t.opts)
	t.tellWarnings(checks)
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

// tellWarnings logs each warning of the prechecks, until it changes once.
func (t *Task) tellWarnings(checks []Check) {
	for _, c := range checks {
		if c.Status == Warn && t.warned[c.Name] != c.Detail {
			t.log.Warn("precheck warns", "check", c.Name, "found", c.Detail, "fix", c.Fix)
			t.warned[c.Name] = c.Detail
		}
	}
}

func (t *Task) encoder(flavor binlog.Flavor) format.Encoder {
	return format.NewDebezium(format.DebeziumOptions{
		Name: t.opts.Name, Connector: string(flavor), Version: t.opts.Version,
		Tombstones: t.opts.Tombstones, Now: time.Now,
	})
}
