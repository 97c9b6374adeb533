package task

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/journal"
	"daybook/store"
)

// What a command can be refused for.
var (
	// ErrRunning is returned if the task runs and the command would move it.
	ErrRunning = errors.New("the task runs")
	// ErrNotSkippable is returned if the task's error is not one event group.
	ErrNotSkippable = errors.New("there is no event group to skip")
	// ErrRefused is returned if the source does not have the place to go on at.
	ErrRefused = errors.New("the source refuses it, and the task goes on as before")
	// ErrReplaced is returned if another command was given meanwhile.
	ErrReplaced = errors.New("another command was given meanwhile")
)

// errCommanded ends a run because a command is to be done.
var errCommanded = errors.New("a command was given")

// command is what somebody told a task to do. It is saved in the partition, so
// it survives a crash, and deleted by the append that does it, so it is done
// once.
type command struct {
	Given   time.Time          `json:"given"`
	Restart string             `json:"restart,omitempty"` // where from, for ParseStart
	Skip    *binlog.GroupPlace `json:"skip,omitempty"`
}

// String says what is to be done.
func (c *command) String() string {
	if c.Skip != nil {
		return "skip the event group at " + c.Skip.String()
	}
	return "restart from " + c.Restart
}

func (c *command) encode() ([]byte, error) { return json.Marshal(c) }

// command returns the one that waits, nil if there is none.
func (s *saved) command() (*command, error) {
	b, ok, err := s.partition.SchemaValue(keyCommand)
	if err != nil || !ok {
		return nil, err
	}
	var c command
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%w: command %q: %w", binlog.ErrSaved, b, err)
	}
	return &c, nil
}

// Done is what a command did.
type Done struct {
	Gap    change.GapInfo
	Offset int64 // of the gap's record; -1: there was nothing before it, so there is none
}

// awaited is a command that somebody waits for.
type awaited struct {
	command *command
	done    chan struct{} // closed at its end
	result  Done
	err     error
}

// Restart has the task go on at another place, as ParseStart names it; the log
// gets a gap record. A task that is not in Error is only moved by force. If
// ctx ends before it is done, Restart returns nil, and the command stays: it is
// done as soon as the source and the disk let it.
func (t *Task) Restart(ctx context.Context, from string, force bool) (*Done, error) {
	if err := t.CanRestart(from, force); err != nil {
		return nil, err
	}
	return t.give(ctx, &command{Restart: from})
}

// CanRestart tells whether Restart would take the command.
func (t *Task) CanRestart(from string, force bool) error {
	if _, err := ParseStart(from); err != nil {
		return err
	}
	l := t.current()
	if err := l.allows(t.name, OpRestart); err != nil {
		return err
	}
	if st := l.State; st != Error && !force {
		return fmt.Errorf("%w: task %s is in state %s, and a restart would leave a gap in its log or repeat what is in it", ErrRunning, t.name, st)
	}
	return nil
}

// Skip passes over the one event group that the task is in Error for, and waits
// as Restart does.
func (t *Task) Skip(ctx context.Context) (*Done, error) {
	place, err := t.CanSkip()
	if err != nil {
		return nil, err
	}
	return t.give(ctx, &command{Skip: &place})
}

// CanSkip returns the event group that Skip would pass over.
func (t *Task) CanSkip() (binlog.GroupPlace, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch l := &t.life; {
	case l.State != Error:
		return binlog.GroupPlace{}, fmt.Errorf("%w: task %s is in state %s", ErrNotSkippable, t.name, l.State)
	case l.Group == nil:
		return binlog.GroupPlace{}, fmt.Errorf("%w: the error of task %s is another: %s", ErrNotSkippable, t.name, l.Reason)
	default:
		return *l.Group, nil
	}
}

