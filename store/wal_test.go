package store_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// TestFlippedBitInTheWriteAheadLog flips a bit anywhere in the newest write-ahead
// log, of a Daybook that was killed and of one that was stopped. A start tells, or
// has every record, position and checkpoint that was acknowledged; a repair leads on.
func TestFlippedBitInTheWriteAheadLog(t *testing.T) {
	t.Parallel()
	flipBits(t, 100, 12)
	flipBits(t, 5<<10, 4)
}

// flipBits does so with records of a size.
func flipBits(t *testing.T, size, flips int) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 8))
	for _, stopped := range []bool{false, true} {
		whole := makeNewestLog(t, size, stopped)
		logs := logsOf(t, whole.fs)
		newest := logs[len(logs)-1]
		b := content(t, whole.fs, newest)
		told := 0
		for n := range flips {
			at := rnd.IntN(len(b))
			if n == 0 {
				at = len(b) - 20 // the last write of all
			}
			l := whole.clone(t)
			flipped := append([]byte(nil), b...)
			flipped[at] ^= 1 << rnd.IntN(8)
			put(t, l.fs, newest, flipped)
			if l.startOrRepair(t) {
				told++
			}
			if t.Failed() {
				t.Fatalf("seed %d, records of %d bytes, stopped %v: byte %d of %d of %s", seed, size, stopped, at, len(b), newest)
			}
		}
		t.Logf("seed %d, records of %d bytes, stopped %v: %d of %d flips in %d bytes were told", seed, size, stopped, told, flips, len(b))
		if told < flips/3 {
			t.Errorf("only %d flips were told", told)
		}
	}
}

// TestWriteAheadLogIsGone has the newest write-ahead log cut, emptied, zeroed and removed.
func TestWriteAheadLogIsGone(t *testing.T) {
	for _, kind := range []string{"cut", "emptied", "zeroed", "gone"} {
		whole := makeNewestLog(t, 3000, false)
		logs := logsOf(t, whole.fs)
		damages[kind](t, whole.fs, logs[len(logs)-1], rand.New(rand.NewPCG(3, 1)))
		if !whole.startOrRepair(t) {
			t.Errorf("%s: it is not told", kind)
		}
	}
}

// TestEarlierLogs has writes in three write-ahead logs, since none can be flushed, and
// damages one that others follow.
func TestEarlierLogs(t *testing.T) {
	t.Parallel()
	whole := makeLogs(t)
	logs := logsOf(t, whole.fs)
	if len(logs) < 3 {
		t.Fatalf("there are only %s", logs)
	}
	for _, name := range logs[:len(logs)-1] {
		for kind, damage := range damages {
			l := whole.clone(t)
			damage(t, l.fs, name, rand.New(rand.NewPCG(4, 1)))
			if !l.startOrRepair(t) {
				t.Errorf("%s %s: it is not told", name, kind)
			}
			if t.Failed() {
				t.Fatalf("%s %s", name, kind)
			}
		}
	}
}

// makeLogs appends until there are three logs, and is killed.
func makeLogs(t *testing.T) *newestLog {
	t.Helper()
	flushes := make(chan struct{})
	mem := vfs.NewMem()
	held := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			<-flushes
		}
		return nil
	}))
	l := &newestLog{log: log{fs: vfs.NewMem(), ends: map[string]int64{}}}
	s := store.New(store.Options{Dir: "data", FS: held})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := 0; len(logsOf(t, mem)) < 3; n++ {
		l.appendTo(t, s, 3000, fmt.Sprint(n))
	}
	if _, err := vfs.Clone(mem, l.fs, "data", "data"); err != nil {
		t.Fatal(err)
	}
	close(flushes)
	storetest.Close(t, s)
	return l
}

// TestTornFirstWrite has nothing but a torn write in the newest write-ahead log: the
// starts after that do not take the log for an earlier one that is damaged.
func TestTornFirstWrite(t *testing.T) {
	l := makeNewestLog(t, 100, true)
	for life := range 4 {
		s := store.New(store.Options{Dir: "data", FS: l.fs})
		if err := s.Open(t.Context()); err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
		if life == 2 {
			l.appendTo(t, s, 100, "again")
		}
		killed := vfs.NewMem()
		if _, err := vfs.Clone(l.fs, killed, "data", "data"); err != nil {
			t.Fatal(err)
		}
		storetest.Close(t, s)
		l.fs = killed
		logs := logsOf(t, l.fs)
		newest := logs[len(logs)-1]
		put(t, l.fs, newest, append(content(t, l.fs, newest), noise(rand.NewChaCha8([32]byte{byte(life)}), 1000)...))
	}
	if l.startOrRepair(t) {
		t.Error("it is told as damage")
	}
}

