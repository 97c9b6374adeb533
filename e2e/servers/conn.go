package servers

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
)

// Conn is one connection to a server. A statement that fails fails the test.
type Conn struct {
	t    *testing.T
	conn *client.Conn
}

// Connect connects as admin; database "" selects none. The connection is
// closed when the test ends.
func (s *Server) Connect(t *testing.T, database string) *Conn {
	t.Helper()
	conn, err := client.Connect(s.Address, Admin, Admin, database)
	if err != nil {
		t.Fatalf("connect to %s at %s: %v", s.Name, s.Address, err)
	}
	// SetCharset would do nothing: it takes utf8mb4 for the default, by the ID of a
	// collation that only MySQL 8 has, and other servers fall back to latin1.
	if _, err := conn.Execute("SET NAMES utf8mb4"); err != nil {
		t.Fatalf("set character set: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &Conn{t, conn}
	if s.dir != "" {
		s.conns = append(s.conns, c)
	}
	return c
}

var notWord = regexp.MustCompile(`\W+`)

// Database creates a database of a name that no other test has, and drops it
// when the test ends, unless the server is the test's own. The connection has it
// selected.
func (s *Server) Database(t *testing.T) (name string, conn *Conn) {
	t.Helper()
	conn = s.Connect(t, "")
	test := strings.ToLower(notWord.ReplaceAllString(t.Name(), "_"))
	name = fmt.Sprintf("%.40s_%08x", test, rand.Uint32())
	conn.Exec("CREATE DATABASE `" + name + "`")
	if s.dir == "" {
		t.Cleanup(func() { conn.Exec("DROP DATABASE IF EXISTS `" + name + "`") })
	}
	conn.Exec("USE `" + name + "`")
	return name, conn
}

// Close ends the connection before the test's end.
func (c *Conn) Close() { _ = c.conn.Close() }

// Exec runs each statement.
func (c *Conn) Exec(statements ...string) {
	c.t.Helper()
	for _, sql := range statements {
		if err := c.Try(sql); err != nil {
			c.t.Fatal(err)
		}
	}
}

// Try runs a statement that may fail.
func (c *Conn) Try(sql string) error {
	result, err := c.conn.Execute(sql)
	if err != nil {
		return fmt.Errorf("%.200s: %w", sql, err)
	}
	result.Close()
	return nil
}

// Query returns the rows of a query as text, "NULL" for null.
func (c *Conn) Query(sql string) [][]string {
	c.t.Helper()
	rows, err := c.TryQuery(sql)
	if err != nil {
		c.t.Fatal(err)
	}
	return rows
}

// TryQuery is a Query that may fail.
func (c *Conn) TryQuery(sql string) ([][]string, error) {
	result, err := c.conn.Execute(sql)
	if err != nil {
		return nil, fmt.Errorf("%.500s: %w", sql, err)
	}
	defer result.Close()
	return Rows(result), nil
}

// ID is the server's number of the connection.
func (c *Conn) ID() uint32 { return c.conn.GetConnectionID() }

// Rows returns the rows of a result as text, "NULL" for null; none if it has no rows.
func Rows(result *mysql.Result) [][]string {
	if result.Resultset == nil {
		return nil
	}
	rows := make([][]string, len(result.Values))
	for i, values := range result.Values {
		for _, v := range values {
			rows[i] = append(rows[i], Text(v))
		}
	}
	return rows
}

// Text returns a value as text, "NULL" for null.
func Text(v mysql.FieldValue) string {
	switch value := v.Value().(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(value)
	default:
		return fmt.Sprint(value)
	}
}

// QuoteName returns a name as it can stand in each sql_mode.
func QuoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