// give saves the command in the place of one that waits, has the task look at
// it, and waits for its end.
func (t *Task) give(ctx context.Context, c *command) (*Done, error) {
	c.Given = time.Now()
	b, err := c.encode()
	if err != nil {
		return nil, fmt.Errorf("encode command: %w", err)
	}
	p, ok := t.store.Partition(t.name)
	if !ok {
		return nil, fmt.Errorf("%w: %q is deleted", ErrUnknown, t.name)
	}
	a := &awaited{command: c, done: make(chan struct{})}
	if err := t.keep(p, b, a); err != nil {
		return nil, err
	}
	t.log.Warn("task was given a command", "command", c.String())
	t.asked(ctx, "command", c.String())
	t.nudge()
	select {
	case <-a.done:
		if a.err != nil {
			return nil, a.err
		}
		return &a.result, nil
	case <-ctx.Done():
		return nil, nil
	}
}

func (t *Task) keep(p *store.Partition, command []byte, a *awaited) error {
	t.commands.Lock()
	defer t.commands.Unlock()
	if _, err := p.Append(nil, store.State{Schema: []store.Write{{Key: keyCommand, Value: command}}}); err != nil {
		return fmt.Errorf("save command: %w", err)
	}
	t.end(Done{}, ErrReplaced)
	t.awaited = a
	return nil
}

// end tells who waits, if somebody does; t.commands is held.
func (t *Task) end(d Done, err error) {
	if t.awaited == nil {
		return
	}
	t.awaited.result, t.awaited.err = d, err
	close(t.awaited.done)
	t.awaited = nil
}

// finish does a command by an append that holds its end, unless another was
// given meanwhile. index is that of the gap's record in the batch.
func (t *Task) finish(c *command, gap change.GapInfo, index int64, do func(end store.Write) (int64, error)) error {
	t.commands.Lock()
	defer t.commands.Unlock()
	if err := t.stillWaits(c); err != nil {
		return err
	}
	before := t.highWatermark()
	offset, err := do(store.Write{Key: keyCommand})
	if err != nil {
		return fmt.Errorf("do command: %w", err)
	}
	d := Done{Gap: gap, Offset: offset + index}
	if t.highWatermark() == before {
		d.Offset = -1
	}
	t.record(journal.Event{Kind: "command_done", Text: fmt.Sprintf("%s: nothing is known of the source from %s to %s, as the record of offset %d tells", c, gap.From, gap.To, d.Offset)})
	t.log.Warn("command done", "command", c.String(), "from", gap.From, "to", gap.To, "offset", d.Offset)
	t.end(d, nil)
	return nil
}

// abandon ends a command that cannot be done. It returns errCommanded, so that
// the task goes on without it at once.
func (t *Task) abandon(s *saved, c *command, cause error) error {
	t.commands.Lock()
	defer t.commands.Unlock()
	if err := t.stillWaits(c); err != nil {
		return err
	}
	if _, err := s.partition.Append(nil, store.State{Schema: []store.Write{{Key: keyCommand}}}); err != nil {
		return fmt.Errorf("delete command: %w", err)
	}
	t.record(journal.Event{Kind: "command_refused", Text: fmt.Sprintf("%s: %v", c, cause)})
	t.log.Error("command refused", "command", c.String(), "error", cause)
	t.end(Done{}, cause)
	return errCommanded
}

// stillWaits returns errCommanded if another command has taken c's place.
func (t *Task) stillWaits(c *command) error {
	p, ok := t.store.Partition(t.name)
	if !ok {
		return errCommanded
	}
	saved, _, err := p.SchemaValue(keyCommand)
	if err != nil {
		return err
	}
	if b, err := c.encode(); err != nil || !bytes.Equal(b, saved) {
		return errors.Join(errCommanded, err)
	}
	return nil
}

// commanded tells whether a command waits that was given before Daybook started.
func (t *Task) commanded() bool {
	p, ok := t.store.Partition(t.name)
	if !ok {
		return false
	}
	_, ok, err := p.SchemaValue(keyCommand)
	return ok || err != nil // what it is, the run tells
}

func (t *Task) highWatermark() int64 {
	p, _ := t.store.Partition(t.name)
	return p.HighWatermark()
}