// TestTornEndIsNoDamage has behind the last synced write of a write-ahead log what a
// power loss may leave there: it starts, and has all that was acknowledged.
func TestTornEndIsNoDamage(t *testing.T) {
	rnd := rand.NewChaCha8([32]byte{9})
	tails := map[string]func(whole []byte) []byte{
		"zeros":            func([]byte) []byte { return make([]byte, 100<<10) },
		"noise":            func([]byte) []byte { return noise(rnd, 100<<10) },
		"a log used again": func(whole []byte) []byte { return withLogNumber(whole[len(whole)/2:], 77) },
		"a cut write":      func(whole []byte) []byte { return whole[:50] },
	}
	for name, tail := range tails {
		t.Run(name, func(t *testing.T) {
			l := makeNewestLog(t, 3000, false)
			logs := logsOf(t, l.fs)
			newest := logs[len(logs)-1]
			b := content(t, l.fs, newest)
			put(t, l.fs, newest, append(b, tail(b)...))
			if err := store.Inspect(t.Context(), store.Options{Dir: "data", FS: l.fs}, func(d store.Damage) { t.Errorf("told: %+v", d) }); err != nil {
				t.Error(err)
			}
			if l.startOrRepair(t) {
				t.Error("it is told as damage")
			}
		})
	}
}

// withLogNumber returns a part of a log as if it were of another.
func withLogNumber(b []byte, number byte) []byte {
	b = append([]byte(nil), b...)
	for i := 0; i+11 <= len(b); i++ {
		if b[i+6] >= 9 && b[i+6] <= 12 && b[i+8] == 0 && b[i+9] == 0 && b[i+10] == 0 {
			b[i+7] = number
		}
	}
	return b
}

// newestLog is a directory whose newest writes are in a write-ahead log only.
type newestLog struct {
	log
	checkpoint string
}

// makeNewestLog appends to three topics, restarts, and appends again. A Daybook that
// was killed leaves its log as it is.
func makeNewestLog(t *testing.T, size int, stopped bool) *newestLog {
	t.Helper()
	l := &newestLog{log: log{fs: vfs.NewMem(), ends: map[string]int64{}}}
	for life := range 2 {
		s := store.New(store.Options{Dir: "data", FS: l.fs})
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n := range 20 {
			l.appendTo(t, s, size, fmt.Sprint(life, n))
		}
		killed := vfs.NewMem() // every write is there, and nothing of an orderly end
		if _, err := vfs.Clone(l.fs, killed, "data", "data"); err != nil {
			t.Fatal(err)
		}
		storetest.Close(t, s)
		if life == 1 && !stopped {
			l.fs = killed
		}
	}
	return l
}

// appendTo appends two records of a size to each topic, and writes a checkpoint.
func (l *newestLog) appendTo(t *testing.T, s *store.Store, size int, checkpoint string) {
	t.Helper()
	for _, topic := range damagedTopics {
		p := partition(t, s, topic)
		end := p.HighWatermark()
		var b recordbatch.Builder
		for i := range int64(2) {
			b.Append(end+i, nil, sizedRecord(topic, end+i, size))
		}
		appendBatch(t, p, b.Finish(), store.State{Position: fmt.Append(nil, end+2), Schema: []store.Write{{Key: fmt.Append(nil, end%7), Value: []byte("definition")}}})
		l.ends[topic] = end + 2
	}
	l.checkpoint = checkpoint
	if err := s.Table("groups").Put([]byte("group"), []byte(checkpoint)); err != nil {
		t.Fatal(err)
	}
}

func sizedRecord(topic string, offset int64, size int) []byte {
	return append(recordOf(topic, offset), noise(rand.NewChaCha8([32]byte{byte(offset), topic[0]}), size)...)
}

func logsOf(t *testing.T, fsys vfs.FS) (logs []string) {
	t.Helper()
	for _, name := range files(t, fsys) {
		if strings.HasSuffix(name, ".log") {
			logs = append(logs, "data/"+name)
		}
	}
	return logs
}

