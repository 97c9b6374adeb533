package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
	"golang.org/x/sync/errgroup"
)

const (
	user     = "admin"
	password = "admin"
	database = "daybook_bench"
	seed     = 20260131

	connections = 8
	perPacket   = 50 // statements sent at a time, each its own transaction

	// A block is how many row changes are mixed at a time, by statements of one
	// row but for the bulk inserts.
	inserts  = 300
	bulk     = 3
	bulkRows = 100
	updates  = 300
	deletes  = 100
	block    = inserts + bulk*bulkRows + updates + deletes
)

// binlog is what load wrote.
type binlog struct {
	database   string
	server     string // its version
	mariadb    bool
	start, end mysql.Position
	bytes      uint64
	rows       int
}

func connect(ctx context.Context, address string) (*client.Conn, error) {
	return client.ConnectWithContext(ctx, address, user, password, "", 0, func(c *client.Conn) error {
		return c.SetCapability(mysql.CLIENT_MULTI_STATEMENTS)
	})
}

// load makes the tables and the given number of row changes, and returns the
// stretch of binlog with the row changes alone.
func load(ctx context.Context, address string, rows int) (*binlog, error) {
	if rows%block != 0 {
		return nil, fmt.Errorf("%d rows are not a multiple of %d", rows, block)
	}
	c, err := connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, sql := range []string{
		"DROP DATABASE IF EXISTS " + database, "CREATE DATABASE " + database, "USE " + database,
		`CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, customer INT UNSIGNED NOT NULL, status VARCHAR(20) NOT NULL,
			total DECIMAL(10,2), note VARCHAR(200), created DATETIME(6) NOT NULL, updated TIMESTAMP(3) NULL) CHARACTER SET utf8mb4`,
		"CREATE TABLE latency (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(200)) CHARACTER SET utf8mb4",
	} {
		if _, err := c.Execute(sql); err != nil {
			return nil, err
		}
	}
	b := &binlog{database: database, server: c.GetServerVersion(), rows: rows}
	b.mariadb = bytes.Contains([]byte(b.server), []byte("MariaDB"))
	if b.start, err = position(c); err != nil {
		return nil, err
	}
	var group errgroup.Group
	for i := range connections {
		blocks := rows / block / connections
		if i < rows/block%connections {
			blocks++
		}
		group.Go(func() error { return loadBlocks(ctx, address, int64(i), blocks) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if b.end, err = position(c); err != nil {
		return nil, err
	}
	b.bytes, err = size(c, b.start, b.end)
	return b, err
}

func position(c *client.Conn) (mysql.Position, error) {
	r, err := c.Execute("SHOW MASTER STATUS")
	if err != nil {
		return mysql.Position{}, err
	}
	name, err := r.GetString(0, 0)
	if err != nil {
		return mysql.Position{}, err
	}
	pos, err := r.GetUint(0, 1)
	return mysql.Position{Name: name, Pos: uint32(pos)}, err
}

// size returns the bytes between two positions, which may be in different files.
func size(c *client.Conn, start, end mysql.Position) (uint64, error) {
	r, err := c.Execute("SHOW BINARY LOGS")
	if err != nil {
		return 0, err
	}
	total := uint64(end.Pos) - uint64(start.Pos)
	for i := range r.RowNumber() {
		name, err := r.GetString(i, 0)
		if err != nil {
			return 0, err
		}
		if name >= start.Name && name < end.Name {
			n, err := r.GetUint(i, 1)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}

// loader writes the row changes of one connection, on ids of its own.
type loader struct {
	random *rand.Rand
	first  int64 // of its ids
	next   int64 // the next one to insert
	oldest int64 // the next one to delete
	sql    bytes.Buffer
}

func loadBlocks(ctx context.Context, address string, worker int64, blocks int) error {
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.UseDB(database); err != nil {
		return err
	}
	l := &loader{random: rand.New(rand.NewPCG(seed, uint64(worker))), first: worker << 32}
	l.next, l.oldest = l.first, l.first
	kinds := bytes.Repeat([]byte{'i'}, inserts)
	kinds = append(kinds, bytes.Repeat([]byte{'b'}, bulk)...)
	kinds = append(kinds, bytes.Repeat([]byte{'u'}, updates)...)
	kinds = append(kinds, bytes.Repeat([]byte{'d'}, deletes)...)
	for range blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		// The first change of all must be an insert: there is nothing to update yet.
		kinds[0], kinds[bytes.IndexByte(kinds, 'b')] = 'b', kinds[0]
		for i, kind := range kinds {
			l.statement(kind)
			if (i+1)%perPacket == 0 || i == len(kinds)-1 {
				if err := execute(c, l.sql.String()); err != nil {
					return err
				}
				l.sql.Reset()
			}
		}
	}
	return nil
}

// execute runs several statements and returns the first error.
func execute(c *client.Conn, sql string) error {
	var failed error
	r, err := c.ExecuteMultiple(sql, func(_ *mysql.Result, err error) {
		if failed == nil {
			failed = err
		}
	})
	if err != nil {
		return err
	}
	r.Close()
	return failed
}

func (l *loader) statement(kind byte) {
	switch kind {
	case 'i':
		l.insert(1)
	case 'b':
		l.insert(bulkRows)
	case 'u':
		id := l.oldest + l.random.Int64N(l.next-l.oldest)
		fmt.Fprintf(&l.sql, "UPDATE orders SET status='paid', total=total+%d, note='%s', updated=NOW(3) WHERE id=%d;", 1+l.random.IntN(99), l.note(), id)
	case 'd':
		fmt.Fprintf(&l.sql, "DELETE FROM orders WHERE id=%d;", l.oldest)
		l.oldest++
	}
}

func (l *loader) insert(rows int) {
	l.sql.WriteString("INSERT INTO orders VALUES ")
	for i := range rows {
		if i > 0 {
			l.sql.WriteByte(',')
		}
		fmt.Fprintf(&l.sql, "(%d,%d,'%s',%d.%02d,'%s',NOW(6),NULL)", l.next, l.random.Uint32(), "created", l.random.IntN(10000), l.random.IntN(100), l.note())
		l.next++
	}
	l.sql.WriteByte(';')
}

// note returns some words of ASCII and a few of other letters, about 55 bytes.
func (l *loader) note() string {
	words := [...]string{"anvil", "rocket skates", "café", "door", "tomorrow", "parcel", "neighbour", "grün"}
	var b []byte
	for len(b) < 48 {
		b = append(b, words[l.random.IntN(len(words))]...)
		b = strconv.AppendInt(append(b, ' '), int64(l.random.IntN(1000)), 10)
		b = append(b, ' ')
	}
	return string(b)
}

func hostPort(address string) (string, uint16, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return host, uint16(n), err
}
