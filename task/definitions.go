package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/binlog"
	"daybook/journal"
	"daybook/store"
)

// ErrNotReading is returned if the task does not read its source, so that the
// tables' definitions cannot be compared.
var ErrNotReading = errors.New("the task does not read its source now")

// ErrChecking is returned if a check of the definitions waits already.
var ErrChecking = binlog.ErrChecking

// CheckOptions say what is compared, and whether the source's definitions are taken.
type CheckOptions = binlog.CheckOptions

// CheckResult is what a check of the tables' definitions found.
type CheckResult struct {
	Asked     time.Time    `json:"asked"` // when it was asked for: no other check has the same
	Ended     time.Time    `json:"ended"`
	Same      int          `json:"same"`      // tables that are as at the source
	Undecided int          `json:"undecided"` // that could not be compared
	Differ    []Difference `json:"differ,omitempty"`
	More      int          `json:"more,omitempty"` // that differ, beyond these
	Adopted   bool         `json:"adopted,omitempty"`
	Error     string       `json:"error,omitempty"` // why it ended early
}

// Difference is a table that is not at the source as its statements in the
// binlog left it.
type Difference struct {
	Table string   `json:"table"` // database.table
	What  []string `json:"what"`
	// Since and SincePlace are when and where it was the same for the last time
	// that is known: its records from there on may be wrong. Zero: not known.
	Since      time.Time `json:"since"`
	SincePlace string    `json:"since_place"`
}

// found is what the checks found, as it is saved.
type found struct {
	Last CheckResult `json:"last"`
	// Differ are the tables that differ, and were not adopted; More counts
	// others.
	Differ []Difference `json:"differ,omitempty"`
	More   int          `json:"more,omitempty"`
	// SameAt and SamePlace are those of the last check of all tables, or of
	// the start: what is not listed was the same there.
	SameAt    time.Time `json:"same_at"`
	SamePlace string    `json:"same_place"`

	at binlog.Place // where the last check ended
}

func (f *found) write() store.Write {
	b, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings, numbers and times of now
	}
	return store.Write{Key: keyCheck, Value: b}
}

// loadFound reads what earlier checks found.
func (r *run) loadFound() error {
	b, ok, err := r.saved.partition.SchemaValue(keyCheck)
	if err != nil {
		return err
	}
	var f found
	if ok {
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("%w: what the checks of definitions found: %w", binlog.ErrSaved, err)
		}
	}
	r.t.mu.Lock()
	r.t.found = f
	r.t.mu.Unlock()
	return nil
}

// allSame returns what is saved where the definitions were just read.
func (r *run) allSame(cp binlog.Checkpoint) store.Write {
	f := found{SameAt: time.Now().UTC(), SamePlace: fileAndOffset(cp.Position)}
	r.t.mu.Lock()
	r.t.found = f
	r.t.mu.Unlock()
	return f.write()
}

// fileAndOffset is the file and offset of a saved position, "" if they are not known.
func fileAndOffset(position []byte) string {
	p, err := binlog.PlaceOf(position)
	if err != nil || p.File == "" {
		return ""
	}
	p.GTIDs = ""
	return p.String()
}

// idle is called when everything that was read is handed on.
func (r *run) idle() {
	r.t.setOf(r.definition, Normal)
	every := r.opts.CheckDefinitions
	r.t.mu.Lock()
	last, same := r.t.found.Last, r.t.found.SameAt
	r.t.mu.Unlock()
	if every <= 0 || last.Asked.Before(r.asked) || time.Since(r.asked) < every || time.Since(same) < every {
		return
	}
	if asked, err := r.reader.Check(CheckOptions{}); err == nil { // else one waits already, which will do
		r.asked = asked
	}
}

// reads tells whether a run pumps, and by which reader.
func (t *Task) reads(r *binlog.Reader) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reader = r
	t.wakeCheckers()
}

// wakeCheckers wakes who waits for a check; t.mu is held.
func (t *Task) wakeCheckers() {
	close(t.checkEnded)
	t.checkEnded = make(chan struct{})
}

