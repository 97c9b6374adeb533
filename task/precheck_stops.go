package task

import (
	"context"
	"errors"
	"fmt"

	"daybook/binlog"
)

// The checks here warn of what can stop a task later, or keep changes out of
// the binlog. What keeps all of them out of it keeps a task from starting.

// sessions looks for sessions that write in another format than the global
// setting says: those that were open when it was changed, and those that chose
// their own.
func (p *prechecker) sessions(ctx context.Context) error {
	const name = "session formats"
	if _, ok := p.vars["binlog_format"]; !ok {
		return nil // ROW always
	}
	// Replicas write nothing, and neither does the check.
	rows, err := p.conn.Query(ctx, "SELECT COUNT(*) FROM performance_schema.variables_by_thread JOIN performance_schema.threads USING (THREAD_ID)"+
		" WHERE VARIABLE_NAME = 'binlog_format' AND VARIABLE_VALUE <> 'ROW' AND PROCESSLIST_ID <> CONNECTION_ID() AND PROCESSLIST_COMMAND NOT LIKE 'Binlog Dump%'")
	switch {
	case err != nil || p.vars["performance_schema"] == "OFF":
		p.pass(name, "cannot be asked here: sessions that were open before binlog_format was ROW keep theirs")
	case rows[0][0].String != "0":
		p.add(name, Warn, rows[0][0].String+" sessions write statements: such a change of a selected table stops the task",
			"have applications reconnect, and set no binlog_format of their own")
	default:
		p.pass(name, "every session writes rows")
	}
	return nil
}

// prepared looks for XA transactions whose rows are in the binlog already, and
// whose end is to come.
func (p *prechecker) prepared(ctx context.Context) error {
	const name = "prepared XA"
	rows, err := p.conn.Query(ctx, "XA RECOVER")
	switch {
	case err != nil && p.mariaDB():
		p.add(name, Warn, "cannot be asked: "+err.Error(), "see yourself that XA RECOVER lists none before the task's first start")
	case err != nil: // MySQL 8 answers who lacks the privilege that data may be inconsistent
		p.add(name, Warn, "cannot be asked without the privilege XA_RECOVER_ADMIN",
			"GRANT XA_RECOVER_ADMIN ON *.* TO "+p.account+", or see yourself that XA RECOVER lists none before the task's first start")
	case len(rows) > 0:
		p.add(name, Warn, fmt.Sprintf("%d prepared XA transactions: the rows of those prepared before the task's first start may be out of its reach, and the commit of such a one stops the task if it changed a selected table", len(rows)),
			"commit them or roll them back (XA RECOVER lists them) before the task's first start")
	default:
		p.pass(name, "none")
	}
	return nil
}

// twoPhaseAlter tells of a setting that Daybook follows.
func (p *prechecker) twoPhaseAlter() {
	if v, ok := p.vars["binlog_alter_two_phase"]; ok {
		p.pass("two-phase ALTER", "binlog_alter_two_phase is "+v+": followed, either way")
	}
}

// completeness looks for changes that the server keeps out of its binlog, or
// may lose again.
func (p *prechecker) completeness(ctx context.Context) error {
	if err := p.ofStatus(ctx); err != nil {
		return err
	}
	if v := p.vars["sync_binlog"]; v == "1" {
		p.pass("binlog sync", "sync_binlog is 1: the binlog outlives a crash of the server")
	} else {
		p.add("binlog sync", Warn, "sync_binlog is "+v+": when its machine crashes, the server may lose transactions that were read already, which stops the task",
			"SET GLOBAL sync_binlog = 1, and set it in my.cnf")
	}
	return nil
}

// filters looks for databases that are left out of the binlog.
func (p *prechecker) filters(ctx context.Context, s *binlog.Status) error {
	const name = "binlog filters"
	filters, err := p.conn.LogFilters(ctx, s)
	if errors.Is(err, binlog.ErrPrivilege) {
		return nil // which has a check of its own
	}
	if err != nil {
		return err
	}
	there, err := databases(ctx, p.conn)
	if err != nil {
		return err
	}
	out, err := binlog.FindLeftOut(p.opts.Include, p.opts.Exclude, s, filters, there)
	switch {
	case err != nil: // the reader tells
	case out.Selected:
		p.fail(name, out.Found, out.Fix)
	case out.Filtered:
		p.add(name, Warn, out.Found, out.Fix)
	default:
		p.pass(name, out.Found)
	}
	return nil
}

// ofStatus are the checks that are done with each connection, too.
func (p *prechecker) ofStatus(ctx context.Context) error {
	status, err := p.conn.Facts(ctx)
	if errors.Is(err, binlog.ErrNoBinlog) {
		return nil // which has a check of its own
	}
	if err == nil {
		err = p.filters(ctx, status)
	}
	if err == nil {
		err = p.replicated(ctx, status)
	}
	return err
}

// replicated looks whether a replica logs what it gets from its own source.
func (p *prechecker) replicated(ctx context.Context, s *binlog.Status) error {
	const name = "replica's binlog"
	switch u, err := p.conn.Unlogged(ctx, s); {
	case err != nil:
		return err
	case u.Replica:
		p.fail(name, u.Found, u.Fix)
	case u.Unseen:
		p.add(name, Warn, u.Found, u.Fix)
	default:
		p.pass(name, u.Found)
	}
	return nil
}

// either asks by the name that a statement had, or by the one that MySQL 8.4
// knows alone.
func (p *prechecker) either(ctx context.Context, old, current string) ([][]binlog.Text, error) {
	rows, err := p.conn.Query(ctx, old)
	if err != nil && !p.mariaDB() {
		return p.conn.Query(ctx, current)
	}
	return rows, err
}

// triggerPrivilege wants the triggers to be visible.
func (p *prechecker) triggerPrivilege(g grants) {
	const name = "privilege TRIGGER"
	if g.global("TRIGGER") && len(g.except("TRIGGER", func(string) bool { return true })) == 0 {
		p.pass(name, "granted on *.*")
		return
	}
	p.add(name, Warn, "not granted on *.* to "+p.opts.Source.User+": triggers cannot be seen, so a statement-format change of a table that is not selected stops the task where a trigger might change one that is",
		"GRANT TRIGGER ON *.* TO "+p.account)
}
