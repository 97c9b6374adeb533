//go:build servers

package dump_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
)

func switchesGTIDs(v string) bool { return !mariaDB(v) && v >= "mysql-5.7" }

// modes goes through values of gtid_mode.
func (o *origin) modes(modes ...string) {
	for _, m := range modes {
		o.db.Exec("SET GLOBAL gtid_mode=" + m)
	}
}

// TestAnonymousInTheNextFile: the file that was read to its end is purged, and what follows it has no
// GTIDs. A dump after the GTID set would begin behind that.
func TestAnonymousInTheNextFile(t *testing.T) {
	t.Parallel()
	eachLine(t, switchesGTIDs, func(t *testing.T, v string) {
		o := begin(t, v, true)
		f := follow(t, o.source(nil), o.start())
		o.insert(1, 3)
		f.want(1, 3)
		f.feed.Close()
		file := f.p.File
		o.modes("ON_PERMISSIVE", "OFF_PERMISSIVE")
		o.insert(4, 6)
		o.modes("ON_PERMISSIVE")
		o.insert(7, 8)
		logs := o.db.Query("SHOW BINARY LOGS")
		for i := range logs {
			if logs[i][0] == file {
				o.db.Exec("PURGE BINARY LOGS TO '" + logs[i+1][0] + "'")
			}
		}
		saved := f.saved()
		f = follow(t, o.source(nil), saved)
		f.want(4, 8)
		f.feed.Close()
		o.modes("ON")
		o.insert(9, 9)
		follow(t, o.source(nil), f.saved()).want(9, 9)
		follow(t, o.source(nil), saved).refused(20*time.Second, dump.ErrGTIDMode)
	})
}

// TestAnonymousAfterFailover: a replica in the source's place committed without GTIDs, and with them again.
func TestAnonymousAfterFailover(t *testing.T) {
	t.Parallel()
	eachLine(t, switchesGTIDs, func(t *testing.T, v string) {
		a := begin(t, v, true)
		b := blank(t, v, "--log-slave-updates")
		f := follow(t, a.source(nil), a.start())
		b.Follow(t, a.Server, true)
		a.insert(1, 3)
		b.has(3)
		f.want(1, 3)
		f.feed.Close()
		b.Unfollow(t)
		b.modes("ON_PERMISSIVE", "OFF_PERMISSIVE")
		b.insert(4, 6)
		b.modes("ON_PERMISSIVE")
		b.insert(7, 8)
		b.modes("ON")
		again := follow(t, b.source(nil), f.saved())
		if err := again.until(20*time.Second, func() bool { return len(again.values) > 0 }); err == nil || errors.Is(err, errTimeout) {
			t.Fatalf("read %s, %v", again.values, err)
		} else if !errors.Is(err, dump.ErrGTIDMode) {
			t.Errorf("error %v", err)
		}
	})
}

// TestIndexOutOfOrder: the source lists its binlogs in another order than it wrote them.
func TestIndexOutOfOrder(t *testing.T) {
	t.Parallel()
	o := begin(t, "mysql-8.0", true)
	f := follow(t, o.source(nil), o.start())
	o.insert(1, 2)
	f.want(1, 2)
	f.feed.Close()
	for i := range 3 {
		o.db.Exec("FLUSH LOGS")
		o.insert(3+i, 3+i)
	}
	index := filepath.Join(filepath.Clean(o.Data()), "binlog.index")
	o.Stop(t)
	list, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(string(list))+"\n", "\n")
	swapped := append([]string{lines[0], lines[2], lines[1]}, lines[3:]...)
	if err := os.WriteFile(index, []byte(strings.Join(swapped, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	o.restart()
	first := dump.NewFeed(dump.FeedOptions{Source: o.source(nil), ServerID: dump.RandomServerID()}, nil)
	first.Start(f.saved())
	_, err = first.AwaitFirst(t.Context())
	first.Close()
	if want := fmt.Sprintf("lists %s before %s", "binlog.000003", "binlog.000002"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	o.Stop(t)
	if err := os.WriteFile(index, list, 0o600); err != nil {
		t.Fatal(err)
	}
	o.restart()
	follow(t, o.source(nil), f.saved()).want(3, 5)
}