func (l *newestLog) clone(t *testing.T) *newestLog {
	t.Helper()
	c := &newestLog{log: log{fs: vfs.NewMem(), ends: l.ends}, checkpoint: l.checkpoint}
	if _, err := vfs.Clone(l.fs, c.fs, "data", "data"); err != nil {
		t.Fatal(err)
	}
	return c
}

// startOrRepair returns false if the start told no damage: then all must be there.
func (l *newestLog) startOrRepair(t *testing.T) (told bool) {
	t.Helper()
	o := store.Options{Dir: "data", FS: l.fs, RecentBytes: 1}
	var damages []store.Damage
	s := store.New(o)
	err := s.Open(t.Context())
	if err != nil {
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), ".log") {
			t.Errorf("open: %v", err)
		}
		before := contents(t, l.fs)
		if err := store.Inspect(t.Context(), o, func(store.Damage) {}); err != nil {
			t.Errorf("inspect: %v", err)
		}
		if !maps.Equal(contents(t, l.fs), before) {
			t.Error("a check has changed the directory")
		}
		if _, err := store.Repair(t.Context(), o, func(d store.Damage) { damages = append(damages, d) }); err != nil {
			t.Errorf("repair: %v", err)
			return true
		}
		if len(damages) == 0 || damages[0].What != store.LostLog {
			t.Errorf("repair tells %+v", damages)
		}
		s = store.New(o)
		if err := s.Open(t.Context()); err != nil {
			t.Errorf("open after the repair: %v", err)
			return true
		}
	}
	defer storetest.Close(t, s)
	has := func(what, topic string) bool {
		for _, d := range damages {
			if d.What == what && d.Topic == topic {
				return true
			}
		}
		return false
	}
	for _, topic := range damagedTopics {
		p := partition(t, s, topic)
		l.readSized(t, p, damages)
		position, _, err := p.Position()
		if has(store.LostState, topic) != errors.Is(err, store.ErrStateLost) {
			t.Errorf("position of %s: %v; %+v", topic, err, damages)
		}
		if len(damages) == 0 && string(position) != fmt.Sprint(l.ends[topic]) {
			t.Errorf("position of %s is %s, was %d", topic, position, l.ends[topic])
		}
	}
	v, _, err2 := s.Table("groups").Get([]byte("group"))
	if err2 != nil || string(v) != l.checkpoint && !has(store.LostTable, "") {
		t.Errorf("checkpoint is %s, %v, was %s; %+v", v, err2, l.checkpoint, damages)
	}
	return err != nil
}

// readSized wants each record that was acknowledged at its offset, or told to be lost,
// and no offset to be given twice.
func (l *newestLog) readSized(t *testing.T, p *store.Partition, damages []store.Damage) {
	t.Helper()
	there := map[int64]bool{}
	if p.Damaged() != nil || p.HighWatermark() < l.ends[p.Topic()] {
		t.Errorf("%s ends at %d, was at %d: %v", p.Topic(), p.HighWatermark(), l.ends[p.Topic()], p.Damaged())
		return
	}
	for offset := p.LogStartOffset(); offset < p.HighWatermark(); {
		b, err := p.Read(nil, offset, 1)
		if err != nil {
			t.Errorf("read %s: %v", p.Topic(), err)
			return
		}
		h, err := recordbatch.Verify(b)
		if err != nil {
			t.Fatal(err)
		}
		for r := range recordbatch.Records(b) {
			there[r.Offset] = true
			size := len(r.Value) - len(recordOf(p.Topic(), r.Offset))
			if string(r.Value) != string(sizedRecord(p.Topic(), r.Offset, size)) {
				t.Errorf("%s has a wrong record at offset %d", p.Topic(), r.Offset)
			}
		}
		offset = h.NextOffset()
	}
	for offset := range l.ends[p.Topic()] {
		lost := false
		for _, d := range damages {
			lost = lost || d.What == store.LostRecords && d.Topic == p.Topic() && offset >= d.From && offset < d.To
		}
		if lost == there[offset] {
			t.Errorf("%s, offset %d: told to be lost %v, is there %v; %+v", p.Topic(), offset, lost, there[offset], damages)
			return
		}
	}
}
