package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"daybook/access"
	"daybook/admin"
	"daybook/auth"
	"daybook/binlog"
	"daybook/broker"
	"daybook/config"
	"daybook/servertls"
	"daybook/store"
	"daybook/task"
)

// The functions here turn the configuration into the parts' own Options.

func listenersOf(c *config.Config) []broker.Listener {
	var ls []broker.Listener
	for _, l := range c.Kafka.Listeners {
		bl := broker.Listener{Name: l.Name, Address: l.Address, Advertised: l.Advertised}
		for _, m := range l.SASLMechanisms {
			bl.Mechanisms = append(bl.Mechanisms, auth.Mechanism(m))
		}
		if t := l.TLS; t != nil {
			bl.TLS = &servertls.Files{CertFile: t.CertFile, KeyFile: t.KeyFile, ClientCAFile: t.ClientCAFile}
		}
		ls = append(ls, bl)
	}
	return ls
}

func accountsOf(c *config.Config) []auth.Account {
	var as []auth.Account
	for _, t := range c.Tasks {
		for _, g := range t.Groups {
			as = append(as, auth.Account{Account: g.Account, Group: g.ID, Topic: t.Name, Password: g.Password})
		}
	}
	return as
}

// brokerOptions returns what the configuration says of the broker.
func brokerOptions(c *config.Config) broker.Options {
	return broker.Options{
		Listeners:      listenersOf(c),
		MaxConnections: c.Kafka.MaxConnections, MaxPerAddress: c.Kafka.MaxConnectionsPerAddress,
		MaxPerPrincipal: c.Kafka.MaxConnectionsPerGroup, IdleTimeout: time.Duration(c.Kafka.IdleTimeout),
	}
}

func adminOptions(file string, c *config.Config) admin.Options {
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	o := admin.Options{
		Address: c.Admin.Address, Hosts: c.Admin.Hosts,
		ConfigFile: file, DataDir: c.DataDir, Version: release,
	}
	for _, l := range c.Kafka.Listeners {
		shown := admin.Listener{Name: l.Name, Address: l.Address, TLS: l.TLS != nil}
		if l.Advertised != l.Address {
			shown.Advertised = l.Advertised
		}
		o.Listeners = append(o.Listeners, shown)
	}
	if t := c.Admin.TLS; t != nil {
		o.TLS = &servertls.Files{CertFile: t.CertFile, KeyFile: t.KeyFile}
	}
	return o
}

// tokenFiles are the tokens of the configuration file.
func tokenFiles(c *config.Config) []access.File {
	files := []access.File{{Name: config.FirstToken, Role: access.Admin, Path: c.Admin.TokenFile}}
	for _, t := range c.Admin.Tokens {
		files = append(files, access.File{Name: t.Name, Role: access.Role(t.Role), Path: t.File})
	}
	return files
}

// declared are the tasks of the configuration file.
func declared(c *config.Config) ([]task.Options, error) {
	var opts []task.Options
	for i := range c.Tasks {
		definition, err := c.Tasks[i].JSON()
		if err != nil {
			return nil, fmt.Errorf("read task %s: %w", c.Tasks[i].Name, err)
		}
		o := taskOption(c.DataDir, &c.Tasks[i])
		o.Definition = definition
		opts = append(opts, o)
	}
	return opts, nil
}

// compile reads the definition of a task that is created at run time.
func compile(dataDir string) func(json.RawMessage, string) (task.Options, string, error) {
	return func(definition json.RawMessage, password string) (task.Options, string, error) {
		d, err := config.ParseDefinition(definition, password, rules())
		if err != nil {
			return task.Options{}, "", err
		}
		o := taskOption(dataDir, d)
		o.AutoStart = *d.AutoStart
		if o.Definition, err = d.JSON(); err != nil {
			return task.Options{}, "", fmt.Errorf("read task %s: %w", d.Name, err)
		}
		return o, d.Source.EnvPassword, nil
	}
}

func taskOption(dataDir string, t *config.Task) task.Options {
	return task.Options{
		Name:                t.Name,
		Source:              sourceOf(t),
		Start:               startOf(t.Start),
		Include:             t.Objects.Include,
		Exclude:             t.Objects.Exclude,
		SchemaChanges:       schemaChangesOf(t.SchemaChanges),
		ServerID:            serverID(dataDir, t),
		Tombstones:          t.Tombstones,
		IncludeQuery:        t.IncludeQuery,
		StopAtPartialImages: t.PartialImages == "stop",
		CheckDefinitions:    time.Duration(*t.CheckDefinitions),
		WireCompression:     t.WireCompression,
		SkipChecks:          t.SkipChecks,
		Retention:           store.Retention{Age: time.Duration(t.Retention.Age), Bytes: t.Retention.MaxBytes},
		Version:             release,
	}
}

func sourceOf(t *config.Task) binlog.Source {
	tls := t.Source.TLS
	return binlog.Source{
		Address: t.Source.Address, User: t.Source.User, Secret: t.Source.Password,
		AllowCleartext: t.Source.AllowCleartext, PublicKeyFile: t.Source.PublicKeyFile,
		Times: binlog.Times{Away: time.Duration(t.Source.Away)},
		TLS:   binlog.TLSOptions{Mode: binlog.TLSMode(tls.Mode), CAFile: tls.CAFile, CertFile: tls.CertFile, KeyFile: tls.KeyFile},
	}
}

// serverID is the same for a task whenever it runs, and another for any other
// task, data directory or host.
func serverID(dataDir string, t *config.Task) uint32 {
	if t.Source.ServerID != 0 {
		return t.Source.ServerID
	}
	host, _ := os.Hostname() // without one, the directory must do
	if abs, err := filepath.Abs(dataDir); err == nil {
		dataDir = abs
	}
	return binlog.ServerIDFor(host, dataDir, t.Name)
}

func schemaChangesOf(mode string) binlog.SchemaChanges {
	return map[string]binlog.SchemaChanges{
		"instance": binlog.SchemaChangesInstance,
		"objects":  binlog.SchemaChangesObjects,
		"none":     binlog.SchemaChangesNone,
	}[mode]
}

func startOf(s config.Start) binlog.Start {
	mode := map[config.StartKind]binlog.StartMode{
		config.StartNow:      binlog.StartNow,
		config.StartEarliest: binlog.StartEarliest,
		config.StartTime:     binlog.StartTime,
		config.StartGTID:     binlog.StartGTID,
		config.StartFile:     binlog.StartFile,
	}[s.Kind]
	return binlog.Start{Mode: mode, Time: s.Time, GTID: s.GTID, File: s.File, Pos: s.Pos}
}
