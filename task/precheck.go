package task

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"daybook/binlog"
)

// CheckStatus is the outcome of a precheck.
type CheckStatus string

// The outcomes. Warn is told and does not keep a task from starting; Skipped is one that is not
// to be told any more.
const (
	Passed  CheckStatus = "ok"
	Warn    CheckStatus = "warn"
	Skipped CheckStatus = "skipped"
	Fail    CheckStatus = "fail"
)

// Check is the result of one precheck.
type Check struct {
	Name   string      `json:"name"`
	Status CheckStatus `json:"status"`
	Detail string      `json:"detail"`        // what was found
	Fix    string      `json:"fix,omitempty"` // what to do; "" when Passed

	passing bool // it may pass at any moment
}

// ErrPrecheck is wrapped by the error of a source that cannot be tracked.
var ErrPrecheck = errors.New("precheck failed")

// Failed returns an error that lists the failed checks with their fixes, or
// nil if none failed.
func Failed(checks []Check) error {
	var msgs []string
	for _, c := range checks {
		if c.Status == Fail {
			msgs = append(msgs, fmt.Sprintf("%s: %s; to mend it: %s", c.Name, c.Detail, c.Fix))
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	err := fmt.Errorf("%w: %s", ErrPrecheck, strings.Join(msgs, " | "))
	if slices.ContainsFunc(checks, func(c Check) bool { return c.passing }) {
		return passing{err}
	}
	return err
}

// passing marks a failure that may pass at any moment: the source is not there.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// Precheck looks whether the source can be tracked as o says. Checks that
// need what an earlier one found missing are left out.
func Precheck(ctx context.Context, o Options) []Check {
	p := &prechecker{opts: o}
	conn, err := binlog.Dial(ctx, o.Source)
	if !p.connected(err) {
		return p.checks
	}
	defer conn.Close()
	p.conn = conn
	p.encryption()
	p.password()
	for _, check := range []func(context.Context) error{
		p.readVariables, p.connections, p.version, p.binlogSettings, p.serverID, p.privileges, p.completeness, p.sessions, p.prepared, p.unlogged,
	} {
		if err := check(ctx); err != nil {
			p.fail("query", err.Error(), "see that the source stays up and the user may run this statement")
			return p.checks
		}
	}
	return p.checks
}

type prechecker struct {
	opts    Options
	conn    *binlog.Conn
	vars    map[string]string
	of      *service
	account string // as GRANT has it
	checks  []Check
}

func (p *prechecker) pass(name, detail string) { p.add(name, Passed, detail, "") }

func (p *prechecker) fail(name, detail, fix string) { p.add(name, Fail, detail, fix) }

func (p *prechecker) add(name string, s CheckStatus, detail, fix string) {
	p.checks = append(p.checks, Check{Name: name, Status: s, Detail: detail, Fix: fix})
}

func (p *prechecker) connected(err error) bool {
	if err == nil {
		p.pass("server reachable", p.opts.Source.Address)
		p.pass("login", p.opts.Source.User)
		return true
	}
	name, fix := dialFault(err)
	if name != "server reachable" && name != "password" {
		p.pass("server reachable", p.opts.Source.Address)
	}
	p.fail(name, err.Error(), fix)
	p.checks[len(p.checks)-1].passing = !errors.Is(err, binlog.ErrAuth) && mayPass(err)
	return false
}

// dialFault tells which check a failed login belongs to, and what to do about it.
func dialFault(err error) (check, fix string) {
	switch {
	case errors.Is(err, binlog.ErrAuth):
		return "login", "check user and password of the source, and that the user may connect from this host"
	case errors.Is(err, binlog.ErrSecret):
		return "password", "see that password_file can be read and has one, or that password_command gives one within its time"
	case errors.Is(err, binlog.ErrTLS):
		return "encryption", "mend the server's TLS, or the tls settings of the source: mode says what must hold"
	case !errors.Is(err, binlog.ErrUnreachable):
		return "login", "see what the server answers, and its error log"
	}
	return "server reachable", "check source.address, that the server runs, its bind-address, and firewalls between"
}

// encryption tells how the connection is protected.
func (p *prechecker) encryption() {
	const name = "encryption"
	switch v := p.conn.TLSVersion(); {
	case v == 0 && p.conn.TLSFailure() != nil:
		p.add(name, Warn, fmt.Sprintf("none: %v", p.conn.TLSFailure()), "mend the server's TLS, or set tls.mode to disabled")
	case v == 0:
		p.pass(name, "none: the server offers no TLS, or tls.mode is disabled")
	case v < tls.VersionTLS12:
		p.add(name, Warn, tls.VersionName(v)+" is the best that the server can: it has known weaknesses", "use MySQL 8.0 or later, or a build of MySQL 5.7 with OpenSSL; or take another protected way to the source")
	default:
		p.pass(name, tls.VersionName(v))
	}
}

// password tells of one that whoever answered could read. At home that is as usual.
func (p *prechecker) password() {
	if ip := p.conn.RemoteIP(); p.conn.Trusted() && ip != nil && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
		p.add("password", Warn, fmt.Sprintf("it is sent to whatever server answers at %s, which is no private address: neither a certificate nor a key tells who that is", ip),
			"set tls.mode to verify-identity and tls.ca_file; or without TLS, server_public_key_file")
	}
}

func (p *prechecker) readVariables(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, "SHOW GLOBAL VARIABLES")
	if err != nil {
		return err
	}
	p.vars = make(map[string]string, len(rows))
	for _, r := range rows {
		p.vars[strings.ToLower(r[0].String)] = r[1].String
	}
	if rows, err = p.conn.Query(ctx, "SELECT CURRENT_USER()"); err != nil || len(rows) != 1 {
		return err
	}
	p.account = accountOf(rows[0][0].String)
	if p.of = serviceOf(p.opts.Source.Address, p.vars); p.of != ownServer {
		p.pass("service", p.of.name)
	}
	return nil
}

