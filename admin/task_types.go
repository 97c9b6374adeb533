package admin

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Task is a change tracking task.
type Task struct {
	Definition
	State  string    `json:"state" enum:"Not Started,Prechecking,Performing Initial Change Tracking,Normal,Error" doc:"What it does now."`
	Since  time.Time `json:"since" doc:"When it came into the state."`
	Reason string    `json:"reason,omitempty" doc:"Why it is in the state, and what to do; absent: all is well."`
	// Owner is that of task.Owner.
	Owner   string    `json:"owner" enum:"file,store,none" doc:"Who declares it: the configuration file, whoever created it here, or nobody any more."`
	Allowed []string  `json:"allowed" nullable:"false" doc:"The operations that its state allows."`
	Checks  []Check   `json:"checks,omitempty" nullable:"false" doc:"The last precheck."`
	Retry   time.Time `json:"retry,omitzero" doc:"When a task in Error tries again by itself; absent: it does not."`
	// EventGroup is the one that cannot be read, if that is the error.
	EventGroup *EventGroup `json:"event_group,omitempty" doc:"The one that cannot be read, if that is the error: it can be skipped."`
	// Position is nil if reading has not begun.
	Position       *Position   `json:"position" doc:"Where reading the source goes on; null: it has not begun."`
	Command        string      `json:"command,omitempty" doc:"One that was given and waits for the source to allow it."`
	Events         []Event     `json:"events,omitempty" nullable:"false" doc:"The newest 50 of the last seven days that a person should know of and that stopped nothing, the oldest first; not in the list of tasks."`
	Definitions    Definitions `json:"definitions,omitzero" doc:"The tables' definitions beside those of the source."`
	Log            Log         `json:"log" doc:"What is kept of the records."`
	LogStartOffset int64       `json:"log_start_offset" doc:"Of the oldest record."`
	HighWatermark  int64       `json:"high_watermark" doc:"The offset that the next record will have."`
}

// Log is what is kept of a task's records, and what may be.
type Log struct {
	Bytes    int64     `json:"bytes" doc:"Of the records, compressed, as they are stored."`
	Oldest   time.Time `json:"oldest,omitzero" doc:"When the oldest record was written into the log; absent: there is none."`
	Age      string    `json:"age" doc:"How long a record stays." example:"24h0m0s"`
	MaxBytes int64     `json:"max_bytes,omitempty" doc:"The task's own cap on bytes; absent: none but that of all tasks together."`
}

// TransformSchema implements huma.SchemaTransformer.
func (Task) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(orNull(s, "position"), "A change tracking task: one source, whose changes are one topic.")
}

// Check is one of a precheck.
type Check struct {
	Name      string `json:"name" doc:"What was looked at."`
	Status    string `json:"status" enum:"ok,warn,skipped,fail" doc:"How it ended; skipped: it warns, and is not to be told any more."`
	Skippable bool   `json:"skippable,omitempty" doc:"It warns, and may be skipped by its name."`
	Detail    string `json:"detail" doc:"What was found."`
	Fix       string `json:"fix,omitempty" doc:"What to do."`
}

// Definitions tells which tables are not at the source as their statements in
// the binlog left them, as the last checks found it.
type Definitions struct {
	Checked time.Time    `json:"checked,omitzero" doc:"When all were as at the source, but for those that differ; absent: not known."`
	Failed  string       `json:"failed,omitempty" doc:"Why the last check ended early."`
	Differ  []Difference `json:"differ,omitempty" nullable:"false" doc:"The tables that are not at the source as their statements in the binlog left them."`
	More    int          `json:"more,omitempty" doc:"How many tables differ, beyond these."`
	WayOn   string       `json:"way_on,omitempty" doc:"What leads on, where some differ."`
}

// Difference is a table that is not at the source as its statements in the
// binlog left it. Its records from Since on, the last moment when it is known to
// have been the same, may be wrong.
type Difference struct {
	Table      string    `json:"table" doc:"database.table" example:"shop.orders"`
	What       []string  `json:"what" nullable:"false" doc:"What differs: here, and at the source."`
	Since      time.Time `json:"since,omitzero" doc:"The last moment when it is known to have been the same: records from then on may be wrong; absent: not known."`
	SincePlace string    `json:"since_place,omitempty" doc:"That moment in the binlog: FILE:OFFSET." example:"binlog.000012:4711"`
}

