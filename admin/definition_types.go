package admin

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// Definition is a task as it is written, key for key as in the configuration file.
type Definition struct {
	Name             string              `json:"name" minLength:"1" maxLength:"249" doc:"The task's, and the topic's: letters, digits, '.', '_' and '-'." example:"shop"`
	Source           SourceDefinition    `json:"source,omitzero" doc:"The MySQL or MariaDB server."`
	Start            Start               `json:"start,omitempty" doc:"Where reading begins; default now."`
	Objects          Objects             `json:"objects,omitzero" doc:"The databases and tables that are tracked."`
	SchemaChanges    string              `json:"schema_changes,omitempty" enum:"instance,objects,none" doc:"Which DDL is told: of all that the server has, of what is tracked, or none; default instance."`
	Format           string              `json:"format,omitempty" enum:"debezium-json" doc:"Of the records; default debezium-json."`
	WireCompression  string              `json:"wire_compression,omitempty" enum:"none,gzip,snappy,lz4,zstd" doc:"Of what consumers fetch; default none."`
	Tombstones       bool                `json:"tombstones,omitempty" doc:"A deleted row is followed by a record without a value."`
	IncludeQuery     bool                `json:"include_query,omitempty" doc:"Records hold the statement's text, where the server logs it."`
	PartialImages    string              `json:"partial_images,omitempty" enum:"accept,stop" doc:"Rows of which a session leaves columns out; default accept."`
	CheckDefinitions string              `json:"check_definitions,omitempty" doc:"How often the tables' definitions are compared with the source's; 0s: only by command; default 1h." example:"1h"`
	SkipChecks       []string            `json:"skip_checks,omitempty" nullable:"false" doc:"Checks of the precheck whose warnings are not told any more; one that fails does so all the same." example:"[\"binlog sync\"]"`
	Retention        RetentionDefinition `json:"retention,omitzero" doc:"What is kept of the records, where it is not as for all tasks."`
	AutoStart        bool                `json:"auto_start,omitempty" doc:"The task starts by itself as soon as its precheck has passed."`
}

// RetentionDefinition is what is kept of a task's records.
type RetentionDefinition struct {
	Age      string `json:"age,omitempty" doc:"How long they stay; default: that of all tasks." example:"72h"`
	MaxBytes int64  `json:"max_bytes,omitempty" minimum:"0" doc:"A cap on the compressed bytes of the task; the oldest records go, however young. 0: none but that of all tasks together."`
}

// SourceDefinition is a server, and how to log in.
type SourceDefinition struct {
	Address         string        `json:"address" doc:"host:port" example:"db.example.com:3306"`
	User            string        `json:"user" doc:"The account." example:"daybook"`
	Password        string        `json:"password,omitempty" writeOnly:"true" doc:"Kept encrypted, and never given back."`
	PasswordEnv     string        `json:"password_env,omitempty" doc:"Of a task of the configuration file only."`
	PasswordFile    string        `json:"password_file,omitempty" doc:"Of a task of the configuration file only."`
	PasswordCommand []string      `json:"password_command,omitempty" nullable:"false" doc:"Of a task of the configuration file only."`
	AllowCleartext  bool          `json:"allow_cleartext_password,omitempty" doc:"The password may be sent in clear over TLS that is not verified."`
	PublicKeyFile   string        `json:"server_public_key_file,omitempty" doc:"A file of Daybook's host, for caching_sha2_password without TLS."`
	TLS             TLSDefinition `json:"tls,omitzero" doc:"How the connection is protected."`
	Away            string        `json:"away,omitempty" doc:"How long it may not be reached before the task is in Error; default 15s." example:"1m"`
	ServerID        uint32        `json:"server_id,omitempty" doc:"Of the replica that Daybook is; default: one of its own."`
}

// TLSDefinition is how a connection to a source is protected. The files are of Daybook's host.
type TLSDefinition struct {
	Mode     string `json:"mode,omitempty" enum:"disabled,preferred,required,verify-ca,verify-identity" doc:"Default preferred."`
	CAFile   string `json:"ca_file,omitempty" doc:"The authority's certificate, for verify-ca and verify-identity."`
	CertFile string `json:"cert_file,omitempty" doc:"Daybook's own certificate."`
	KeyFile  string `json:"key_file,omitempty" doc:"Its key."`
}