func (p *prechecker) mariaDB() bool {
	_, domain := p.vars["gtid_domain_id"]
	return domain || strings.Contains(strings.ToLower(p.vars["version"]), "mariadb")
}

// version wants MySQL 5.1 or later, the first with row events. MariaDB began with 5.1.
func (p *prechecker) version(context.Context) error {
	v := p.vars["version"]
	var major, minor int
	if _, err := fmt.Sscanf(v, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("read version %q: %w", v, err)
	}
	if major < 5 || major == 5 && minor < 1 {
		p.fail("version", v, "use MySQL 5.1 or later: earlier ones write no row events")
		return nil
	}
	p.pass("version", v)
	return nil
}

func (p *prechecker) binlogSettings(ctx context.Context) error {
	if p.vars["log_bin"] != "ON" {
		p.fail("binlog", "log_bin is OFF", advice(p.of.binlog, "set log_bin (and a server_id) in the server's my.cnf and restart it"))
		return nil
	}
	p.pass("binlog", "log_bin is ON")
	p.wantVariable("binlog format", "binlog_format", "ROW", "SET GLOBAL binlog_format = 'ROW', set it in my.cnf, and have open sessions reconnect")
	if v, ok := p.vars["wsrep_forced_binlog_format"]; ok && v != "NONE" && v != "ROW" {
		p.fail("binlog format", "wsrep_forced_binlog_format is "+v+", and sessions write so", "SET GLOBAL wsrep_forced_binlog_format = 'NONE', and set it in my.cnf")
	}
	p.wantVariable("row image", "binlog_row_image", "FULL", "SET GLOBAL binlog_row_image = 'FULL', set it in my.cnf, and have open sessions reconnect")
	p.logged()
	p.retention(ctx)
	p.tellGTID()
	p.tellMetadata()
	p.twoPhaseAlter()
	return nil
}

// wantVariable wants a value of a variable; servers that do not have the
// variable (MySQL 5.1 and 5.5 no row image, MySQL 10 no format) do it that way always.
func (p *prechecker) wantVariable(name, variable, want, fix string) {
	switch got, ok := p.vars[variable]; {
	case !ok:
		p.pass(name, "always "+want+" on this server")
	case strings.EqualFold(got, want):
		p.pass(name, variable+" is "+want)
	default:
		p.fail(name, variable+" is "+got, p.of.setting(variable, want, fix))
	}
}

// logged looks at the global sql_log_bin that MySQL before 5.6.22 has: what new
// sessions inherit.
func (p *prechecker) logged() {
	const name = "sessions logged"
	switch v, ok := p.vars["sql_log_bin"]; {
	case !ok:
		p.pass(name, "always, unless a session sets sql_log_bin itself")
	case v == "OFF":
		p.fail(name, "sql_log_bin is OFF: nothing that new sessions change is in the binlog", "SET GLOBAL sql_log_bin = 1, and have open sessions reconnect")
	default:
		p.pass(name, "sql_log_bin is ON")
	}
}

