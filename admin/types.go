package admin

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The JSON of the API. Times are RFC 3339; a number of seconds may be a fraction.
// The doc tags are what the description says of a field, and its limits are kept
// before a handler sees a request.

// Group is a consumer group: its account, its consumers, its checkpoint.
type Group struct {
	Group           string    `json:"group" doc:"The group ID." example:"cache"`
	Task            string    `json:"task" doc:"The task that it reads, and the topic's name." example:"shop"`
	Account         string    `json:"account" doc:"Whose group it is; empty if the account is gone." example:"app"`
	Username        string    `json:"username" doc:"The SASL username of its consumers." example:"app-cache"`
	Owner           string    `json:"owner" enum:"file,store,none" doc:"file: the configuration file declares the account; store: it was created by this API; none: it is gone, and the checkpoint is still there."`
	Created         time.Time `json:"created,omitzero" doc:"Absent where the file owns it."`
	PasswordChanged time.Time `json:"password_changed,omitzero" doc:"Absent where the file owns it."`

	State      string     `json:"state" enum:"Empty,PreparingRebalance,CompletingRebalance,Stable,Dead" doc:"Kafka's. A group whose consumers assign the partition themselves is Empty."`
	Mode       string     `json:"mode" enum:"subscribe,assign," doc:"subscribe: the active consumer got the partition from the group protocol; assign: it took it itself; empty: nobody consumes."`
	Generation int32      `json:"generation" doc:"Of the group protocol."`
	EmptySince time.Time  `json:"empty_since,omitzero" doc:"When the last member went."`
	Consumers  []Consumer `json:"consumers" nullable:"false" doc:"The active one, if there is one, and those that stand by, in the order in which they would take over."`
	// Checkpoint is nil if the group never committed an offset.
	Checkpoint *Checkpoint `json:"checkpoint" doc:"null if the group never committed an offset."`

	LogStartOffset int64 `json:"log_start_offset" doc:"Of the task's oldest record."`
	HighWatermark  int64 `json:"high_watermark" doc:"The offset that the next record will have."`
}

// TransformSchema implements huma.SchemaTransformer.
func (Group) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(orNull(s, "checkpoint"), "A consumer group: its account, its consumers, its checkpoint.")
}

// RoleActive is the role of the consumer that receives the records.
const RoleActive = "active"

// Consumer is one consumer of a group.
type Consumer struct {
	Role       string    `json:"role" enum:"active,standby" doc:"The active one receives the records."`
	Mode       string    `json:"mode" enum:"subscribe,assign" doc:"How it came to the partition: by the group protocol, or itself."`
	Since      time.Time `json:"since" doc:"When it got its role."`
	Address    string    `json:"address" doc:"IP:port where known, else IP." example:"10.0.0.7:51032"`
	ClientID   string    `json:"client_id" doc:"client.id, as the client says." example:"worker-1"`
	MemberID   string    `json:"member_id" doc:"Empty in assign mode."`
	InstanceID string    `json:"instance_id" doc:"group.instance.id of a static member."`
}

// Checkpoint is a group's committed offset.
type Checkpoint struct {
	Offset      int64     `json:"offset" doc:"The committed offset, that is, the next one to read."`
	Committed   time.Time `json:"committed" doc:"When it was."`
	Metadata    string    `json:"metadata" doc:"As the client gave it."`
	LagRecords  int64     `json:"lag_records" doc:"The number of records from the checkpoint to the high watermark, as Kafka's tools count it: the lost ones are among them."`
	LagSeconds  *float64  `json:"lag_seconds" doc:"The age of the first record that the checkpoint has not passed, 0 at the high watermark; null if that record cannot be read."`
	LostRecords int64     `json:"lost_records" doc:"The number of records after the checkpoint that retention has removed."`
}

// GroupList is a page of the groups, in the order of task and group.
type GroupList struct {
	Groups []Group `json:"groups" nullable:"false" doc:"In the order of task and group ID."`
	Next   string  `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// CreateRequest asks for a group; the answer is a [Group].
type CreateRequest struct {
	Group    string `json:"group" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._-]+$" patternDescription:"a group ID: 1–128 letters, digits, '.', '_' and '-'" doc:"The group ID: 1–128 letters, digits, '.', '_' and '-', and neither \".\" nor \"..\"." example:"cache"`
	Task     string `json:"task" doc:"The task that it reads; it must exist." example:"shop"`
	Account  string `json:"account" minLength:"1" maxLength:"16" pattern:"^[A-Za-z0-9_]+$" patternDescription:"an account: 1–16 letters, digits and '_'" doc:"Whose group it is: 1–16 letters, digits and '_'. The SASL username is account-group." example:"app"`
	Password string `json:"password" minLength:"8" maxLength:"128" writeOnly:"true" format:"password" doc:"8–128 printable characters of at least two of upper case, lower case, digits and others. It is kept as verifiers only." example:"s3cret-word"`
}

// PasswordRequest is a new password of a group's account.
type PasswordRequest struct {
	Password       string `json:"password" minLength:"8" maxLength:"128" writeOnly:"true" format:"password" doc:"8–128 printable characters of at least two of upper case, lower case, digits and others." example:"an0ther-word"`
	EndConnections bool   `json:"end_connections" required:"false" doc:"Ends the connections that logged in with the old password; without it they go on until they end by themselves."`
}

// ResetRequest says where a checkpoint goes, by exactly one of its first five.
type ResetRequest struct {
	ToEarliest bool       `json:"to_earliest,omitempty" doc:"To the oldest record."`
	ToLatest   bool       `json:"to_latest,omitempty" doc:"To the high watermark."`
	ToOffset   *int64     `json:"to_offset,omitempty" doc:"To this offset, or to the end of the log that is nearest to it."`
	ToTime     *time.Time `json:"to_time,omitempty" doc:"To the first record whose commit at the source was then or later; later than all: the high watermark."`
	ShiftBy    *int64     `json:"shift_by,omitempty" doc:"So many records from the present checkpoint; negative: back."`
	DryRun     bool       `json:"dry_run,omitempty" doc:"Changes nothing and answers the same."`
}

// TransformSchema implements huma.SchemaTransformer.
func (ResetRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, "Where the checkpoint goes: exactly one of to_earliest and to_latest, if true, to_offset, to_time and shift_by is given.")
}

// ResetResult is the answer to a reset.
type ResetResult struct {
	Group          string `json:"group" doc:"The group ID."`
	Task           string `json:"task" doc:"The task that it reads."`
	From           *int64 `json:"from" doc:"The checkpoint before; null: there was none."`
	To             int64  `json:"to" doc:"The checkpoint now, or, of a dry run, what it would be."`
	Records        *int64 `json:"records" doc:"to − from: so many records are passed over, or, if negative, come again; null if there was no checkpoint."`
	Clamped        bool   `json:"clamped" doc:"The offset asked for is outside the log, and to is the end of the log nearest to it."`
	LogStartOffset int64  `json:"log_start_offset" doc:"Of the task's oldest record."`
	HighWatermark  int64  `json:"high_watermark" doc:"The offset that the next record will have."`
	DryRun         bool   `json:"dry_run" doc:"Nothing was changed."`
}
