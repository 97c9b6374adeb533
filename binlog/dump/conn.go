package dump

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"daybook/binlog/schema"
)

// Conn is one connection to the source. It belongs to one goroutine; Close may
// be called from any. Whatever it asks has a deadline, and an exchange that was
// cut short leaves it broken: every later call returns the same error.
type Conn struct {
	source Source
	times  Times
	raw    net.Conn      // as the network gave it
	net    net.Conn      // raw, or TLS over it
	in     *bufio.Reader // of answers; a dump is read from net
	seq    byte          // of the next packet
	secret secret        // of the login
	since  time.Time
	self   identity
	noTLS  error
	asked  question
	broken error
}

// Text is one value of a query's result, as text.
type Text = schema.Text

// Dial connects and logs in.
func Dial(ctx context.Context, s Source) (*Conn, error) {
	config, err := s.TLS.config(s.Address)
	if err != nil {
		return nil, err
	}
	password, err := s.password(ctx)
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, s, password, config)
	if err == nil || !s.TLS.optional() || !errors.Is(err, ErrTLS) {
		return c, err
	}
	plain, second := dial(ctx, s, password, nil)
	if second != nil {
		return nil, second
	}
	plain.noTLS = err
	return plain, nil
}

func dial(ctx context.Context, s Source, password string, config *tls.Config) (*Conn, error) {
	times, since := s.Times.withDefaults(), time.Now()
	open := s.Dial
	if open == nil {
		open = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext(ctx, "tcp", address)
		}
	}
	within, cancel := context.WithTimeout(ctx, times.Login)
	defer cancel()
	raw, err := open(within, s.Address)
	if err != nil {
		if within.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("no answer within %s: %w", times.Login, err)
		}
		return nil, Transient(fmt.Errorf("%w: connect to %s: %w; check the address, and that the server runs and listens there", ErrUnreachable, s.Address, err))
	}
	limitUnacknowledged(raw)
	c := &Conn{source: s, times: times, raw: raw, net: raw, since: since, secret: secret{password: password}}
	c.in = bufio.NewReader(answers{c})
	if err := c.ask(ctx, fmt.Sprintf("log in to %s as %s", s.Address, s.User), times.Login, func() error { return c.login(config) }); err != nil {
		_ = raw.Close()
		if errors.Is(err, ErrAuth) && c.TLSVersion() == 0 {
			err = fmt.Errorf("%w; the connection is not encrypted, which the server's require_secure_transport or the account (REQUIRE SSL) may want", err)
		}
		return nil, err
	}
	if err := c.settle(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// Close closes the network connection at once, whatever is going on.
func (c *Conn) Close() error { return c.raw.Close() }

// TLSVersion returns the version of TLS in use, as crypto/tls numbers them; 0
// if the connection is not encrypted.
func (c *Conn) TLSVersion() uint16 {
	if t, ok := c.net.(*tls.Conn); ok {
		return t.ConnectionState().Version
	}
	return 0
}

// TLSFailure returns why a server that offers TLS is talked to without it; nil
// if it is not.
func (c *Conn) TLSFailure() error { return c.noTLS }

// value returns the one value that sql selects, "" if there is none.
func (c *Conn) value(ctx context.Context, sql string) (string, error) {
	rows, err := c.Query(ctx, sql)
	if err != nil || len(rows) == 0 || len(rows[0]) == 0 {
		return "", err
	}
	return rows[0][0].String, nil
}

// variables returns global variables by name; those that the server does not
// have are not in the map.
func (c *Conn) variables(ctx context.Context, names ...string) (map[string]string, error) {
	rows, err := c.Query(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('"+strings.Join(names, "','")+"')")
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, len(rows))
	for _, row := range rows {
		m[strings.ToLower(row[0].String)] = row[1].String
	}
	return m, nil
}

// Flavor names the family of a server.
type Flavor string

// The flavors; Percona Server and the like are MySQL.
const (
	MySQL   Flavor = "mysql"
	MariaDB Flavor = "mariadb"
)

// Status is what a server says about itself and the end of its binlog.
type Status struct {
	Flavor              Flavor
	Version             int    // as in versioned comments: 50622, 80031, 101106
	VersionText         string // as the server writes it
	ServerID            uint32
	ServerUUID          string // "" on MariaDB and MySQL before 5.6
	Node                Node   // of a MariaDB Galera cluster
	BinlogFormat        string
	Checksum            string // binlog_checksum; "" where the server has none
	GTIDMode            string // MySQL's gtid_mode; "ON" on MariaDB from 10.0.2
	LowerCaseTableNames int
	Charset             string         // character_set_server
	Engine              string         // default_storage_engine
	Collations          map[int]string // names by ID; of a feed's connections that was asked for them
	ImplicitKeys        bool           // it is one of ApsaraDB's, which may give tables a hidden key
	Variables           map[string]string
	File                string // end of the binlog
	Pos                 uint64
	GTIDSet             string // executed up to that end; "" if none or not on
}

// Status asks the server about itself. It needs REPLICATION CLIENT.
func (c *Conn) Status(ctx context.Context) (*Status, error) {
	s, err := c.Facts(ctx)
	if err != nil {
		return nil, err
	}
	return s, c.ReadEnd(ctx, s)
}

// Facts asks for everything but the end of the binlog.
func (c *Conn) Facts(ctx context.Context) (*Status, error) {
	v, err := c.variables(ctx, append(nodeVariables[:len(nodeVariables):len(nodeVariables)], "version", "version_comment", "server_id", "server_uuid", "log_bin", "binlog_format", "binlog_checksum",
		"gtid_mode", "old_mode", "lower_case_table_names", "character_set_server", "explicit_defaults_for_timestamp",
		"binlog_row_image", "binlog_row_metadata", "gtid_domain_id", "sql_mode", "default_storage_engine", "storage_engine",
		"innodb_native_foreign_keys", "log_slave_updates", "log_replica_updates")...)
	if err != nil {
		return nil, err
	}
	s := &Status{
		Flavor: MySQL, VersionText: v["version"], ServerUUID: v["server_uuid"], BinlogFormat: v["binlog_format"],
		Checksum: v["binlog_checksum"], GTIDMode: v["gtid_mode"], Charset: v["character_set_server"], Variables: v,
		Engine: cmp.Or(v["default_storage_engine"], v["storage_engine"]),
	}
	s.Version = versionNumber(s.VersionText)
	if _, maria := v["gtid_domain_id"]; maria || strings.Contains(strings.ToLower(s.VersionText), "mariadb") {
		s.Flavor, s.ServerUUID = MariaDB, ""
		if s.Version >= 100002 {
			s.GTIDMode = "ON"
		}
	}
	if s.Flavor == MySQL {
		own, err := c.Query(ctx, apsaraVariables)
		if err != nil {
			return nil, err
		}
		s.ImplicitKeys = len(own) > 0
	}
	id, _ := strconv.ParseUint(v["server_id"], 10, 32)
	s.ServerID = uint32(id)
	s.LowerCaseTableNames, _ = strconv.Atoi(v["lower_case_table_names"])
	if v["log_bin"] == "OFF" {
		return nil, fmt.Errorf("%w: log_bin is OFF; set log_bin, server_id and binlog_format=ROW in the source's configuration and restart it", ErrNoBinlog)
	}
	if s.Flavor == MariaDB {
		s.Node, err = c.node(ctx, s)
	}
	return s, err
}

// apsaraVariables shows those that ApsaraDB RDS alone has, and, by another name of this kind, not Huawei's.
const apsaraVariables = `SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'rds\_%' AND Variable_name <> 'rds_global_sql_log_bin'`

// collations returns the names of the server's collations by ID.
func (c *Conn) collations(ctx context.Context, s *Status) (map[int]string, error) {
	list := "SELECT ID, COLLATION_NAME FROM information_schema.COLLATIONS"
	if s.Flavor == MariaDB && s.Version >= 101001 { // from which on some are for several charsets
		list = "SELECT ID, FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
	}
	rows, err := c.Query(ctx, list)
	if err != nil {
		return nil, err
	}
	names := make(map[int]string, len(rows))
	for _, row := range rows {
		if id, err := strconv.Atoi(row[0].String); err == nil {
			names[id] = row[1].String
		}
	}
	return names, nil
}

// ReadEnd fills in the end of the binlog.
func (c *Conn) ReadEnd(ctx context.Context, s *Status) error {
	row, err := c.binlogStatus(ctx, s)
	if err != nil {
		return err
	}
	s.File = row[0].String
	if s.Pos, err = strconv.ParseUint(row[1].String, 10, 64); err != nil {
		return fmt.Errorf("read the end of the binlog: %w", err)
	}
	s.GTIDSet = ""
	if !s.UsesGTID() {
		return nil
	}
	if s.Flavor == MariaDB {
		// @@gtid_binlog_pos may be ahead of File and Pos by now.
		s.GTIDSet, err = c.gtidSetAt(ctx, s.File, s.Pos)
		return err
	}
	if len(row) > 4 {
		s.GTIDSet = strings.ReplaceAll(row[4].String, "\n", "")
	}
	return nil
}

// gtidSetAt asks MariaDB for the GTID position at a place in its binlog.
func (c *Conn) gtidSetAt(ctx context.Context, file string, pos uint64) (string, error) {
	return c.value(ctx, fmt.Sprintf("SELECT BINLOG_GTID_POS('%s', %d)", strings.ReplaceAll(file, "'", "''"), pos))
}

// UsesGTID tells whether the server can be asked to go on after a GTID set.
func (s *Status) UsesGTID() bool { return s.GTIDMode == "ON" }

// versionNumber reads 8.0.31-log as 80031 and 10.11.6-MariaDB as 101106.
// MariaDB 10 and later once told old replicas 5.5.5-10.… .
func versionNumber(text string) int {
	text = strings.TrimPrefix(text, "5.5.5-")
	var n [3]int
	for i := range n {
		end := 0
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		n[i], _ = strconv.Atoi(text[:end])
		if text = text[end:]; text == "" || text[0] != '.' {
			break
		}
		text = text[1:]
	}
	return n[0]*10000 + n[1]*100 + n[2]
}

// BinaryLogs returns the names of the source's binlog files that it can open,
// oldest first.
func (c *Conn) BinaryLogs(ctx context.Context) ([]string, error) {
	logs, err := c.binaryLogs(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range logs {
		if !l.gone() {
			names = append(names, l.name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrPurged, errNoFile)
	}
	return names, nil
}

// binaryLog is a binlog file as it is listed.
type binaryLog struct {
	name string
	size uint64
}

func (c *Conn) binaryLogs(ctx context.Context) ([]binaryLog, error) {
	rows, err := c.Query(ctx, "SHOW BINARY LOGS")
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: SHOW BINARY LOGS is empty", ErrNoBinlog)
	}
	logs := make([]binaryLog, len(rows))
	for i, row := range rows {
		logs[i].name = row[0].String
		logs[i].size, _ = strconv.ParseUint(row[1].String, 10, 64)
	}
	return logs, nil
}