func (p *prechecker) tellGTID() {
	mode, ok := p.vars["gtid_mode"]
	switch {
	case p.mariaDB():
		p.tellMariaDBGTID()
	case ok && mode == "ON":
		p.pass("GTID", "gtid_mode is ON: a failover is followed")
	case ok:
		p.add("GTID", Warn, "gtid_mode is "+mode+": file and position are used, a failover to another server is not followed",
			p.of.setting("enforce_gtid_consistency and gtid_mode", "ON", "set gtid_mode = ON and enforce_gtid_consistency = ON to follow failovers"))
	default:
		p.add("GTID", Warn, "this server has no GTIDs: file and position are used, a failover is not followed", "upgrade to MySQL 5.6 or later to follow failovers")
	}
}

func (p *prechecker) tellMetadata() {
	switch got, ok := p.vars["binlog_row_metadata"]; {
	case !ok:
		p.pass("row metadata", "not on this server: the schema history describes the rows")
	case strings.EqualFold(got, "FULL"):
		p.pass("row metadata", "binlog_row_metadata is FULL: each table map is checked against the schema history")
	default:
		p.add("row metadata", Warn, "binlog_row_metadata is "+got+": the schema history describes the rows",
			p.of.setting("binlog_row_metadata", "FULL", "SET GLOBAL binlog_row_metadata = 'FULL' has the server describe them as well"))
	}
}

// serverID wants the replica ID to be another than the source's and than that
// of any connected replica but an earlier connection of this task.
func (p *prechecker) serverID(ctx context.Context) error {
	id := strconv.FormatUint(uint64(p.opts.ServerID), 10)
	const fix = "set source.server_id to a number that no server or replica of this topology uses"
	if p.vars["server_id"] == "0" && !p.mariaDB() {
		p.fail("server ID", "server_id of the source is 0: it sends its binlog to nobody", p.of.setting("server_id", "a number above 0", "SET GLOBAL server_id to a number that no server or replica of its topology has, and set it in my.cnf"))
		return nil
	}
	if p.vars["server_id"] == id {
		p.fail("server ID", id+" is the source's own", fix)
		return nil
	}
	if p.listingReplicasIsDangerous() {
		p.pass("server ID", id+" is not the source's own; replicas are not asked for: it can crash a server of this version")
		return nil
	}
	rows, err := p.either(ctx, "SHOW SLAVE HOSTS", "SHOW REPLICAS")
	switch {
	case errors.Is(err, binlog.ErrPrivilege) && p.mariaDB(): // which the task does not need
		p.pass("server ID", id+" is not the source's own; replicas are not shown without the privilege REPLICATION MASTER ADMIN: one that uses it would be told by the task")
		return nil
	case errors.Is(err, binlog.ErrPrivilege):
		p.add("server ID", Warn, "cannot list the replicas without the privilege REPLICATION SLAVE", "GRANT REPLICATION SLAVE ON *.* TO "+p.account)
		return nil
	case err != nil:
		p.add("server ID", Warn, fmt.Sprintf("cannot list the replicas: %v", err), "see what the server answers, and that no replica uses "+id)
		return nil
	}
	for _, r := range rows {
		if r[0].String == id && r[1].String != binlog.ReplicaHost {
			p.fail("server ID", fmt.Sprintf("%s is used by the replica %s:%s", id, r[1].String, r[2].String), fix)
			return nil
		}
	}
	p.pass("server ID", id+" is free")
	return nil
}

// listingReplicasIsDangerous tells whether SHOW SLAVE HOSTS may crash the
// server: from 5.6 on MySQL reads the UUIDs of connections that have ended
// between their registration and their dump. 8.0.20 mended it.
func (p *prechecker) listingReplicasIsDangerous() bool {
	if p.mariaDB() {
		return false
	}
	var major, minor, patch int
	if n, _ := fmt.Sscanf(p.vars["version"], "%d.%d.%d", &major, &minor, &patch); n != 3 {
		return true
	}
	return major == 5 && minor >= 6 || major == 8 && minor == 0 && patch < 20
}

// Any of these allows to read the binlog, or to ask for its end: MariaDB 10.5
// has other names for the second.
var (
	replicationSlave  = []string{"REPLICATION SLAVE", "REPLICATION REPLICA"}
	replicationClient = []string{"REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"}
)

func (p *prechecker) privileges(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, "SHOW GRANTS")
	if err != nil {
		return err
	}
	g := parseGrants(rows)
	for _, want := range []struct {
		name  string
		anyOf []string
	}{{"REPLICATION SLAVE", replicationSlave}, {"REPLICATION CLIENT", replicationClient}} {
		name := "privilege " + want.name
		if slices.ContainsFunc(want.anyOf, g.global) {
			p.pass(name, "granted")
			continue
		}
		p.fail(name, "not granted to "+p.opts.Source.User, fmt.Sprintf("GRANT %s ON *.* TO %s", want.name, p.account))
	}
	p.triggerPrivilege(g)
	return p.selectPrivilege(ctx, g)
}
