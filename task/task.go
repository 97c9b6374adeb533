package task

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"daybook/binlog"
	"daybook/format"
	"daybook/store"
)

// State is where a task is in its life.
type State string

// The states.
const (
	Prechecking State = "Prechecking"
	NotStarted  State = "Not Started"
	Initial     State = "Performing Initial Change Tracking"
	Normal      State = "Normal"
	Error       State = "Error"
)

const (
	firstRetry = 2 * time.Second
	lastRetry  = 2 * time.Minute
	// giveUp is how long a task in Error tries to resume by itself.
	giveUp = 7 * 24 * time.Hour
)

// ErrGaveUp is the end of a task that could not resume within seven days.
var ErrGaveUp = errors.New("the task failed for seven days and is not tried again; mend the cause and restart")

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
	IncludeQuery     bool   // the records hold the statement's text
	Version          string // of Daybook, for the records' source block
}

// Task is the life of one change tracking task.
type Task struct {
	opts  Options
	store *store.Store
	log   *slog.Logger

	// state is told to the log. Only run and, while run waits for it, the pump
	// change it.
	state State
}

func newTask(o Options, s *store.Store, log *slog.Logger) *Task {
	return &Task{opts: o, store: s, log: log.With("task", o.Name), state: NotStarted}
}

func (t *Task) set(s State) {
	if t.state != s {
		t.state = s
		t.log.Info("task state", "state", string(s))
	}
}

// run keeps the task going until ctx is done or it gives up.
func (t *Task) run(ctx context.Context) {
	var failing time.Time
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		began := time.Now()
		err := t.track(ctx)
		if ctx.Err() != nil {
			return
		}
		if failing.IsZero() || time.Since(began) > lastRetry {
			failing, pause = time.Now(), firstRetry
		}
		if time.Since(failing) > giveUp {
			err = fmt.Errorf("%w: %w", ErrGaveUp, err)
			t.log.Error("task stopped", "error", err)
			t.set(Error)
			return
		}
		wait := pause/2 + rand.N(pause)
		t.log.Error("task stopped; it resumes by itself", "error", err, "in", wait.Round(time.Millisecond))
		t.set(Error)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// track checks the source and pumps its changes until something fails.
func (t *Task) track(ctx context.Context) error {
	partition, err := t.store.EnsurePartition(t.opts.Name)
	if err != nil {
		return fmt.Errorf("open partition: %w", err)
	}
	position, _, err := partition.Position()
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	if t.state != Error {
		t.set(Prechecking)
	}
	if err := Failed(Precheck(ctx, t.opts)); err != nil {
		return err
	}
	var schemaErr error
	reader := binlog.New(binlog.Options{
		Source: t.opts.Source, Start: t.opts.Start, Resume: position, Schema: savedSchema(partition, &schemaErr),
		Include: t.opts.Include, Exclude: t.opts.Exclude, SchemaChanges: t.opts.SchemaChanges, IncludeQuery: t.opts.IncludeQuery,
		ServerID: t.opts.ServerID, Logger: t.log,
	})
	if err := reader.Open(ctx); err != nil {
		return errors.Join(err, schemaErr)
	}
	defer reader.Close()
	t.set(Initial)
	p := &pump{
		reader:    reader,
		encoder:   t.encoder(reader.Flavor()),
		partition: partition,
		onIdle:    func() { t.set(Normal) },
	}
	return p.run(ctx)
}

func (t *Task) encoder(flavor binlog.Flavor) format.Encoder {
	return format.NewDebezium(format.DebeziumOptions{
		Name: t.opts.Name, Connector: string(flavor), Version: t.opts.Version,
		Tombstones: t.opts.Tombstones, Now: time.Now,
	})
}

// savedSchema adapts the store's entries to the reader's form; an error ends
// them early and is left in err.
func savedSchema(p *store.Partition, err *error) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for kv, e := range p.Schema() {
			if e != nil {
				*err = fmt.Errorf("read saved schema: %w", e)
				return
			}
			if !yield(kv.Key, kv.Value) {
				return
			}
		}
	}
}
