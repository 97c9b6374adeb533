//go:build servers

package converge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"daybook/e2e/charsets"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// TestLiteralsConverge has clients that do not speak UTF-8 write literals whose bytes
// mean something of their own: the topic's consumer, which speaks it, must make the same of them.
func TestLiteralsConverge(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-8.0", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			source, replica := servers.Start(t, version), servers.Start(t, version)
			d := track(t, source, oracle.End(source.Connect(t, "")))
			d.WaitLog("state=Normal", oracle.Patience) // its start reads the definitions, which DDL disturbs
			source.Connect(t, "").Exec("CREATE DATABASE cv CHARACTER SET utf8mb4")
			for _, client := range []struct{ name, letters string }{{"latin1", "éß"}, {"sjis", "表ソ"}, {"gbk", "汉縗"}, {"cp1251", "Жщ"}} {
				literals(t, source, client.name, client.letters)
			}
			replicate(t, d, source, replica)
			a, b := source.Connect(t, ""), replica.Connect(t, "")
			if n := compare(t, a, b); n < 40 {
				t.Errorf("only %d tables", n)
			}
			same(t, a, b)
		})
	}
}

// literals has a client make tables; what a server does not take is left out.
func literals(t *testing.T, source *servers.Server, name, letters string) {
	client := &charsets.Clients[slices.IndexFunc(charsets.Clients, func(c charsets.Client) bool { return c.Name == name })]
	conn := source.Connect(t, "cv")
	conn.Exec("SET NAMES " + name)
	for i, column := range []string{
		"VARCHAR(9) CHARACTER SET latin1 DEFAULT _latin1'%s'", "VARBINARY(9) DEFAULT _latin1'%s'", "VARBINARY(9) DEFAULT _binary '%s'", "VARBINARY(9) DEFAULT _binary 'a' '%s'",
		"VARBINARY(9) DEFAULT '%s'", "VARCHAR(9) CHARACTER SET utf8 DEFAULT _" + name + "'%s'", "VARCHAR(9) CHARACTER SET utf8 DEFAULT N'%s'", `VARBINARY(9) DEFAULT _binary'\'%s\\\n'`,
		"ENUM(_latin1'%s', 'q') CHARACTER SET utf8", "ENUM(_" + name + "'%s', 'q') CHARACTER SET utf8 COMMENT '_latin1''%s'",
		"INT, c INT AS (LENGTH(_latin1'%s')) STORED", "VARCHAR(9), c VARCHAR(9) CHARACTER SET utf8 AS (_latin1'%s') STORED", "VARCHAR(9) COMMENT '%s', `_latin1%s` INT COMMENT '%s'",
		"VARCHAR(9) CHARACTER SET utf8 DEFAULT (_" + name + "'%s')", "VARBINARY(9) DEFAULT /*! _latin1 */ '%s'",
		"VARBINARY(9) DEFAULT _utf8mb4'%s'", "VARBINARY(9) DEFAULT _latin1 X'E9'",
	} {
		table := fmt.Sprintf("%s%d", name, i)
		sql, ok := client.Encode("CREATE TABLE " + table + " (a INT PRIMARY KEY, b " + strings.ReplaceAll(column, "%s", letters) + ")")
		if !ok {
			t.Fatalf("%s lacks a letter of %s", name, letters)
		}
		if err := conn.Try(sql); err != nil {
			t.Logf("%s: %v", column, err)
			continue
		}
		conn.Exec("INSERT INTO " + table + " (a) VALUES (1)")
	}
}
