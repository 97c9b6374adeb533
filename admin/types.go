package admin

import "time"

// The JSON of the API. Times are RFC 3339; a number of seconds may be a fraction.

// Group is a consumer group: its account, its consumers, its checkpoint.
type Group struct {
	Group string `json:"group"`
	// Task is the task that it reads, and the topic's name.
	Task    string `json:"task"`
	Account string `json:"account"`
	// Username is the SASL username of its consumers.
	Username string `json:"username"`
	// Owner is "file" for an account of the configuration file, "store" for one
	// that was created here, and "none" for a group whose account is gone and
	// whose checkpoint is still there.
	Owner           string    `json:"owner"`
	Created         time.Time `json:"created,omitzero"`          // absent where the file owns it
	PasswordChanged time.Time `json:"password_changed,omitzero"` // absent where the file owns it

	// State is Kafka's: Empty, PreparingRebalance, CompletingRebalance, Stable.
	// A group whose consumers assign the partition themselves is Empty.
	State string `json:"state"`
	// Mode is "subscribe" if the active consumer got the partition from the
	// group protocol, "assign" if it took it itself, "" if nobody consumes.
	Mode       string    `json:"mode"`
	Generation int32     `json:"generation"`           // of the group protocol
	EmptySince time.Time `json:"empty_since,omitzero"` // when the last member went
	// Consumers are the active one, if there is one, and those that stand by, in
	// the order in which they would take over.
	Consumers []Consumer `json:"consumers"`
	// Checkpoint is null if the group never committed an offset.
	Checkpoint *Checkpoint `json:"checkpoint"`

	LogStartOffset int64 `json:"log_start_offset"` // of the task's oldest record
	HighWatermark  int64 `json:"high_watermark"`   // the offset that the next record will have
}

// RoleActive is the role of the consumer that receives the records.
const RoleActive = "active"

// Consumer is one consumer of a group.
type Consumer struct {
	Role       string    `json:"role"`        // RoleActive or standby
	Mode       string    `json:"mode"`        // subscribe or assign
	Since      time.Time `json:"since"`       // when it got its role
	Address    string    `json:"address"`     // IP:port where known, else IP
	ClientID   string    `json:"client_id"`   // client.id, as the client says
	MemberID   string    `json:"member_id"`   // "" in assign mode
	InstanceID string    `json:"instance_id"` // group.instance.id of a static member
}

// Checkpoint is a group's committed offset.
type Checkpoint struct {
	Offset    int64     `json:"offset"`
	Committed time.Time `json:"committed"`
	Metadata  string    `json:"metadata"` // as the client gave it
	// LagRecords is the number of records from the checkpoint to the high
	// watermark, as Kafka's tools count it: the lost ones are among them.
	LagRecords int64 `json:"lag_records"`
	// LagSeconds is the age of the first record that the checkpoint has not
	// passed, 0 at the high watermark; null if that record cannot be read.
	LagSeconds *float64 `json:"lag_seconds"`
	// LostRecords is the number of records after the checkpoint that retention
	// has removed.
	LostRecords int64 `json:"lost_records"`
}

// GroupList is the answer to GET /api/v1/groups, in the order of task and group.
type GroupList struct {
	Groups []Group `json:"groups"`
}

// CreateRequest is the body of POST /api/v1/groups; the answer is 201 and a [Group].
type CreateRequest struct {
	Group    string `json:"group"`    // 1–128 letters, digits, '_', '.', '-'
	Task     string `json:"task"`     // must exist
	Account  string `json:"account"`  // 1–16 letters, digits, '_'
	Password string `json:"password"` // 8–128 characters of at least two of upper case, lower case, digits, others
}

// PasswordRequest is the body of PUT /api/v1/groups/{id}/password; the answer is 204.
type PasswordRequest struct {
	Password string `json:"password"`
	// EndConnections ends the connections that logged in with the old password;
	// without it they go on until they end by themselves.
	EndConnections bool `json:"end_connections"`
}

// ResetRequest is the body of POST /api/v1/groups/{id}/reset. Exactly one of the
// first five says where the checkpoint goes.
type ResetRequest struct {
	ToEarliest bool       `json:"to_earliest,omitempty"` // the oldest record
	ToLatest   bool       `json:"to_latest,omitempty"`   // the high watermark
	ToOffset   *int64     `json:"to_offset,omitempty"`
	ToTime     *time.Time `json:"to_time,omitempty"`  // the first record of that time or later; later than all: the high watermark
	ShiftBy    *int64     `json:"shift_by,omitempty"` // from the present checkpoint; negative: back
	// DryRun changes nothing and answers the same.
	DryRun bool `json:"dry_run,omitempty"`
}

// ResetResult is the answer to a reset.
type ResetResult struct {
	Group string `json:"group"`
	Task  string `json:"task"`
	From  *int64 `json:"from"` // null: there was no checkpoint
	To    int64  `json:"to"`
	// Records is To − From: so many records are passed over, or, if negative,
	// come again. null if there was no checkpoint.
	Records *int64 `json:"records"`
	// Clamped tells that the offset asked for is outside the log, and that To is
	// the end of the log nearest to it.
	Clamped        bool  `json:"clamped"`
	LogStartOffset int64 `json:"log_start_offset"`
	HighWatermark  int64 `json:"high_watermark"`
	DryRun         bool  `json:"dry_run"`
}
