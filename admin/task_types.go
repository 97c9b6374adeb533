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
	Events         []Event `json:"events,omitempty"`
	LogStartOffset int64   `json:"log_start_offset"`
	HighWatermark  int64   `json:"high_watermark"`
}

// Event is something that a person should know of and that stopped nothing.
type Event struct {
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"`            // partial_images, generated_left_out, foreign_key_action
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
