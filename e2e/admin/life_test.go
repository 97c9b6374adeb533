//go:build servers

package admin

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/puppet"
)

// TestGroupLife is a group's life by the command line, with Daybook killed after
// each step: all that was acknowledged is there again.
func TestGroupLife(t *testing.T) {
	t.Parallel()
	d := start(t)
	restart := func() {
		t.Helper()
		d.Kill()
		d.Start()
	}
	_, before := tokenFile(t, d)
	create(t, d, "cli")
	restart()
	if g := show(t, d, "cli"); g.Owner != "store" || g.Username != "app-cli" || g.Checkpoint != nil || g.HighWatermark != records {
		t.Fatalf("after its creation: %+v", g)
	}
	if info, after := tokenFile(t, d); after != before || info.Mode() != 0o600 {
		t.Errorf("after a restart the token file has mode %v, and another token: %v", info.Mode(), after != before)
	}

	first := startKcat(t, d, "cli", harness.Password, "first")
	for offset := range int64(records) {
		first.reads(offset)
	}
	eventually(t, "kcat is active and has committed", func() bool {
		g := show(t, d, "cli")
		return roles(g) == "active subscribe first" && g.Checkpoint != nil && g.Checkpoint.Offset == records && *g.Checkpoint.LagSeconds == 0
	})
	second := startKcat(t, d, "cli", harness.Password, "second")
	var g admin.Group
	eventually(t, "another stands by", func() bool {
		g = show(t, d, "cli")
		return len(g.Consumers) == 2 && g.State == "Stable" && g.Consumers[0].Role == "active" && g.Consumers[1].Role == "standby"
	})
	for _, c := range g.Consumers {
		if !strings.HasPrefix(c.Address, "127.0.0.1:") || c.MemberID == "" || time.Since(c.Since) > time.Minute {
			t.Errorf("%+v", c)
		}
	}
	if said := command(t, d, 6, "reset cli --to-earliest"); !strings.Contains(said, "first at 127.0.0.1:") {
		t.Errorf("the reset of an active group: %s", said)
	}
	if said := command(t, d, 6, "delete cli"); !strings.Contains(said, "second at 127.0.0.1:") {
		t.Errorf("the deletion of an active group: %s", said)
	}
	metrics := d.Metrics()
	for _, line := range []string{
		`daybook_group_members{group="cli",task="shop"} 2`, `daybook_group_standbys{group="cli",task="shop"} 1`,
		`,group="cli",host="127.0.0.1",task="shop"} 1`, `daybook_group_lag_records{group="cli",task="shop"} 0`,
		`daybook_log_high_watermark{task="shop"} 30`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no metric %s in\n%s", line, metrics)
		}
	}

	first.stop()
	second.stop()
	eventually(t, "nobody is left", func() bool { return len(show(t, d, "cli").Consumers) == 0 })
	command(t, d, 0, "reset cli --to-offset 12")
	restart()
	if g := show(t, d, "cli"); g.Checkpoint.Offset != 12 || g.Checkpoint.LagRecords != records-12 || *g.Checkpoint.LagSeconds <= 0 {
		t.Errorf("after the reset: %+v", g.Checkpoint)
	}
	command(t, d, 0, "delete cli")
	restart()
	command(t, d, 5, "show cli")
	create(t, d, "cli")
	if g := show(t, d, "cli"); g.Checkpoint != nil {
		t.Errorf("a new group of the same name has a checkpoint: %+v", g.Checkpoint)
	}
}

// Consumers that assign the partition themselves are shown as such.
func TestAssigningConsumersAreShown(t *testing.T) {
	t.Parallel()
	d := start(t)
	create(t, d, "hands")
	one := puppet.Start(t, d.Address(), "franz-go", puppet.Options{Group: "hands", ClientID: "one"})
	two := puppet.Start(t, d.Address(), "franz-go", puppet.Options{Group: "hands", ClientID: "two"})
	for _, p := range []*puppet.Puppet{one, two} {
		if err := p.Assign(0); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is shown", func() bool {
			if _, err := p.Poll(200*time.Millisecond, records); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(roles(show(t, d, "hands")), p2id(p, one))
		})
	}
	g := show(t, d, "hands")
	if roles(g) != "active assign one, standby assign two" || g.Mode != "assign" || g.State != "Empty" {
		t.Errorf("%s, mode %s, state %s", roles(g), g.Mode, g.State)
	}
	command(t, d, 6, "reset hands --to-latest")
	one.Kill()
	eventually(t, "the standby has taken over", func() bool {
		if _, err := two.Poll(200*time.Millisecond, records); err != nil {
			t.Fatal(err)
		}
		return roles(show(t, d, "hands")) == "active assign two"
	})
	two.Kill()
	eventually(t, "a reset is possible", func() bool {
		_, _, code := d.Run("group", "reset", "hands", "--to-latest")
		return code == 0
	})
}

func p2id(p, one *puppet.Puppet) string {
	if p == one {
		return "active assign one"
	}
	return "standby assign two"
}

func TestPasswordIsChanged(t *testing.T) {
	t.Parallel()
	d := start(t)
	create(t, d, "cli")
	k := startKcat(t, d, "cli", harness.Password, "k")
	k.reads(0)
	said := command(t, d, 0, "set-password cli --generate")
	_, generated, _ := strings.Cut(said, "password: ")
	generated, _, _ = strings.Cut(generated, "\n")
	startKcat(t, d, "cli", harness.Password, "old")
	d.WaitLog("authentication failed", time.Minute)
	startKcat(t, d, "cli", generated, "new")
	eventually(t, "the old connections go on, and the new password is right", func() bool {
		return roles(show(t, d, "cli")) == "active subscribe k, standby subscribe new"
	})
	if strings.Contains(d.Log(), "the login has ended") {
		t.Error("connections were ended")
	}

	command(t, d, 0, "set-password cli --password-env HARNESS_GROUP_PASSWORD --end-connections")
	d.WaitLog("the login has ended", time.Minute)
	// kcat ends when it has no connection left: nothing has to be waited for.
	startKcat(t, d, "cli", harness.Password, "again")
	eventually(t, "those of before are gone", func() bool { return roles(show(t, d, "cli")) == "active subscribe again" })
	if log := d.Log(); strings.Contains(log, generated) || strings.Contains(log, harness.Password) {
		t.Error("the log holds a password")
	}
}