// CheckDefinitions compares the tables' definitions with the source's, by
// command. If ctx ends before the check does, the result is nil and the check
// goes on: LastCheck has its result, under the time when it was asked for.
func (t *Task) CheckDefinitions(ctx context.Context, o CheckOptions) (asked time.Time, result *CheckResult, err error) {
	t.mu.Lock()
	reader, ended := t.reader, t.checkEnded
	t.mu.Unlock()
	stopped := fmt.Errorf("%w: task %s is in state %s", ErrNotReading, t.name, t.state())
	if reader == nil {
		return asked, nil, stopped
	}
	if asked, err = reader.Check(o); err != nil {
		return asked, nil, err
	}
	if o.Adopt {
		t.asked(ctx, string(OpCheck), "the source's definitions of tables that differ are to be taken")
	}
	t.log.Info("check of the tables' definitions asked for", "adopt", o.Adopt, "tables", len(o.Tables))
	for {
		select {
		case <-ended:
		case <-ctx.Done():
			return asked, nil, nil
		}
		t.mu.Lock()
		last, reads := t.found.Last, t.reader == reader
		ended = t.checkEnded
		t.mu.Unlock()
		switch {
		case last.Asked.Equal(asked):
			return asked, &last, nil
		case !reads:
			return asked, nil, stopped
		}
	}
}

// LastCheck returns the result of the check that ended last; zero: none has.
func (t *Task) LastCheck() CheckResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.found.Last
}

// checked makes of a check what is saved.
func (r *run) checked(c *binlog.Check) (*found, store.Write) {
	r.t.mu.Lock()
	before := r.t.found
	r.t.mu.Unlock()
	f := before.after(c)
	return f, f.write()
}

// after returns what is known after a check.
func (f *found) after(c *binlog.Check) *found {
	next := *f
	next.at = c.To
	next.Last = CheckResult{Asked: c.Asked, Ended: time.Now().UTC(), Same: c.Same, Undecided: c.Undecided, More: c.More, Adopted: c.Adopt}
	for _, d := range c.Differ {
		next.Last.Differ = append(next.Last.Differ, f.since(d))
	}
	if c.Err != nil {
		next.Last.Error = c.Err.Error()
		return &next // of the tables it says nothing certain
	}
	next.Differ = slices.DeleteFunc(slices.Clone(f.Differ), func(d Difference) bool { return len(c.Tables) == 0 || slices.Contains(c.Tables, d.Table) })
	if !c.Adopt {
		next.Differ = append(next.Differ, next.Last.Differ...)
	}
	if len(c.Tables) > 0 {
		return &next
	}
	next.SameAt, next.SamePlace, next.More = c.Asked, c.From.String(), c.More
	if c.Adopt {
		next.More = 0
	}
	return &next
}

// since adds since when a table differs.
func (f *found) since(d binlog.TableDifference) Difference {
	if i := slices.IndexFunc(f.Differ, func(known Difference) bool { return known.Table == d.Table }); i >= 0 {
		return Difference{Table: d.Table, What: d.What, Since: f.Differ[i].Since, SincePlace: f.Differ[i].SincePlace}
	}
	return Difference{Table: d.Table, What: d.What, Since: f.SameAt, SincePlace: f.SamePlace}
}

// String says in what a table differs, and since when its records are in doubt.
func (d *Difference) String() string {
	since := "since when is not known"
	if !d.Since.IsZero() {
		since = "its records since " + d.Since.UTC().Format(time.RFC3339)
		if d.SincePlace != "" {
			since += " (" + d.SincePlace + ")"
		}
		since += " may be wrong"
	}
	return strings.Join(d.What, "; ") + "; " + since
}

// differingEvents bounds the tables that one check tells of as events.
const differingEvents = 10

// checkSaved tells of a check whose result is saved, by events first: who sees the result finds them.
func (t *Task) checkSaved(f *found) {
	t.tellChecked(f)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found = *f
	t.wakeCheckers()
}

func (t *Task) tellChecked(f *found) {
	last := &f.Last
	switch {
	case last.Error != "":
		t.log.Warn("check of the tables' definitions failed", "error", last.Error)
		return
	case last.Adopted:
		return // the reader told of each
	case len(last.Differ) == 0:
		t.log.Info("tables' definitions are as at the source", "tables", last.Same, "undecided", last.Undecided)
	}
	for i := range last.Differ {
		d := &last.Differ[i]
		text := "it is not at the source as its statements in the binlog left it: " + d.String()
		t.log.Warn("a table's definition differs from the source's", "table", d.Table, "found", text, "fix", adoptWay(t.name, d))
		if i < differingEvents {
			t.noticed(journal.Event{Kind: "definition_differs", Table: d.Table, Text: text, Place: eventPlace(f.at.File, f.at.Pos)})
		}
	}
}

// adoptWay says what leads on from a table that differs.
func adoptWay(name string, d *Difference) string {
	way := fmt.Sprintf("'daybook task check %s --adopt' takes the source's definitions from here on", name)
	if d.SincePlace != "" {
		way += fmt.Sprintf("; 'daybook task restart %s --from %s --force' reads all tables again since then, with the definitions of now", name, d.SincePlace)
	}
	return way
}
