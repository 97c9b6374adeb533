//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/servers"
)

// TestLocales has a session for each lc_time_names that a server knows: the binlog has
// a number, and the record the name that the server gives to it.
func TestLocales(t *testing.T) {
	const most = "mariadb-11.8" // it knows all that any server does
	var names []string          // by their numbers
	for db := servers.Get(t, most).Connect(t, ""); db.Try(fmt.Sprintf("SET lc_time_names = %d", len(names))) == nil; {
		names = append(names, db.Query("SELECT @@lc_time_names")[0][0])
	}
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.4", most} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			known := 0
			for number, locale := range names {
				err := db.Try(fmt.Sprintf("SET lc_time_names = %d", number))
				var refused *mysql.MyError
				if errors.As(err, &refused) && refused.Code == mysql.ER_WRONG_VALUE_FOR_VAR { // it lacks the language's messages
					err = db.Try("SET lc_time_names = '" + locale + "'")
				}
				if errors.As(err, &refused) && refused.Code == mysql.ER_UNKNOWN_LOCALE {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				known++
				want := db.Query("SELECT @@lc_time_names")[0][0]
				if number == 0 {
					want = "" // the default
				}
				db.Exec(fmt.Sprintf("CREATE TABLE t%d (a INT)", number))
				if got := r.nextChange().DDL.Session.LCTimeNames; got != want {
					t.Errorf("%d is told as %q and is %q", number, got, want)
				}
			}
			if known < 110 {
				t.Errorf("the server knows only %d of %d", known, len(names))
			}
		})
	}
}