// TestReset goes each way, and has a stock client read from there.
func TestReset(t *testing.T) {
	t.Parallel()
	d := start(t)
	create(t, d, "cli")
	for _, way := range []struct {
		flags string
		to    int64
		said  string
	}{
		{"--to-latest", records, "from none to 30"},
		{"--to-earliest", 0, "from 30 to 0 (30 records come again)"},
		{"--to-offset 20", 20, "from 0 to 20 (20 records are passed over)"},
		{"--shift-by -5", 15, "from 20 to 15"},
		{"--shift-by 5", 20, "from 15 to 20"},
		{"--shift-by -5000", 0, "outside it"},
		{"--to-time 2100-01-01T00:00:00Z", records, "from 0 to 30"},
		{"--to-time 2000-01-01T00:00:00Z", 0, "from 30 to 0"},
		{"--to-offset 4000", records, "outside it"},
		{"--to-offset 7", 7, "from 30 to 7"},
	} {
		from := show(t, d, "cli").Checkpoint
		said := command(t, d, 0, "reset cli --dry-run "+way.flags)
		if !strings.Contains(said, way.said) || !strings.Contains(said, "nothing was changed") {
			t.Errorf("%s --dry-run: %s", way.flags, said)
		}
		if now := show(t, d, "cli").Checkpoint; (now == nil) != (from == nil) || now != nil && now.Offset != from.Offset {
			t.Errorf("%s --dry-run has moved the checkpoint to %+v", way.flags, now)
		}
		if said = command(t, d, 0, "reset cli "+way.flags); !strings.Contains(said, way.said) || strings.Contains(said, "nothing was changed") {
			t.Errorf("%s: %s", way.flags, said)
		}
		if now := show(t, d, "cli").Checkpoint; now == nil || now.Offset != way.to {
			t.Errorf("%s has moved the checkpoint to %+v, want %d", way.flags, now, way.to)
		}
	}
	startKcat(t, d, "cli", harness.Password, "k").reads(7)
}

func TestDeletionByForce(t *testing.T) {
	t.Parallel()
	d := start(t)
	create(t, d, "cli")
	k := startKcat(t, d, "cli", harness.Password, "k")
	k.reads(0)
	command(t, d, 6, "delete cli")
	command(t, d, 0, "delete cli --force")
	command(t, d, 5, "show cli")
	d.WaitLog("the login has ended", time.Minute)
	time.Sleep(2 * time.Second) // in which kcat tries to come back
	if list := command(t, d, 0, "list"); strings.Contains(list, "cli") {
		t.Errorf("the group has come back:\n%s", list)
	}
}

// A group of the configuration file is shown and reset, but not changed.
func TestDeclaredGroup(t *testing.T) {
	t.Parallel()
	d := start(t)
	for _, args := range []string{"set-password cache --generate", "delete cache --force", "create cache --task shop --account app --generate"} {
		if said := command(t, d, 6, args); !strings.Contains(said, "cache") || strings.Contains(args, "create") == strings.Contains(said, d.ConfigPath()) {
			t.Errorf("%s: %s", args, said)
		}
	}
	command(t, d, 0, "reset cache --to-latest")
	if g := show(t, d, "cache"); g.Owner != "file" || g.Checkpoint.Offset != records {
		t.Errorf("%+v", g)
	}
}

// A token file that others may read keeps Daybook from starting.
func TestTokenFileForAll(t *testing.T) {
	t.Parallel()
	d := start(t)
	d.Stop()
	if err := os.Chmod(d.TokenFile(), 0o644); err != nil {
		t.Fatal(err)
	}
	d.Launch()
	if code := d.Wait(); code != 1 || !strings.Contains(d.Log(), "chmod 600") || !strings.Contains(d.Log(), d.TokenFile()) {
		t.Errorf("exit code %d:\n%s", code, d.Log())
	}
	if err := os.Chmod(d.TokenFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Start()
	command(t, d, 0, "list")
	d.Stop()
	if said := command(t, d, 3, "list"); !strings.Contains(said, d.AdminURL()) || !strings.Contains(said, "is 'daybook serve' running there?") {
		t.Errorf("without a server: %s", said)
	}
}

// The password is asked for at a terminal, twice, without echo.
func TestPasswordIsAskedFor(t *testing.T) {
	t.Parallel()
	d := start(t)
	line := fmt.Sprintf("%s group create typed --task shop --account app -c %s", harness.Binary(t), d.ConfigPath())
	cmd := exec.Command("script", "--quiet", "--return", "--command", line, "/dev/null") // Debian's bsdutils; it makes the terminal
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &screen{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, prompt := range []string{"Password: ", "Again: "} {
		eventually(t, "it asks", func() bool { return strings.Contains(out.String(), prompt) })
		time.Sleep(time.Second) // the echo is turned off after the prompt
		fmt.Fprintln(in, harness.Password)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if strings.Contains(out.String(), harness.Password) {
		t.Errorf("the terminal shows %q", out)
	}
	startKcat(t, d, "typed", harness.Password, "k").reads(0)
}

// screen collects what a terminal shows.
type screen struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
