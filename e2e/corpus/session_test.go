//go:build servers

package corpus

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/servers"
)

// patience is how long one statement may take.
const patience = 3 * time.Second

// session is one connection of a file.
type session struct {
	run  *run
	conn *client.Conn // nil: could not be made again
	db   string
}

func (r *run) connect(db string) *session {
	s := &session{run: r, db: db}
	s.open()
	return s
}

func (s *session) open() {
	s.conn = nil
	conn, err := client.Connect(s.run.server.Address, servers.Admin, servers.Admin, "")
	if err != nil {
		s.run.died(err)
		return
	}
	s.conn = conn
	for _, sql := range []string{"SET NAMES latin1", "USE `" + s.db + "`"} {
		if result, err := conn.Execute(sql); err == nil {
			result.Close()
		}
	}
}

func (s *session) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

// execute runs a statement of the file, which may fail.
func (s *session) execute(sql string) {
	r := s.run
	if isLeftOut(sql) {
		r.count.leftOut++
		return
	}
	sql = strings.ReplaceAll(withoutLocal(sql), "../../std_data/", r.root+"/std_data/")
	if s.conn == nil {
		s.open()
	}
	if s.conn == nil {
		return
	}
	definition := isDefinition(sql)
	if definition {
		if s.conn.IsInTransaction() {
			_ = s.send("COMMIT")
		}
		if r.changed {
			r.sync(false)
		}
	}
	err := s.send(sql)
	r.told(sql, err)
	var refused *mysql.MyError
	if errors.As(err, &refused) && (refused.Code == mysql.ER_ROW_IS_REFERENCED || refused.Code == mysql.ER_ROW_IS_REFERENCED_2) && definition && r.kind.Version < 80000 {
		r.again = true // a table that it left is told again before its next row
	}
	if definition || !readsOnly.MatchString(sql) {
		r.changed = true
	}
	if definition && err == nil {
		r.sync(false)
	}
}

// send sends a statement and reads all its results, for as long as patience.
func (s *session) send(sql string) error {
	var failed error
	_ = s.conn.SetDeadline(time.Now().Add(patience))
	_, err := s.conn.ExecuteMultiple(sql, func(_ *mysql.Result, err error) {
		if err != nil {
			failed = err
		}
	})
	if err == nil {
		err = failed
	}
	var refused *mysql.MyError
	if err == nil || errors.As(err, &refused) {
		_ = s.conn.SetDeadline(time.Time{})
		return err
	}
	s.run.count.late++
	id := s.conn.GetConnectionID()
	_ = s.conn.Conn.Close()
	s.run.kill(id)
	s.open()
	return fmt.Errorf("connection given up: %w", err)
}

// ask returns one value of a query's result, "" if there is none.
func (s *session) ask(sql, column string, row int) string {
	if s.conn == nil || isLeftOut(sql) {
		return ""
	}
	_ = s.conn.SetDeadline(time.Now().Add(patience))
	result, err := s.conn.Execute(sql)
	var refused *mysql.MyError
	if err != nil && !errors.As(err, &refused) {
		s.close()
		s.open()
	}
	if err != nil {
		return ""
	}
	defer result.Close()
	if result.Resultset == nil || row < 1 || row > len(result.Values) {
		return ""
	}
	for i, f := range result.Fields {
		if column == "" || strings.EqualFold(string(f.Name), column) {
			return servers.Text(result.Values[row-1][i])
		}
	}
	return ""
}
