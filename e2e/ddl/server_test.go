//go:build servers

package ddl

import (
	"math/rand/v2"
	"strings"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/e2e/servers"
)

// drawServer returns the options of a line's server.
func drawServer(r random, l line) []string {
	o := append([]string{"--loose-event-scheduler=ON", "--log-bin-trust-function-creators=1", "--lock-wait-timeout=2", "--innodb-lock-wait-timeout=2",
		"--max-binlog-size=1M"}, l.options...)
	draw := func(percent int, name string, values ...string) {
		if r.chance(percent) {
			o = append(o, "--loose-"+name+"="+r.pick(values...))
		}
	}
	charsets := []string{"latin1", "utf8", "utf8mb4", "gbk", "sjis", "cp1251"}
	if l.version != "mysql-5.5" { // whose login a stock client cannot do then
		charsets = append(charsets, "ucs2")
	}
	draw(80, "character-set-server", charsets...)
	draw(60, "explicit-defaults-for-timestamp", "0", "1")
	draw(30, "default-storage-engine", "MyISAM", "InnoDB")
	draw(50, "old-mode", "", "NO_PROGRESS_INFO", "UTF8_IS_UTF8MB3", "ZERO_DATE_TIME_CAST")
	draw(30, "sql-generate-invisible-primary-key", "1")
	draw(50, "innodb-default-row-format", "compact", "redundant", "dynamic")
	draw(20, "innodb-file-per-table", "0")
	draw(20, "innodb-strict-mode", "0", "1")
	draw(20, "binlog-checksum", "NONE")
	draw(20, "binlog-transaction-compression", "ON")
	draw(20, "log-bin-compress", "ON")
	draw(30, "system-versioning-alter-history", "KEEP")
	draw(20, "binlog-rows-query-log-events", "ON")
	draw(20, "binlog-annotate-row-events", "OFF")
	draw(20, "alter-algorithm", "COPY", "INPLACE", "INSTANT")
	if strings.HasPrefix(l.version, "mysql") && r.chance(60) { // GTIDs refuse much
		o = append(o, "--loose-enforce-gtid-consistency=OFF", "--loose-gtid-mode=OFF")
	}
	return o
}

func (w *workload) connect() *client.Conn {
	conn, err := client.Connect(w.server.Address, servers.Admin, servers.Admin, "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Execute("SET NAMES utf8mb4"); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// random is the seeded source of all chance.
type random struct{ *rand.Rand }

func (r random) pick(list ...string) string { return list[r.IntN(len(list))] }

func (r random) chance(percent int) bool { return r.IntN(100) < percent }

// maybe returns s with that chance, else "".
func (r random) maybe(percent int, s string) string {
	if r.chance(percent) {
		return s
	}
	return ""
}

// shuffled returns what is not empty, in any order, between spaces.
func (r random) shuffled(list ...string) string {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return strings.Join(strings.Fields(strings.Join(list, " ")), " ")
}
