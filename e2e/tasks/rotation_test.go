//go:build servers

package tasks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestRotatedPassword changes the password at the source and in the file, or in what a command prints, while the task runs:
// the connection that is open stays, and the next one has the new one. Where the server has it first the
// task is in Error, and goes on by itself.
func TestRotatedPassword(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		for _, from := range []string{"password_file", "password_command"} {
			if from == "password_command" && s.Name != "mysql-8.0" {
				continue // the server sees no difference
			}
			db, conn := s.Database(t)
			conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			file := filepath.Join(t.TempDir(), "secret")
			user, given := "rot"+from[9:10]+db[max(0, len(db)-8):], 0
			write := func() {
				if err := os.WriteFile(file, fmt.Appendf(nil, "Rotated-%d\n", given), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			rotate := func() {
				given++
				if s.Name == "mysql-5.6" || s.Name == "mysql-5.5" {
					conn.Exec(fmt.Sprintf("SET PASSWORD FOR %s@'%%' = PASSWORD('Rotated-%d')", user, given))
				} else {
					conn.Exec(fmt.Sprintf("ALTER USER %s@'%%' IDENTIFIED BY 'Rotated-%d'", user, given))
				}
			}
			conn.Exec("CREATE USER "+user+"@'%' IDENTIFIED BY 'Rotated-0'", "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+user+"@'%'")
			t.Cleanup(func() { s.Connect(t, "").Exec("DROP USER " + user + "@'%'") })
			write()
			proxy := harness.NewProxy(t, s.Address)
			secret := fmt.Sprintf("password_file: %q", file)
			if from == "password_command" {
				secret = fmt.Sprintf("password_command: [cat, %q]", file)
			}
			d := harness.Start(t, harness.Config{Source: proxy.Address(), User: user, Password: secret, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
			d.WaitLog("state=Normal", patience)
			insert(conn, 1)
			wantLog(t, d, 1)

			rotate()
			write()
			insert(conn, 2)
			wantLog(t, d, 1, 2)
			proxy.Cut()
			insert(conn, 3)
			wantLog(t, d, 1, 2, 3)

			rotate()
			proxy.Cut()
			if task := waitState(t, d, "Error"); !strings.Contains(task.Reason, "refuses the login") || strings.Contains(task.Reason, "Rotated") {
				t.Errorf("the error is %q", task.Reason)
			}
			insert(conn, 4)
			write()
			waitState(t, d, "Normal")
			insert(conn, 5)
			wantLog(t, d, 1, 2, 3, 4, 5)
			if strings.Contains(d.Log(), "Rotated-") {
				t.Error("the password is in the log")
			}
		}
	})
}