// CheckRequest asks for a check of the tables' definitions; the answer is a
// [CheckResult].
type CheckRequest struct {
	Tables []string `json:"tables,omitempty" nullable:"false" pattern:"^[^.]+\\.[\\s\\S]+$" patternDescription:"database.table" doc:"The tables to be compared, as database.table; none: all that are selected." example:"[\"shop.orders\"]"`
	Adopt  bool     `json:"adopt,omitempty" doc:"Takes the source's definition of each that differs, from here on."`
}

// CheckResult is what a check of the tables' definitions found.
type CheckResult struct {
	Task      string       `json:"task" doc:"The task's name."`
	Asked     time.Time    `json:"asked,omitzero" doc:"When it was asked for, which tells one check from another; absent: none was."`
	Ended     time.Time    `json:"ended,omitzero" doc:"Absent: it goes on."`
	Same      int          `json:"same" doc:"How many tables are as at the source."`
	Undecided int          `json:"undecided" doc:"How many could not be compared: DDL ran, they cannot be read, or there are none."`
	Differ    []Difference `json:"differ,omitempty" nullable:"false" doc:"Those that differ."`
	More      int          `json:"more,omitempty" doc:"How many differ, beyond these."`
	Adopted   bool         `json:"adopted,omitempty" doc:"The source's definitions of those that differed were taken."`
	Failed    string       `json:"failed,omitempty" doc:"Why it ended early."`
}

// Event is something that a person should know of and that stopped nothing.
type Event struct {
	Time  time.Time `json:"time" doc:"When."`
	Kind  string    `json:"kind" doc:"Such as partial_images, foreign_key_action or definition_differs." example:"definition_differs"`
	Table string    `json:"table,omitempty" doc:"database.table" example:"shop.orders"`
	Text  string    `json:"text" doc:"What happened."`
	File  string    `json:"file" doc:"Where in the source's binlog: the file."`
	Pos   uint64    `json:"pos" doc:"The offset in it."`
}

// Position is a place in a source's binlog.
type Position struct {
	File  string `json:"file" doc:"Empty where only the GTID set is known yet." example:"binlog.000012"`
	Pos   uint64 `json:"pos" doc:"The offset in the file." example:"4711"`
	GTIDs string `json:"gtids,omitempty" doc:"The GTID set executed before it."`
}

// EventGroup names a transaction or a statement in the binlog.
type EventGroup struct {
	File string `json:"file" doc:"The binlog file." example:"binlog.000012"`
	Pos  uint64 `json:"pos" doc:"Where it begins." example:"4711"`
	GTID string `json:"gtid,omitempty" doc:"Its GTID, if it has one."`
}

// TaskList is a page of the tasks, in the order of their names.
type TaskList struct {
	Tasks []Task `json:"tasks" nullable:"false" doc:"In the order of their names, without their events."`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// PrecheckRequest has the precheck run again.
type PrecheckRequest struct {
	Skip []string `json:"skip,omitempty" nullable:"false" doc:"Checks that warn, whose warnings are not told any more: they come to skip_checks of the definition." example:"[\"binlog sync\"]"`
}

// RestartRequest has a task go on elsewhere; the answer is a [CommandResult].
type RestartRequest struct {
	From   string `json:"from" doc:"now, earliest, a time, FILE:OFFSET, or the GTID set of the transactions that are not wanted." example:"now"`
	Force  bool   `json:"force,omitempty" doc:"Restarts a task that is not in Error."`
	DryRun bool   `json:"dry_run,omitempty" doc:"Changes nothing: tells whether the command would be taken."`
}

// SkipRequest has a task pass over an event group; the answer is a
// [CommandResult].
type SkipRequest struct {
	DryRun bool `json:"dry_run,omitempty" doc:"Changes nothing: tells which event group it is."`
}

// CommandResult is the answer to a command.
type CommandResult struct {
	Task       string      `json:"task" doc:"The task's name."`
	Done       bool        `json:"done" doc:"The command is done."`
	From       string      `json:"from" doc:"From where nothing is known of the source, as the gap record says; before the command is done, what is known of it."`
	To         string      `json:"to" doc:"To where."`
	Reason     string      `json:"reason,omitempty" doc:"Why there is a gap, as the gap record says."`
	Offset     *int64      `json:"offset" doc:"Of the gap record; null if it is not done, or the log had nothing before the gap."`
	EventGroup *EventGroup `json:"event_group,omitempty" doc:"The one that is skipped."`
	DryRun     bool        `json:"dry_run,omitempty" doc:"Nothing was changed."`
}
