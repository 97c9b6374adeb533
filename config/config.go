// Package config reads Daybook's YAML configuration file strictly: an unknown
// key, a wrong type, a missing secret or a name that cannot be is an [*Error]
// that tells file, line and key, and nothing of a value: passwords get into
// wrong places.
//
// It holds plain data and every default, and imports nothing else of Daybook;
// package cli turns a [Config] into the other packages' Options. A loaded
// Config is never changed and may be read by any goroutine.
package config

import "time"

// Config is the whole file. config.example.yaml describes every key.
type Config struct {
	DataDir   string    `yaml:"data_dir"`
	Retention Retention `yaml:"retention"`
	Kafka     Kafka     `yaml:"kafka"`
	Admin     Admin     `yaml:"admin"`
	Tasks     []Task    `yaml:"tasks"`
}

// Retention says what the log keeps.
type Retention struct {
	Age      Duration `yaml:"age"`
	MaxBytes int64    `yaml:"max_bytes"` // compressed bytes of all tasks together; 0: no cap
}

// TaskRetention says what the log of one task keeps.
type TaskRetention struct {
	Age      Duration `yaml:"age,omitempty"`       // 0: as for all
	MaxBytes int64    `yaml:"max_bytes,omitempty"` // compressed bytes of the task; 0: no cap of its own
}

// Kafka is the side that consumers see.
type Kafka struct {
	Listeners                []Listener `yaml:"listeners"`
	MaxConnections           int        `yaml:"max_connections"`
	MaxConnectionsPerAddress int        `yaml:"max_connections_per_address"`
	MaxConnectionsPerGroup   int        `yaml:"max_connections_per_group"`
	MaxGroupsPerTask         int        `yaml:"max_groups_per_task"` // those that are not in the file included
	IdleTimeout              Duration   `yaml:"idle_timeout"`        // of a connection without a request
	OffsetRetention          Duration   `yaml:"offset_retention"`    // of a group without members and commits
}

