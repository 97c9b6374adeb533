//go:build servers

package binlog_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"daybook/binlog"
	"daybook/binlog/dump"
)

// TestEventWithoutChecksum has events in a binlog that are a header alone, though checksums end the others: as
// Galera nodes of MariaDB write them when one joins under streaming replication. They are passed over, while reading and at a resume behind them.
func TestEventWithoutChecksum(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			o := options(s, name)
			o.Start, o.SchemaChanges = binlog.Start{Mode: binlog.StartEarliest}, binlog.SchemaChangesNone
			r := open(t, o)
			db.Exec("INSERT INTO t VALUES (1)")
			equal(t, r.take(1), []string{"insert t 1"})
			r.save()
			s.Stop(t)
			header := make([]byte, dump.HeaderSize) // which ends at 0, and is the server's 1
			binary.LittleEndian.PutUint32(header, 1795856824)
			header[4], header[5], header[9], header[17] = byte(dump.EvIgnorable), 1, byte(len(header)), dump.FlagIgnorable
			f, err := os.OpenFile(filepath.Join(s.Data(), "binlog.000001"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(append(header, header...)); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			s.Restart(t)
			db = s.Connect(t, name)
			r.reopen(r.last)
			db.Exec("INSERT INTO t VALUES (2)")
			equal(t, r.take(1), []string{"insert t 2"})
			r.save()
			r.reopen(r.last)
			db.Exec("INSERT INTO t VALUES (3)")
			equal(t, r.take(1), []string{"insert t 3"})
			equal(t, open(t, o).take(3), []string{"insert t 1", "insert t 2", "insert t 3"})
		})
	}
}
