//go:build servers

package exactlyonce

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/e2e/servers"
)

// workload changes rows and tables of one database as its random numbers say,
// and of another one that is not tracked. What it has changed the binlog tells.
type workload struct {
	rng     *rand.Rand
	address string
	db      string
	conn    *client.Conn
	columns int // added to items so far
	present int // of those, still there
	tables  int
}

// setup are the tables that a workload begins with. Those called _nokey have no
// primary key.
func setup(db string) []string {
	const columns = "n INT, note VARCHAR(300), amount DECIMAL(20,4))"
	return []string{
		"CREATE TABLE " + db + ".orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, " + columns,
		"CREATE TABLE " + db + ".items (id BIGINT PRIMARY KEY AUTO_INCREMENT, " + columns,
		"CREATE TABLE " + db + ".log_nokey (" + columns,
		"CREATE DATABASE " + db + "_noise",
		"CREATE TABLE " + db + "_noise.orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, " + columns,
	}
}

// run works until ctx is done. The server may go away at any time: what that
// leaves undone is nobody's loss.
func (w *workload) run(ctx context.Context) {
	for ctx.Err() == nil {
		conn, err := client.Connect(w.address, servers.Admin, servers.Admin, w.db)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		w.conn = conn
		err = w.exec("SET NAMES utf8mb4") // SetCharset takes it for the default, which older servers do not know
		for err == nil && ctx.Err() == nil {
			err = w.step()
			time.Sleep(time.Duration(w.rng.IntN(12)) * time.Millisecond)
		}
		_ = conn.Close()
	}
}

func (w *workload) step() error {
	switch n := w.rng.IntN(200); {
	case n == 0:
		return w.transaction(8, 1500)
	case n < 10:
		return w.ddl()
	case n == 10:
		return w.exec("FLUSH BINARY LOGS")
	case n < 30:
		return w.exec(w.insert(w.db+"_noise.orders", 1+w.rng.IntN(20)))
	case n < 40:
		return w.transaction(3, 300)
	default:
		return w.transaction(1+w.rng.IntN(4), 8)
	}
}

// transaction makes up to statements changes of up to rows rows each, and
// rolls some of them back, or all.
func (w *workload) transaction(statements, rows int) error {
	list := []string{"BEGIN"}
	for i := range statements {
		list = append(list, w.change(1+w.rng.IntN(rows)))
		if w.rng.IntN(6) == 0 {
			save := fmt.Sprint("s", i)
			list = append(list, "SAVEPOINT "+save, w.change(1+w.rng.IntN(rows)), "ROLLBACK TO "+save)
		}
	}
	if w.rng.IntN(10) == 0 {
		return w.exec(append(list, "ROLLBACK")...)
	}
	return w.exec(append(list, "COMMIT")...)
}

// change is a statement that changes up to rows rows.
func (w *workload) change(rows int) string {
	table := []string{"orders", "items", "log_nokey"}[w.rng.IntN(3)]
	switch n := w.rng.IntN(10); {
	case n < 5:
		return w.insert(table, rows)
	case n < 7:
		return fmt.Sprintf("UPDATE %s SET n = n + 1, note = %s WHERE n %% 10 = %d LIMIT %d", table, w.text(), w.rng.IntN(10), rows)
	case n == 7 && table != "log_nokey": // it becomes another row
		return fmt.Sprintf("UPDATE %s SET id = -id WHERE id > 0 ORDER BY id LIMIT %d", table, rows)
	default:
		return fmt.Sprintf("DELETE FROM %s WHERE n %% 10 = %d LIMIT %d", table, w.rng.IntN(10), rows)
	}
}

func (w *workload) insert(table string, rows int) string {
	values := make([]string, rows)
	for i := range values {
		values[i] = fmt.Sprintf("(%d, %s, %d.%04d)", w.rng.Int32(), w.text(), w.rng.IntN(1_000_000), w.rng.IntN(10_000))
	}
	return "INSERT INTO " + table + " (n, note, amount) VALUES " + strings.Join(values, ", ")
}

func (w *workload) text() string {
	if w.rng.IntN(10) == 0 {
		return "NULL"
	}
	return fmt.Sprintf("'%x%s'", w.rng.Uint64(), strings.Repeat("ä", w.rng.IntN(100)))
}

func (w *workload) ddl() error {
	if w.rng.IntN(2) == 0 {
		return w.alter()
	}
	w.tables++
	table, name := fmt.Sprint("t", w.tables), "id INT PRIMARY KEY, note VARCHAR(300), n INT, amount DECIMAL(20,4)"
	if err := w.exec("CREATE TABLE "+table+" ("+name+")", "INSERT INTO "+table+" (id, note) VALUES (1, 'one'), (2, NULL)"); err != nil {
		return err
	}
	renamed := table + "_renamed"
	return w.exec("RENAME TABLE "+table+" TO "+renamed, "UPDATE "+renamed+" SET n = 3", "TRUNCATE TABLE "+renamed,
		"INSERT INTO "+renamed+" (id) VALUES (3)", "DROP TABLE "+renamed)
}

// alter adds a column somewhere in items, or drops the oldest of those added.
func (w *workload) alter() error {
	if w.present > 0 && w.rng.IntN(2) == 0 {
		column := fmt.Sprint("x", w.columns-w.present)
		w.present--
		return w.exec("ALTER TABLE items DROP COLUMN " + column)
	}
	after := []string{"id", "n", "note", "amount"}[w.rng.IntN(4)]
	column := fmt.Sprint("x", w.columns)
	w.columns++
	w.present++
	return w.exec(fmt.Sprintf("ALTER TABLE items ADD COLUMN %s INT DEFAULT %d AFTER %s", column, w.columns, after))
}

// exec stops at the first statement that fails.
func (w *workload) exec(statements ...string) error {
	for _, sql := range statements {
		if _, err := w.conn.Execute(sql); err != nil {
			return fmt.Errorf("%.100s: %w", sql, err)
		}
	}
	return nil
}
