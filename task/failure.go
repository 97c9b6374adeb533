package task

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"daybook/binlog"
	"daybook/store"
)

// ErrGaveUp is the end of a task that could not resume within seven days.
var ErrGaveUp = errors.New("the task failed for seven days and is not tried again by itself")

// ErrStuck is told with a failure that no time mends.
var ErrStuck = errors.New("it is not tried again by itself")

// giveUp is how long a task in Error tries to resume by itself, from its first failure on.
const giveUp = 7 * 24 * time.Hour

// mayPass tells a failure that ends when the source is there again.
func mayPass(err error) bool {
	var p passing
	return errors.Is(err, binlog.ErrUnreachable) || binlog.IsTransient(err) || errors.As(err, &p)
}

// needsPerson tells a failure that stays until somebody decides: what was to be read is
// not there any more, cannot be read, or may not be. Everything else is tried again,
// as an address may lead to the right server again, a setting be set back, a disk be freed.
func needsPerson(err error) bool {
	var missing *binlog.MissingError
	if mayPass(err) || errors.Is(err, store.ErrCorrupt) { // that is mended while Daybook is stopped
		return false
	}
	return errors.As(err, &missing) || slices.ContainsFunc([]error{
		binlog.ErrPurged, binlog.ErrPosition, binlog.ErrSchema, binlog.ErrStatement, binlog.ErrEvent, binlog.ErrChecksum,
		binlog.ErrPartialImage, binlog.ErrLeftOut, binlog.ErrPrivilege, binlog.ErrSaved, store.ErrStateLost, ErrDefinition,
	}, func(known error) bool { return errors.Is(err, known) })
}

// fail puts the task into Error, and returns what tells that it is time to try
// again, after a wait or, if it is of no use, never.
func (t *Task) fail(err error, wait time.Duration) <-chan time.Time {
	now := time.Now()
	failing := t.current().Failing
	if failing.IsZero() {
		failing = now
	}
	stuck := true
	switch err = withWayOn(t.name, err); {
	case now.Sub(failing) > giveUp:
		err = fmt.Errorf("%w: %w; mend the cause, then %s", ErrGaveUp, err, resume(t.name))
	case !needsPerson(err):
		stuck = false
	case wayOn(t.name, err) == "":
		err = fmt.Errorf("%w; %w: mend the cause, then %s", err, ErrStuck, resume(t.name))
	}
	t.mu.Lock()
	if t.retry = now.Add(wait); stuck {
		t.retry = time.Time{}
	}
	t.mu.Unlock()
	t.save(func(l *life) {
		if l.Stage == started {
			l.to(Error, err.Error(), now.UTC())
			l.Failing, l.Stuck, l.Group = failing.UTC(), stuck, skippable(err)
		}
	})
	if stuck {
		t.log.Error("task stopped", "error", err)
		return nil
	}
	t.log.Error("task stopped; it resumes by itself", "error", err, "in", wait.Round(time.Millisecond))
	return time.After(wait)
}

// forgive has the seven days begin anew with the next failure.
func (t *Task) forgive() {
	t.save(func(l *life) { l.Failing, l.Stuck = time.Time{}, false })
}

func resume(name string) string {
	return fmt.Sprintf("'daybook task resume %s' tries again", name)
}
