package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/journal"
	"daybook/recordbatch"
	"daybook/store"
)

// run is one try of a task: from the saved position, from the start that the
// task's options name if there is none, or from where a command says.
type run struct {
	t    *Task
	opts Options // as they were when it began
	// definition is the number of the task's definition then.
	definition int64
	saved      *saved
	command    *command // to be done; nil: none
	position   []byte   // nil: none was saved
	reader     *binlog.Reader
	moves      *pump
	asked      time.Time // when the run asked for its last check of the definitions, by itself
}

// prepare reads what the task has saved.
func (t *Task) prepare() (*run, error) {
	partition, err := t.store.EnsurePartition(t.name)
	if err != nil {
		return nil, fmt.Errorf("open partition: %w", err)
	}
	r := &run{t: t, definition: t.definitions.Load()}
	r.opts = t.options() // of that definition or a later one, which ends the run
	if r.saved, err = openSaved(partition); err != nil {
		return nil, err
	}
	if r.command, err = r.saved.command(); err != nil {
		return nil, err
	}
	if err = r.loadFound(); err != nil {
		return nil, err
	}
	r.position, _, err = partition.Position()
	if err != nil && !r.restarts() {
		return nil, fmt.Errorf("read position: %w", err)
	}
	return r, nil
}

// restarts tells whether the command is to begin elsewhere.
func (r *run) restarts() bool { return r.command != nil && r.command.Restart != "" }

// open opens the reader. One that begins anew has its position saved when open
// returns: whatever happens then, the task goes on from there.
func (r *run) open(ctx context.Context) error {
	o := &r.opts
	var schemaErr error
	r.moves = &pump{saved: r.saved}
	options := binlog.Options{
		Source: o.Source, Start: o.Start, Include: o.Include, Exclude: o.Exclude, SchemaChanges: o.SchemaChanges,
		IncludeQuery: o.IncludeQuery, StopAtPartialImages: o.StopAtPartialImages,
		ServerID: o.ServerID, Logger: r.t.log, Notify: r.t.notice, Told: r.t.told,
		Load: r.moves.load,
	}
	switch {
	case r.restarts():
		start, err := ParseStart(r.command.Restart)
		if err != nil {
			return r.refuse(err)
		}
		options.Start = start
	case r.position != nil:
		options.Resume, options.Schema = r.position, r.saved.schema(&schemaErr)
	}
	if r.command != nil {
		options.Skip = r.command.Skip
	}
	r.reader = binlog.New(options)
	err := r.reader.Open(ctx)
	if schemaErr != nil { // with a part of the schema rows would be misread
		if err == nil {
			_ = r.reader.Close()
		}
		return schemaErr
	}
	if err != nil {
		if r.restarts() && refused(err) {
			return r.refuse(err)
		}
		return err
	}
	r.tellObjects()
	if err := r.saveStart(options.Resume == nil); err != nil {
		_ = r.reader.Close()
		return err
	}
	return nil
}

// tellObjects keeps from where on other objects are selected, if they are.
func (r *run) tellObjects() {
	others, inGroup := r.reader.Reselected()
	if !others {
		return
	}
	place, offset := placeOf(r.position), r.saved.partition.HighWatermark()
	from := fmt.Sprintf("from %s on, and from offset %d of the log on", place, offset)
	if inGroup {
		from = fmt.Sprintf("behind the transaction at %s, of which a part is read already, and behind its records that follow offset %d of the log", place, offset)
	}
	r.t.record(journal.Event{Kind: "objects", Place: fileAndOffset(r.position), Text: fmt.Sprintf("other objects are selected %s: include %q, exclude %q", from, r.opts.Include, r.opts.Exclude)})
}

// saveStart saves where a reader began, if it began anew.
func (r *run) saveStart(anew bool) error {
	switch {
	case r.restarts():
		if err := r.restart(); err != nil {
			return err
		}
	case anew:
		cp := r.reader.Checkpoint()
		if _, err := r.saved.begin(cp, nil, r.allSame(cp)); err != nil {
			return fmt.Errorf("save start: %w", err)
		}
		r.t.log.Info("start saved", "position", placeOf(cp.Position))
	}
	if !r.saved.stale {
		return nil
	}
	return r.saved.sweep()
}

// restart does the command: in one append come the record of the gap, the new
// position and its schema, and the command's end.
func (r *run) restart() error {
	cp := r.reader.Checkpoint()
	gap := change.GapInfo{From: placeOf(r.position), To: placeOf(cp.Position), Reason: "restarted from " + r.command.Restart + " by command"}
	batch, err := r.gapRecord(cp, &gap)
	if err != nil {
		return err
	}
	return r.t.finish(r.command, gap, 0, func(end store.Write) (int64, error) {
		return r.saved.begin(cp, batch, end, r.allSame(cp))
	})
}

// gapRecord returns a batch of one record; none if nothing came before the gap.
func (r *run) gapRecord(cp binlog.Checkpoint, gap *change.GapInfo) ([]byte, error) {
	if r.position == nil && r.saved.partition.HighWatermark() == 0 {
		return nil, nil
	}
	place, err := binlog.PlaceOf(cp.Position)
	if err != nil {
		return nil, err
	}
	c := change.Change{Source: place.Source(), Op: change.Gap, Gap: gap}
	c.CommitMicros = time.Now().UnixMicro()
	var b recordbatch.Builder
	err = r.encoder(r.reader.Flavor()).Encode(&c, &output{&b, c.CommitMicros / 1000})
	return b.Finish(), err
}

// placeOf describes a saved position.
func placeOf(position []byte) string {
	if position == nil {
		return "unknown"
	}
	place, err := binlog.PlaceOf(position)
	if err != nil {
		return "unknown"
	}
	return place.String()
}

// refused tells whether the source does not have the place that a restart is
// to begin at, so that trying again is of no use.
func refused(err error) bool {
	return errors.Is(err, binlog.ErrPurged) || errors.Is(err, binlog.ErrPosition)
}

// refuse ends a restart that the source refuses; the task goes on as before.
func (r *run) refuse(cause error) error {
	return r.t.abandon(r.saved, r.command, fmt.Errorf("%w: restart from %s: %w", ErrRefused, r.command.Restart, cause))
}

// pump moves changes until something fails or ctx is done.
func (r *run) pump(ctx context.Context) error {
	p := r.moves
	p.reader, p.encoder = r.reader, r.encoder(r.reader.Flavor())
	p.onIdle, p.onGap = r.idle, r.skipped
	p.onCheck, p.onChecked = r.checked, r.t.checkSaved
	r.t.reads(r.reader)
	err := p.run(ctx)
	r.t.reads(nil)
	var group *binlog.GroupError
	if r.command != nil && r.command.Skip != nil && errors.As(err, &group) && group.Place() != *r.command.Skip {
		// The group that was to be skipped can be read, another cannot.
		return errors.Join(err, r.t.abandon(r.saved, r.command, fmt.Errorf("%w: %w", ErrNotSkippable, err)))
	}
	return err
}

// skipped saves a batch that ends with the record of an event group that was
// passed over.
func (r *run) skipped(batch []byte, st store.State, gap change.GapInfo, index int) error {
	if r.command == nil || r.command.Skip == nil {
		_, err := r.saved.partition.Append(batch, st)
		return err
	}
	return r.t.finish(r.command, gap, int64(index), func(end store.Write) (int64, error) {
		st.Schema = append(st.Schema, end)
		return r.saved.partition.Append(batch, st)
	})
}
