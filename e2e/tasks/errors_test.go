//go:build servers

package tasks

import (
	"math/rand/v2"
	"testing"
	"time"

	"daybook/access"
	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
	"daybook/store"
)

// TestSavedPositionThatCannotBeRead follows the command of the error.
func TestSavedPositionThatCannotBeRead(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
	d.WaitLog("state=Normal", patience)
	insert(conn, 1)
	wantLog(t, d, 1)
	d.Stop()
	spoil(t, d)
	d.Start()
	follow(t, d)
	insert(conn, 2)
	gaps := wantLog(t, d, 1, 0, 2)
	if gaps[0].Gap.From != "unknown" {
		t.Errorf("the gap is %+v", gaps[0].Gap)
	}
}

// TestSourceThatWasReset follows the command of the error.
func TestSourceThatWasReset(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version)
			db, conn := s.Database(t)
			conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
			d.WaitLog("state=Normal", patience)
			insert(conn, 1)
			wantLog(t, d, 1)
			d.Stop()
			conn.Exec("RESET MASTER")
			insert(conn, 2, 3, 4)
			d.Start()
			follow(t, d)
			insert(conn, 5)
			wantLog(t, d, 1, 0, 2, 3, 4, 5)
		})
	}
}

// spoil saves a position that no reader has made.
func spoil(t *testing.T, d *harness.Daybook) {
	t.Helper()
	st := store.New(store.Options{Dir: d.DataDir()})
	if err := st.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	p, err := st.EnsurePartition(harness.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Append(nil, store.State{Position: []byte("spoilt")}); err != nil {
		t.Fatal(err)
	}
}

// TestRestartIsDoneOnceThroughKills kills the process at random moments after
// a restart was given: whoever took the command does it once, and who did not
// take it does nothing.
func TestRestartIsDoneOnceThroughKills(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
	d.WaitLog("state=Normal", patience)
	insert(conn, 1)
	client := d.Client()
	log := []int{1}
	taken := 0
	for id := 2; id < 17; id++ {
		waitState(t, d, "Normal")
		from := end(conn)
		insert(conn, id)
		log = append(log, id)
		wantLog(t, d, log...)
		result := make(chan error, 1)
		go func() { result <- restart(t, d, from) }()
		time.Sleep(time.Duration(rng.IntN(40_000)) * time.Microsecond)
		d.Kill()
		<-result
		d.Start()
		waitState(t, d, "Normal")
		// A command that was taken is done before the task is in state Normal.
		if oracle.HighWatermark(t, client) > int64(len(log)) {
			taken++
			log = append(log, 0, id)
		}
		wantLog(t, d, log...)
	}
	t.Logf("%d of 15 commands were taken before the kill", taken)
	if taken == 0 {
		t.Error("no command was taken")
	}
}

// restart gives the command; the kill may cut its answer off.
func restart(t *testing.T, d *harness.Daybook, from string) error {
	token, err := access.ReadToken(d.TokenFile())
	if err != nil {
		return err
	}
	c, err := admin.NewClient(admin.ClientOptions{URL: d.AdminURL(), Token: token})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.RestartTask(t.Context(), harness.Topic, admin.RestartRequest{From: from, Force: true})
	return err
}