// Objects are patterns of tables.
type Objects struct {
	Include []string `json:"include,omitempty" nullable:"false" doc:"Patterns; default *.*." example:"[\"shop.*\"]"`
	Exclude []string `json:"exclude,omitempty" nullable:"false" doc:"Patterns, which win."`
}

// Start is now, earliest, {"time"}, {"gtid"}, or {"file", "pos"}, as JSON.
type Start json.RawMessage

// MarshalJSON implements json.Marshaler.
func (s Start) MarshalJSON() ([]byte, error) { return json.RawMessage(s).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Start) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(s).UnmarshalJSON(b) }

// Schema implements huma.SchemaProvider.
func (Start) Schema(huma.Registry) *huma.Schema {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	object := func(required string, properties map[string]*huma.Schema) *huma.Schema {
		return &huma.Schema{Type: huma.TypeObject, Properties: properties, Required: []string{required}, AdditionalProperties: false}
	}
	least := 4.0
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString, Enum: []any{"now", "earliest"}},
		object("time", map[string]*huma.Schema{"time": {Type: huma.TypeString, Format: "date-time", Description: "At the first transaction of that time or later."}}),
		object("gtid", map[string]*huma.Schema{"gtid": text("Behind these transactions.")}),
		object("file", map[string]*huma.Schema{"file": text("A binlog file."), "pos": {Type: huma.TypeInteger, Minimum: &least, Description: "An offset in it; default 4."}}),
	}}
}

// DatabaseList is what a source has.
type DatabaseList struct {
	Databases []Database `json:"databases" nullable:"false" doc:"In the order of their names."`
}

// Database is one of a source.
type Database struct {
	Name     string `json:"name" doc:"Its name." example:"shop"`
	System   bool   `json:"system" doc:"It is the server's own, or a service's: only its exact name selects it."`
	Selected bool   `json:"selected" doc:"It may have selected tables."`
}

// TableList is a page of a database's tables.
type TableList struct {
	Tables []Table `json:"tables" nullable:"false" doc:"In the order of their names."`
	Total  int     `json:"total" doc:"Tables and views of the database."`
	Next   string  `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// Table is a table or view.
type Table struct {
	Name     string `json:"name" doc:"Its name." example:"orders"`
	View     bool   `json:"view,omitempty" doc:"It is a view, of which the binlog has no rows."`
	Engine   string `json:"engine,omitempty" doc:"Its engine." example:"InnoDB"`
	Rows     *int64 `json:"rows,omitempty" doc:"As the server estimates them."`
	Bytes    *int64 `json:"bytes,omitempty" doc:"Of data and indexes, as the server estimates them."`
	Selected bool   `json:"selected" doc:"The task tracks it."`
}

// ObjectsPreview tells what patterns select.
type ObjectsPreview struct {
	Count       int         `json:"count" doc:"How many tables."`
	Tables      []TableName `json:"tables" nullable:"false" doc:"The first 100 of them."`
	IdleInclude []string    `json:"idle_include,omitempty" nullable:"false" doc:"Patterns of include that match nothing."`
	IdleExclude []string    `json:"idle_exclude,omitempty" nullable:"false" doc:"Patterns of exclude that take nothing away."`
	Unread      string      `json:"unread,omitempty" doc:"What was not looked at, and why."`
}

// TableName names a table.
type TableName struct {
	Database string `json:"database" example:"shop" doc:"The database."`
	Table    string `json:"table" example:"orders" doc:"The table."`
}

// KeyRotation is the answer to a change of the key.
type KeyRotation struct {
	Sealed int `json:"sealed" doc:"How many passwords were sealed anew."`
}

// Patch is a JSON merge patch (RFC 7396) of a definition: the keys that change; null
// takes one out.
type Patch map[string]any

// Schema implements huma.SchemaProvider.
func (Patch) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Description: "A merge patch (RFC 7396) of a Definition: the keys that change; null takes one out.",
		Examples:    []any{map[string]any{"objects": map[string]any{"include": []string{"shop.*", "crm.*"}}}},
	}
}
