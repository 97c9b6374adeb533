package store_test

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// TestKill kills a process with SIGKILL while it appends records of 10 bytes to 10 MB and
// writes checkpoints, in a real directory. The next one starts and has all that
// was acknowledged.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killedEnv); dir != "" {
		appendUntilKilled(t, dir)
		return
	}
	t.Parallel()
	testKills(t, 3)
}

const killedEnv = "DAYBOOK_TEST_KILLED"

func testKills(t *testing.T, kills int) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 9))
	dir := t.TempDir()
	acknowledged := int64(0)
	for life := range kills {
		acknowledged = max(acknowledged, killOnce(t, dir, rnd))
		acknowledged = wantAcknowledged(t, dir, acknowledged)
		if t.Failed() {
			t.Fatalf("life %d", life)
		}
	}
	t.Logf("%d records", acknowledged)
}

// killOnce starts a process that appends and returns how far it was acknowledged to be
// when it was killed.
func killOnce(t *testing.T, dir string, rnd *rand.Rand) (end int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKill$")
	cmd.Env, cmd.Stderr = append(os.Environ(), killedEnv+"="+dir), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	kill := func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	appends, pause := 1+rnd.IntN(60), time.Duration(rnd.IntN(20))*time.Millisecond
	for n := 0; lines.Scan(); n++ {
		if end, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Errorf("the process says %q", lines.Text())
			break
		}
		if n == appends { // it goes on, also within a write
			time.AfterFunc(pause, kill)
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return end
}

// appendUntilKilled tells the high watermark behind each append.
func appendUntilKilled(t *testing.T, dir string) {
	s := store.New(store.Options{Dir: dir, RetentionBytes: 64 << 20})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := partition(t, s, "shop")
	for {
		end := p.HighWatermark()
		appendBatch(t, p, storetest.Batch(0, killedRecord(end)), store.State{Position: fmt.Append(nil, end+1)})
		if err := s.Table("groups").Put([]byte("group"), fmt.Append(nil, end+1)); err != nil {
			t.Fatal(err)
		}
		fmt.Println(end + 1)
	}
}

// killedRecord is the record at an offset, of 10 bytes to 10 MB.
func killedRecord(offset int64) string {
	seed := [32]byte{byte(offset), byte(offset >> 8), byte(offset >> 16)}
	rnd := rand.New(rand.NewChaCha8(seed))
	size := int(math.Pow(10, 1+6*math.Pow(rnd.Float64(), 2)))
	return fmt.Sprint(offset, " ") + string(noise(rand.NewChaCha8(seed), size))
}

// wantAcknowledged opens the directory and returns how far it goes.
func wantAcknowledged(t *testing.T, dir string, acknowledged int64) int64 {
	t.Helper()
	s := storetest.OpenWith(t, store.Options{Dir: dir, RetentionBytes: 64 << 20})
	defer storetest.Close(t, s)
	p := partition(t, s, "shop")
	end := p.HighWatermark()
	position, _, err := p.Position()
	if err != nil || string(position) != fmt.Sprint(end) || end < acknowledged {
		t.Fatalf("the position is %s, %v, the high watermark %d; acknowledged were %d", position, err, end, acknowledged)
	}
	checkpoint, _, err := s.Table("groups").Get([]byte("group"))
	if got, _ := strconv.ParseInt(string(checkpoint), 10, 64); err != nil || got < acknowledged {
		t.Fatalf("the checkpoint is %s, %v, acknowledged were %d", checkpoint, err, acknowledged)
	}
	for offset := p.LogStartOffset(); offset < end; offset++ {
		b, err := p.Read(nil, offset, 1)
		if err != nil {
			t.Fatal(err)
		}
		for r := range recordbatch.Records(b) {
			if string(r.Value) != killedRecord(r.Offset) {
				t.Fatalf("there is another record at offset %d", r.Offset)
			}
		}
	}
	if err := s.Retain(t.Context()); err != nil { // or each life reads more
		t.Error(err)
	}
	return end
}
