package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// commitMode is a way in which the same transactions are committed.
type commitMode struct {
	name     string
	database string
	late     int // XA transactions of a session that are prepared before the first of them is committed; 0: plain
}

var commitModes = []commitMode{
	{name: "plain", database: database + "_plain"},
	{name: "XA, committed right after", database: database + "_xa", late: 1},
	{name: "XA, 100 prepared per session", database: database + "_late", late: 100},
	{name: "XA, 2,500 prepared per session", database: database + "_later", late: 2500},
}

const (
	// each inserts into two tables
	rowsPerTransaction = 3
	// readRounds is how often each mode is read, in turns: the least counts.
	readRounds = 3
	// xaGoal is the most that an XA transaction may cost of a plain one.
	xaGoal = 2
)

// committing is what reading the transactions of one mode takes.
type committing struct {
	Name      string  `json:"name"`
	Micros    float64 `json:"us_per_transaction"`
	CPUMicros float64 `json:"cpu_us_per_transaction"`
}

// readTransactions has the same transactions written in each mode, and reads
// each mode with a Daybook of its own.
func readTransactions(ctx context.Context, o options, dir string) ([]committing, error) {
	logs := make([]*binlog, len(commitModes))
	all := make([]committing, len(commitModes))
	for i, m := range commitModes {
		var err error
		if logs[i], err = m.load(ctx, o.source, o.transactions); err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
		all[i] = committing{Name: m.name, Micros: math.Inf(1), CPUMicros: math.Inf(1)}
	}
	for range readRounds {
		for i, log := range logs {
			r, err := readOnce(ctx, o, dir, log)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", commitModes[i].name, err)
			}
			n := float64(r.Rows) / rowsPerTransaction / 1e6
			all[i].Micros = min(all[i].Micros, r.Seconds/n)
			all[i].CPUMicros = min(all[i].CPUMicros, r.CPUSeconds/n)
		}
	}
	return all, nil
}

// readOnce reads one mode's transactions with an empty data directory.
func readOnce(ctx context.Context, o options, dir string, log *binlog) (rate, error) {
	dir, err := os.MkdirTemp(dir, "transactions-")
	if err != nil {
		return rate{}, err
	}
	d, err := startDaybook(ctx, o, dir, log)
	if err != nil {
		return rate{}, err
	}
	defer d.stop()
	return d.steady(ctx, log.rows)
}

// load writes n transactions, over several connections, and returns their
// stretch of binlog.
func (m *commitMode) load(ctx context.Context, address string, n int) (*binlog, error) {
	c, err := connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, sql := range []string{
		"DROP DATABASE IF EXISTS " + m.database, "CREATE DATABASE " + m.database, "USE " + m.database,
		"CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(200)) CHARACTER SET utf8mb4",
		"CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, item INT, amount DECIMAL(10,2)) CHARACTER SET utf8mb4",
		"FLUSH BINARY LOGS", // a start within a file reads it from its beginning
	} {
		if _, err := c.Execute(sql); err != nil {
			return nil, err
		}
	}
	each := n / connections
	b := &binlog{database: m.database, server: c.GetServerVersion(), rows: each * connections * rowsPerTransaction}
	if b.start, err = position(c); err != nil {
		return nil, err
	}
	var group errgroup.Group
	for i := range connections {
		group.Go(func() error { return m.commit(ctx, address, i*each, each) })
	}
	return b, group.Wait()
}

// commit writes the transactions first to first+n-1.
func (m *commitMode) commit(ctx context.Context, address string, first, n int) error {
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.UseDB(m.database); err != nil {
		return err
	}
	var sql, commits bytes.Buffer
	for i := range n {
		id := first + i
		rows := fmt.Sprintf("INSERT INTO orders VALUES (%d,'some words, to be about as long as an order is, and a few more');"+
			"INSERT INTO items VALUES (%d,%d,1.5),(%d,%d,22.75);", id, 2*id, id%977, 2*id+1, id%1009)
		if m.late == 0 {
			fmt.Fprintf(&sql, "BEGIN;%sCOMMIT;", rows)
		} else {
			xid := fmt.Sprintf("'order-%d'", id)
			fmt.Fprintf(&sql, "XA START %s;%sXA END %s;XA PREPARE %[1]s;", xid, rows, xid)
			fmt.Fprintf(&commits, "XA COMMIT %s;", xid)
		}
		if (i+1)%max(1, m.late) == 0 || i == n-1 {
			_, _ = commits.WriteTo(&sql) // a bytes.Buffer never fails
		}
		if (i+1)%max(m.late, perPacket) == 0 || i == n-1 {
			if err := execute(c, sql.String()); err != nil {
				return err
			}
			sql.Reset()
		}
	}
	return ctx.Err()
}

// steady waits until all rows can be fetched, and measures from when the first
// can: without the start of the process.
func (d *daybook) steady(ctx context.Context, rows int) (r rate, err error) {
	var first int
	var began time.Time
	var cpu float64
	err = d.awaitRows(ctx, rows, func(high int64) (err error) {
		if began.IsZero() && high > 0 {
			first, began = int(high), time.Now()
			cpu, err = d.cpu()
		}
		return err
	})
	if err != nil {
		return r, err
	}
	if first == rows { // too few to leave the start out
		first, began, cpu = 0, d.began, 0
	}
	r = rate{Rows: rows - first, Seconds: time.Since(began).Seconds()}
	r.CPUSeconds, err = d.cpu()
	r.CPUSeconds -= cpu
	return r, err
}
