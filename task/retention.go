package task

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"daybook/binlog"
)

// minRetention is what Daybook itself keeps: with less, an outage of it could lose what the log would
// still hold.
const minRetention = 24 * time.Hour

// retention tells how long binlogs are kept: what the settings say, and of how old the oldest one is. Services
// purge by rules of their own, which no variable shows.
func (p *prechecker) retention(ctx context.Context) {
	const name = "binlog retention"
	said, kept, hidden := p.saidRetention(ctx)
	oldest, err := binlog.OldestBinlog(ctx, p.opts.Source)
	switch {
	case errors.Is(err, binlog.ErrNotReady):
		p.fail("replication", err.Error(), "see why the node has lost its cluster, or set source.address to another node")
	case err == nil || binlog.IsTransient(err) || errors.Is(err, binlog.ErrPrivilege) || p.vars["server_id"] == "0": // which has a check of its own
	case errors.Is(err, binlog.ErrProxy):
		p.fail("replication", err.Error(), "set source.address to that of the server itself")
	default:
		p.fail("replication", err.Error(), "see that source.address is that of the server itself, not of a proxy, and what its error log says")
	}
	fact, age := "", time.Duration(0)
	if err == nil && oldest.Made.Unix() > 0 { // a Galera node that was set up by SST does not say
		age = max(0, time.Since(oldest.Made))
		fact = fmt.Sprintf("; the oldest, %s, was begun %s ago", oldest.File, hours(age))
	}
	short := kept > 0 && kept < minRetention || kept == 0 && p.of.kept != ""
	purged := fact != "" && oldest.Purged && age < minRetention
	switch {
	case hidden:
		p.add(name, Warn, said+fact, p.of.retention+"; and for this to see it: GRANT SELECT ON mysql.rds_configuration TO "+p.account)
	case short || purged && p.of != ownServer:
		p.add(name, Warn, said+fact, advice(p.of.retention, "keep them 24 hours or more, so that Daybook can catch up after an outage (binlog_expire_logs_seconds, expire_logs_days)"))
	case purged:
		p.add(name, Warn, said+fact+", and those before it are gone", "see who purges them (PURGE BINARY LOGS, RESET MASTER, files deleted): after an outage of Daybook it can catch up with what is there")
	default:
		p.pass(name, said+fact)
	}
}

// hours gives a time as people say it.
func hours(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 72*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// saidRetention says how long binlogs are kept by what the server and its service tell; 0: they do not, or it has
// no end.
// hidden: it is told to accounts that may read mysql.rds_configuration.
func (p *prechecker) saidRetention(ctx context.Context) (said string, kept time.Duration, hidden bool) {
	rows, err := p.conn.Query(ctx, "SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'")
	if err == nil && len(rows) == 1 {
		n, err := strconv.Atoi(rows[0][0].String)
		if rows[0][0].Null || err != nil || n <= 0 {
			return "the service purges binlogs as soon as it can (binlog retention hours is not set)", time.Second, false
		}
		return fmt.Sprintf("binlogs are kept %d h (binlog retention hours)", n), time.Duration(n) * time.Hour, false
	}
	if p.of.setsByCall() && errors.Is(err, binlog.ErrPrivilege) {
		return "binlogs are kept " + p.of.kept + " by " + p.of.name + " unless it was told otherwise, which stands in mysql.rds_configuration, and " + p.opts.Source.User + " may not read that", 0, true
	}
	if p.of.kept != "" {
		return "binlogs are kept " + p.of.kept + " by " + p.of.name + " unless it was told otherwise, whatever the server's variables say", 0, false
	}
	switch kept, ok := p.binlogRetention(); {
	case !ok:
		return "cannot be told on this server", 0, false
	case kept == 0:
		return "binlogs are kept until purged by hand", 0, false
	default:
		return "binlogs are kept " + hours(kept), kept, false
	}
}

// binlogRetention reads MySQL 8's variable, MariaDB 10.6's of the same name,
// or the older one in days.
func (p *prechecker) binlogRetention() (kept time.Duration, ok bool) {
	if s, err := strconv.ParseInt(p.vars["binlog_expire_logs_seconds"], 10, 64); err == nil && s > 0 {
		return time.Duration(s) * time.Second, true
	}
	if d, err := strconv.ParseFloat(p.vars["expire_logs_days"], 64); err == nil {
		return time.Duration(d * float64(24*time.Hour)), true
	}
	_, ok = p.vars["binlog_expire_logs_seconds"]
	return 0, ok
}
