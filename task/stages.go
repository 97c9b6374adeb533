package task

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// precheckLimit bounds a precheck; its questions have limits of their own, which are shorter.
const precheckLimit = 2 * time.Minute

// precheck checks the source of a task that is not started, and brings it to what follows.
func (t *Task) precheck(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, precheckLimit)
	defer cancel()
	t.mu.Lock()
	t.interrupt = func(error) { cancel() }
	t.mu.Unlock()
	if t.current().Stage != checking { // what came before is not interrupted
		return
	}
	o := t.options()
	var checks []Check
	failed := t.unusable()
	if failed == nil {
		checks = Precheck(ctx, o)
		failed = Failed(checks)
	}
	t.keepChecks(checks)
	t.save(func(l *life) {
		if l.Stage != checking || errors.Is(ctx.Err(), context.Canceled) {
			return // it was told something else meanwhile, or Daybook ends
		}
		now := time.Now().UTC()
		switch l.Checks = checks; {
		case failed != nil:
			l.Stage = unfit
			l.to(Prechecking, fmt.Sprintf("%v; then 'daybook task precheck %s' runs it again%s; %s", failed, t.name, onceItPassed(t.name, o.AutoStart), l.wayToChange(t.name)), now)
		case o.AutoStart:
			l.Stage = started
			l.to(Initial, "", now)
		default:
			l.Stage = ready
			l.to(NotStarted, fmt.Sprintf("the precheck passed; 'daybook task start %s' starts it", t.name), now)
		}
	})
}

// onceItPassed says what follows a precheck that passes.
func onceItPassed(name string, autoStart bool) string {
	if autoStart {
		return ", and the task starts by itself once it has passed"
	}
	return fmt.Sprintf(", and 'daybook task start %s' starts the task once it has passed", name)
}

// pausedLook is how often the source of a paused task is looked at: it may purge what was not read.
const pausedLook = time.Hour

// lookAtSource keeps what the precheck says of a paused task, the retention of the binlogs above all.
func (t *Task) lookAtSource(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, precheckLimit)
	defer cancel()
	t.mu.Lock()
	t.interrupt = func(error) { cancel() }
	t.mu.Unlock()
	if t.current().Stage != paused { // what came before is not interrupted
		return
	}
	if t.unusable() != nil {
		return
	}
	if checks := Precheck(ctx, t.options()); ctx.Err() == nil {
		t.keepChecks(checks)
	}
}

// Start starts a task that has passed its precheck.
func (t *Task) Start(ctx context.Context) error {
	return t.step(ctx, OpStart, func(l *life) error {
		l.Stage = started
		l.to(Initial, "", time.Now().UTC())
		return nil
	})
}

// Pause ends the reading of the source until [Task.Resume]. When it returns without an
// error of ctx, nothing more is appended.
func (t *Task) Pause(ctx context.Context) error {
	err := t.step(ctx, OpPause, func(l *life) error {
		l.Stage, l.Failing = paused, time.Time{}
		l.to(NotStarted, fmt.Sprintf("paused, and the position is kept: 'daybook task resume %s' goes on there, if the source still has its binlogs", t.name), time.Now().UTC())
		return nil
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	resting := t.resting
	t.mu.Unlock()
	if resting == nil {
		return nil
	}
	select {
	case <-resting:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Resume has a paused task go on, and one in Error try again at once.
func (t *Task) Resume(ctx context.Context) error {
	return t.step(ctx, OpResume, func(l *life) error {
		l.Failing, l.Stuck = time.Time{}, false
		if l.Stage == paused {
			l.Stage = started
			l.to(Initial, "", time.Now().UTC())
		}
		return nil
	})
}

// step changes the life by an operation, if that is allowed, and has it carried out.
func (t *Task) step(ctx context.Context, op Operation, change func(l *life) error) error {
	err := t.alter(func(l *life) error {
		if err := l.allows(t.name, op); err != nil {
			return err
		}
		return change(l)
	})
	if err != nil {
		return err
	}
	t.log.Info("task was given a command", "command", string(op))
	t.asked(ctx, string(op), string(op))
	t.nudge()
	return nil
}
