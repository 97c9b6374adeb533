package admin

import "time"

// Task is a change tracking task.
type Task struct {
	Task   string    `json:"task"` // and the topic's name
	Source string    `json:"source"`
	State  string    `json:"state"` // Not Started, Prechecking, Performing Initial Change Tracking, Normal, Error
	Since  time.Time `json:"since"` // of the state
	// Error says why the task is in Error, and what to do.
	Error string `json:"error,omitempty"`
	// Retry is when a task in Error tries again by itself; absent: it does not.
	Retry time.Time `json:"retry,omitzero"`
	// EventGroup is the one that cannot be read, if that is the error: it can
	// be skipped.
	EventGroup *EventGroup `json:"event_group,omitempty"`
	// Position is where reading the source goes on; null: it has not begun.
	Position *Position `json:"position"`
	// Command is one that was given and waits for the source to allow it.
	Command string `json:"command,omitempty"`
	// Events are the newest that there were since Daybook started, the oldest
	// first; not in the list of tasks.
	Events []Event `json:"events,omitempty"`
	// Definitions are the tables' beside those of the source.
	Definitions    Definitions `json:"definitions,omitzero"`
	LogStartOffset int64       `json:"log_start_offset"`
	HighWatermark  int64       `json:"high_watermark"`
}

// Definitions tells which tables are not at the source as their statements in
// the binlog left them, as the last checks found it.
type Definitions struct {
	// Checked is when all were as at the source, but for those that differ; absent:
	// not known.
	Checked time.Time    `json:"checked,omitzero"`
	Failed  string       `json:"failed,omitempty"` // why the last check ended early
	Differ  []Difference `json:"differ,omitempty"`
	More    int          `json:"more,omitempty"`   // tables that differ, beyond these
	WayOn   string       `json:"way_on,omitempty"` // what leads on, where some differ
}

// Difference is a table that is not at the source as its statements in the
// binlog left it. Its records from Since on, the last moment when it is known to
// have been the same, may be wrong; absent: that is not known.
type Difference struct {
	Table      string    `json:"table"` // database.table
	What       []string  `json:"what"`
	Since      time.Time `json:"since,omitzero"`
	SincePlace string    `json:"since_place,omitempty"` // FILE:OFFSET
}

// CheckRequest is the body of POST /api/v1/tasks/{name}/check; the answer is a
// [CheckResult].
type CheckRequest struct {
	// Tables are those to be compared, as database.table; none: all that are selected.
	Tables []string `json:"tables,omitempty"`
	// Adopt takes the source's definition of each that differs, from here on.
	Adopt bool `json:"adopt,omitempty"`
}

// CheckResult is what a check of the tables' definitions found: 200 when it has
// ended, 202 while it goes on. GET of the same path has that of the check that
// ended last; asked tells which one it is.
type CheckResult struct {
	Task      string       `json:"task"`
	Asked     time.Time    `json:"asked,omitzero"`
	Ended     time.Time    `json:"ended,omitzero"` // absent: it goes on
	Same      int          `json:"same"`           // tables that are as at the source
	Undecided int          `json:"undecided"`      // that could not be compared: DDL ran, they cannot be read, or there are none
	Differ    []Difference `json:"differ,omitempty"`
	More      int          `json:"more,omitempty"`
	Adopted   bool         `json:"adopted,omitempty"` // what differed was
	Failed    string       `json:"failed,omitempty"`  // why it ended early
}

// Event is something that a person should know of and that stopped nothing.
type Event struct {
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"`            // partial_images, generated_left_out, foreign_key_action, definition_adopted, definition_differs, numbers_left_out, replica_unseen, databases_left_out, xa_not_logged
	Table string    `json:"table,omitempty"` // database.table
	Text  string    `json:"text"`
	File  string    `json:"file"` // where in the source's binlog
	Pos   uint64    `json:"pos"`
}

// Position is a place in a source's binlog.
type Position struct {
	File  string `json:"file"` // "" where only the GTID set is known yet
	Pos   uint64 `json:"pos"`
	GTIDs string `json:"gtids,omitempty"` // the set executed before it
}

// EventGroup names a transaction or a statement in the binlog.
type EventGroup struct {
	File string `json:"file"`
	Pos  uint64 `json:"pos"` // where it begins
	GTID string `json:"gtid,omitempty"`
}

// TaskList is the answer to GET /api/v1/tasks, in the order of the configuration.
type TaskList struct {
	Tasks []Task `json:"tasks"`
}

// RestartRequest is the body of POST /api/v1/tasks/{name}/restart; the answer
// is a [CommandResult].
type RestartRequest struct {
	// From is now, earliest, a time, FILE:OFFSET, or the GTID set of the
	// transactions that are not wanted.
	From string `json:"from"`
	// Force restarts a task that is not in Error.
	Force bool `json:"force,omitempty"`
	// DryRun changes nothing: it tells whether the command would be taken.
	DryRun bool `json:"dry_run,omitempty"`
}

// SkipRequest is the body of POST /api/v1/tasks/{name}/skip; the answer is a
// [CommandResult].
type SkipRequest struct {
	DryRun bool `json:"dry_run,omitempty"`
}

// CommandResult is the answer to a command: 200 when it is done, 202 when it is
// saved and waits until the source lets the task do it, over restarts too.
type CommandResult struct {
	Task string `json:"task"`
	Done bool   `json:"done"`
	// From and To are what the gap record says; before the command is done, what
	// is known of it.
	From   string `json:"from"`
	To     string `json:"to"`
	Reason string `json:"reason,omitempty"`
	// Offset is that of the gap record; null if it is not done, or the log had nothing before the gap.
	Offset *int64 `json:"offset"`
	// EventGroup is the one that is skipped.
	EventGroup *EventGroup `json:"event_group,omitempty"`
	DryRun     bool        `json:"dry_run,omitempty"`
}