// Listener is one address that consumers connect to.
type Listener struct {
	Name       string `yaml:"name"`
	Address    string `yaml:"address"`
	Advertised string `yaml:"advertised"` // what Metadata tells clients; default: Address
	// SASLMechanisms are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; default: all.
	SASLMechanisms []string     `yaml:"sasl_mechanisms"`
	TLS            *ListenerTLS `yaml:"tls"` // nil: not encrypted
	// AllowPlaintext lets passwords cross a network in clear text: PLAIN
	// without TLS on an address that is not loopback.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// ListenerTLS names the PEM files of a listener.
type ListenerTLS struct {
	CertFile     string `yaml:"cert_file"`
	KeyFile      string `yaml:"key_file"`
	ClientCAFile string `yaml:"client_ca_file"` // clients need a certificate that it signed; "": none
}

// Admin is the admin API: what manages Daybook goes through it.
type Admin struct {
	Address   string `yaml:"address"`    // host:port, or none for no admin API
	TokenFile string `yaml:"token_file"` // default: admin.token in DataDir
	// SecretKeyFile has the key of the passwords of stored tasks; default: secret.key beside the token.
	SecretKeyFile string    `yaml:"secret_key_file"`
	Tokens        []Token   `yaml:"tokens"` // further ones, beside that of TokenFile
	Hosts         []string  `yaml:"hosts"`  // further names that clients may call it by
	TLS           *AdminTLS `yaml:"tls"`    // nil: not encrypted
	// AllowPlaintext lets the token cross a network in clear text: no TLS on an
	// address that is not loopback.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// FirstToken is what the token of [Admin.TokenFile] is called; its role is admin.
const FirstToken = "admin"

// Token is a token of the admin API.
type Token struct {
	Name string `yaml:"name"`
	Role string `yaml:"role"`
	File string `yaml:"file"` // made at the first start
}

// AdminTLS names the PEM files of the admin API.
type AdminTLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Off tells that no admin API is wanted.
func (a *Admin) Off() bool { return a.Address == "none" }

// Task is one MySQL source and the objects tracked in it.
type Task struct {
	Name             string    `yaml:"name"` // the topic
	Source           Source    `yaml:"source"`
	Start            Start     `yaml:"start"`
	Objects          Objects   `yaml:"objects"`
	SchemaChanges    string    `yaml:"schema_changes"`   // instance | objects | none
	Format           string    `yaml:"format"`           // debezium-json
	WireCompression  string    `yaml:"wire_compression"` // none | gzip | snappy | lz4 | zstd: of what consumers fetch
	Tombstones       bool      `yaml:"tombstones"`
	IncludeQuery     bool      `yaml:"include_query"`         // source.query is the statement's text
	PartialImages    string    `yaml:"partial_images"`        // accept | stop: rows of which a session leaves columns out
	CheckDefinitions *Duration `yaml:"check_definitions"`     // how often they are compared with the source's; 0: only by command
	SkipChecks       []string  `yaml:"skip_checks,omitempty"` // of the precheck, whose warnings are not told any more
	// Retention is the task's own; what it does not say is as for all.
	Retention TaskRetention `yaml:"retention,omitempty"`
	Groups    []Group       `yaml:"groups,omitempty"`
	// AutoStart starts it as soon as its precheck has passed, which a task of the file always does.
	AutoStart *bool `yaml:"auto_start"`
}

// Source is a MySQL or MariaDB server.
type Source struct {
	Address      string `yaml:"address"`
	User         string `yaml:"user"`
	PasswordEnv  string `yaml:"password_env,omitempty"`
	PasswordFile string `yaml:"password_file,omitempty"` // read at each login
	// PasswordCommand is a program and its arguments, run at each login without a
	// shell; its output is the password.
	PasswordCommand []string `yaml:"password_command,omitempty"`
	// AllowCleartext lets a password be sent in clear over TLS that is not verified.
	AllowCleartext bool   `yaml:"allow_cleartext_password,omitempty"`
	PublicKeyFile  string `yaml:"server_public_key_file,omitempty"` // for caching_sha2_password without TLS
	TLS            TLS    `yaml:"tls"`
	ServerID       uint32 `yaml:"server_id,omitempty"` // the replica's own; 0: derived from the task
	// Away is how long it may not be reached before the task is in Error; 0: 15 s.
	Away Duration `yaml:"away,omitempty"`

	// EnvPassword is what PasswordEnv gave; see Password.
	EnvPassword string `yaml:"-"`
}

// TLS says how the connection to the source is protected.
type TLS struct {
	Mode     string `yaml:"mode"` // disabled | preferred | required | verify-ca | verify-identity
	CAFile   string `yaml:"ca_file,omitempty"`
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
}

// Objects selects tables by patterns: see package objects.
type Objects struct {
	Include []string `yaml:"include"`
	Exclude []string `yaml:"exclude,omitempty"`
}

// Group is a consumer group and the account that may use it.
type Group struct {
	ID           string `yaml:"id"`
	Account      string `yaml:"account"`
	PasswordEnv  string `yaml:"password_env"`
	PasswordFile string `yaml:"password_file"`

	// Password is what PasswordEnv or PasswordFile gave.
	Password string `yaml:"-"`
}

// Defaults. Those of a task stand in Task.setDefaults.
func defaults() *Config {
	return &Config{
		DataDir:   "./data",
		Retention: Retention{Age: Duration(24 * time.Hour)},
		Kafka: Kafka{
			MaxConnections: 1000, MaxConnectionsPerAddress: 500, MaxConnectionsPerGroup: 100,
			MaxGroupsPerTask: 20,
			IdleTimeout:      Duration(10 * time.Minute), OffsetRetention: Duration(7 * 24 * time.Hour),
		},
		Admin: Admin{Address: "127.0.0.1:8378"},
	}
}

func (c *Config) setDefaults() {
	if len(c.Kafka.Listeners) == 0 {
		c.Kafka.Listeners = []Listener{{Name: "local", Address: "127.0.0.1:9092"}}
	}
	for i := range c.Kafka.Listeners {
		l := &c.Kafka.Listeners[i]
		if l.Advertised == "" {
			l.Advertised = l.Address
		}
		if len(l.SASLMechanisms) == 0 {
			l.SASLMechanisms = saslMechanisms()
		}
	}
	for i := range c.Tasks {
		c.Tasks[i].setDefaults(true)
	}
}

func saslMechanisms() []string { return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} }

func (t *Task) setDefaults(autoStart bool) {
	if t.AutoStart == nil {
		t.AutoStart = &autoStart
	}
	if t.Start == (Start{}) {
		t.Start.Kind = StartNow
	}
	if len(t.Objects.Include) == 0 {
		t.Objects.Include = []string{"*.*"}
	}
	if t.SchemaChanges == "" {
		t.SchemaChanges = "instance"
	}
	if t.Format == "" {
		t.Format = "debezium-json"
	}
	if t.WireCompression == "" {
		t.WireCompression = "none"
	}
	if t.PartialImages == "" {
		t.PartialImages = "accept"
	}
	if t.CheckDefinitions == nil {
		hour := Duration(time.Hour)
		t.CheckDefinitions = &hour
	}
	if t.Source.TLS.Mode == "" {
		t.Source.TLS.Mode = "preferred"
	}
}
