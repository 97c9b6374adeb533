package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// TestRandomOperations does the same random operations on a store and on a
// plain slice, under several options, and compares all that can be asked.
func TestRandomOperations(t *testing.T) {
	t.Parallel()
	options := map[string]store.Options{
		"default":         {},
		"nothing recent":  {RecentBytes: 1},
		"little recent":   {RecentBytes: 3000},
		"short retention": {RetentionAge: 30 * time.Minute, RecentBytes: 3000},
		"size cap":        {RetentionBytes: 5000},
	}
	for name, o := range options {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o.Dir, o.FS = "data", vfs.NewMem()
					m := &model{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), opts: o, tables: map[string]string{}, ids: map[[16]byte]bool{}}
					m.open()
					for range 300 {
						m.step()
					}
					m.compare()
					storetest.Close(t, m.s)
				})
			})
		}
	}
}

type modelRecord struct {
	timestamp int64
	value     []byte
	appended  time.Time
}

type model struct {
	t    *testing.T
	rnd  *rand.Rand
	opts store.Options
	s    *store.Store
	p    *store.Partition

	records  []modelRecord // since the topic was made; index is offset
	start    int64         // the log start that was seen last
	position string
	schema   map[string]string

	tables map[string]string
	ids    map[[16]byte]bool // that topics have had
}

func (m *model) open() {
	m.s = store.New(m.opts)
	if err := m.s.Open(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	if m.p == nil {
		m.make()
		return
	}
	id := m.p.TopicID()
	if m.p = partition(m.t, m.s, "shop"); m.p.TopicID() != id {
		m.t.Errorf("the topic has another ID")
	}
}

// make makes the topic, of which nothing may be there.
func (m *model) make() {
	m.p = partition(m.t, m.s, "shop")
	if id := m.p.TopicID(); m.ids[id] {
		m.t.Errorf("topic ID %x is used again", id)
	}
	m.ids[m.p.TopicID()] = true
	m.records, m.start, m.position, m.schema = nil, 0, "", map[string]string{}
	m.compare()
}

func (m *model) delete() {
	old := m.p
	deletePartition(m.t, m.s, "shop")
	wantDeleted(m.t, old)
	if m.rnd.IntN(2) == 0 {
		storetest.Close(m.t, m.s)
		m.p = nil
		m.open()
		return
	}
	m.make()
}

func (m *model) step() {
	switch n := m.rnd.IntN(100); {
	case n < 50:
		m.append()
	case n < 60:
		m.state(nil, 0)
	case n < 75:
		m.table()
	case n < 85:
		time.Sleep(time.Duration(m.rnd.Int64N(int64(20 * time.Minute))))
	case n < 90:
		m.retain()
	case n < 94:
		m.compare()
	case n < 95:
		m.delete()
	default:
		storetest.Close(m.t, m.s)
		m.open()
	}
}

func (m *model) append() {
	var b recordbatch.Builder
	var added []modelRecord
	for range 1 + m.rnd.IntN(5) {
		r := modelRecord{timestamp: int64(len(m.records)) + m.rnd.Int64N(40), value: randomBytes(m.rnd), appended: time.Now()}
		b.Append(r.timestamp, nil, r.value)
		added = append(added, r)
	}
	changed := m.p.Changed()
	base := m.state(b.Finish(), len(added))
	if base != int64(len(m.records)) {
		m.t.Fatalf("appended at offset %d, want %d", base, len(m.records))
	}
	m.records = append(m.records, added...)
	select {
	case <-changed:
	default:
		m.t.Fatal("an append woke nobody")
	}
}

func (m *model) state(batch []byte, records int) int64 {
	m.position = fmt.Sprintf("%d at %d", m.rnd.Uint64(), len(m.records)+records)
	key, value := fmt.Sprintf("table %d", m.rnd.IntN(4)), fmt.Sprint(m.rnd.Uint64())
	w := store.Write{Key: []byte(key), Value: []byte(value)}
	m.schema[key] = value
	if m.rnd.IntN(3) == 0 {
		w.Value = nil
		delete(m.schema, key)
	}
	return appendBatch(m.t, m.p, batch, store.State{Position: []byte(m.position), Schema: []store.Write{w}})
}

func (m *model) table() {
	table := m.s.Table("groups")
	key, value := fmt.Sprintf("key %d", m.rnd.IntN(5)), fmt.Sprint(m.rnd.Uint64())
	if m.rnd.IntN(3) == 0 {
		delete(m.tables, key)
		if err := table.Delete([]byte(key)); err != nil {
			m.t.Fatal(err)
		}
		return
	}
	m.tables[key] = value
	if err := table.Put([]byte(key), []byte(value)); err != nil {
		m.t.Fatal(err)
	}
}

// retain checks that what is too old goes, that nothing else does, and that
// the log start never goes back.
func (m *model) retain() {
	if err := m.s.Retain(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	m.checkStart()
	if start := m.p.LogStartOffset(); start < int64(len(m.records)) && time.Since(m.records[start].appended) > m.age() {
		m.t.Errorf("offset %d is still there after %v", start, time.Since(m.records[start].appended))
	}
}

func (m *model) age() time.Duration {
	if m.opts.RetentionAge > 0 {
		return m.opts.RetentionAge
	}
	return 24 * time.Hour
}

func (m *model) checkStart() {
	start := m.p.LogStartOffset()
	if start < m.start {
		m.t.Errorf("log start went from %d to %d", m.start, start)
	}
	if start > m.start && m.opts.RetentionBytes == 0 {
		if age := time.Since(m.records[start-1].appended); age < m.age() {
			m.t.Errorf("offset %d is gone after %v", start-1, age)
		}
	}
	m.start = start
}

func (m *model) compare() {
	m.checkStart()
	if hw := m.p.HighWatermark(); hw != int64(len(m.records)) {
		m.t.Fatalf("high watermark %d, want %d", hw, len(m.records))
	}
	m.compareReads()
	m.compareTimes()
	m.compareState()
}

func (m *model) compareReads() {
	if m.start > 0 {
		if _, err := m.p.Read(nil, m.start-1, 1); !errors.Is(err, store.ErrOffsetOutOfRange) {
			m.t.Errorf("read below the log start: %v", err)
		}
	}
	for _, outside := range []int64{m.start - 1, int64(len(m.records))} {
		if _, err := m.p.TimestampAt(outside); !errors.Is(err, store.ErrOffsetOutOfRange) {
			m.t.Errorf("timestamp at offset %d of %d to %d: %v", outside, m.start, len(m.records), err)
		}
	}
	for range 10 {
		if m.start == int64(len(m.records)) {
			return
		}
		offset := m.start + m.rnd.Int64N(int64(len(m.records))-m.start)
		limit := m.rnd.IntN(5000)
		b, err := m.p.Read([]byte("dst"), offset, limit)
		if err != nil {
			m.t.Fatal(err)
		}
		m.compareBatches(bytes.TrimPrefix(b, []byte("dst")), offset, limit)
		if ms, err := m.p.TimestampAt(offset); err != nil || ms != m.records[offset].timestamp {
			m.t.Errorf("timestamp at offset %d is %d, %v; want %d", offset, ms, err, m.records[offset].timestamp)
		}
	}
}

func (m *model) compareBatches(b []byte, offset int64, limit int) {
	all, err := m.p.Size(offset)
	if err != nil || all < len(b) {
		m.t.Errorf("size from offset %d is %d, %d bytes were read, %v", offset, all, len(b), err)
	}
	next, read := offset, 0
	for read < len(b) {
		h, err := recordbatch.Verify(b[read:])
		if err != nil {
			m.t.Fatal(err)
		}
		if read == 0 && (h.BaseOffset > offset || h.NextOffset() <= offset) || read > 0 && (h.BaseOffset != next || read+h.Length > limit) {
			m.t.Fatalf("reading %d bytes from offset %d: batch %+v at byte %d", limit, offset, h, read)
		}
		for r, err := range recordbatch.Records(b[read:]) {
			if err != nil {
				m.t.Fatal(err)
			}
			if w := m.records[r.Offset]; r.Timestamp != w.timestamp || !bytes.Equal(r.Value, w.value) {
				m.t.Fatalf("record at offset %d is not the one that was appended", r.Offset)
			}
		}
		next, read = h.NextOffset(), read+h.Length
	}
	if read == 0 || next == int64(len(m.records)) && all != read {
		m.t.Errorf("read %d bytes from offset %d to %d, size is %d", read, offset, next, all)
	}
}

func (m *model) compareTimes() {
	kept := m.records[m.start:]
	find := func(ms int64) int {
		return slices.IndexFunc(kept, func(r modelRecord) bool { return r.timestamp >= ms })
	}
	for range 20 {
		ms := m.rnd.Int64N(int64(len(m.records)) + 50)
		want := find(ms)
		offset, timestamp, found, err := m.p.OffsetForTime(ms)
		if err != nil || found != (want >= 0) || found && (offset != m.start+int64(want) || timestamp != kept[want].timestamp) {
			m.t.Errorf("time %d is at offset %d (%d, %v, %v), want %d", ms, offset, timestamp, found, err, m.start+int64(want))
		}
	}
	offset, timestamp, found, err := m.p.MaxTimestamp()
	if err != nil || found != (len(kept) > 0) {
		m.t.Fatalf("latest time: %v, %v", found, err)
	}
	if found {
		latest := slices.MaxFunc(kept, func(a, b modelRecord) int { return int(a.timestamp - b.timestamp) }).timestamp
		if timestamp != latest || offset != m.start+int64(find(latest)) {
			m.t.Errorf("latest time is %d at offset %d, want %d at %d", timestamp, offset, latest, m.start+int64(find(latest)))
		}
	}
}

func (m *model) compareState() {
	if pos, ok, err := m.p.Position(); err != nil || ok != (m.position != "") || string(pos) != m.position {
		m.t.Errorf("position %q, %v, %v, want %q", pos, ok, err, m.position)
	}
	compareMap(m.t, "schema", m.p.Schema(), m.schema)
	for i := range 5 { // one more than there are
		key := fmt.Sprintf("table %d", i)
		want, there := m.schema[key]
		if got, ok, err := m.p.SchemaValue([]byte(key)); err != nil || ok != there || string(got) != want {
			m.t.Errorf("schema entry %s is %q, %v, %v, want %q, %v", key, got, ok, err, want, there)
		}
	}
	compareMap(m.t, "table", m.s.Table("groups").Scan(nil), m.tables)
	m.compareBack()
	for key, value := range m.tables {
		if got, ok, err := m.s.Table("groups").Get([]byte(key)); err != nil || !ok || string(got) != value {
			m.t.Errorf("%s is %q, %v, %v, want %q", key, got, ok, err, value)
		}
	}
}

// compareBack reads a part of the table from its end.
func (m *model) compareBack() {
	keys := slices.Sorted(maps.Keys(m.tables))
	from, below := 0, len(keys)
	if len(keys) > 1 {
		from, below = len(keys)/3, len(keys)-1
	}
	want, end := keys[from:below], []byte{0xff, 0xff}
	if below < len(keys) {
		end = []byte(keys[below])
	}
	var begin []byte
	if from > 0 {
		begin = []byte(keys[from])
	}
	var got []string
	for kv, err := range m.s.Table("groups").Back(begin, end) {
		if err != nil || string(kv.Value) != m.tables[string(kv.Key)] {
			m.t.Errorf("backwards, the table has %q = %q, %v", kv.Key, kv.Value, err)
		}
		got = append(got, string(kv.Key))
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		m.t.Errorf("backwards, the table has %q, want %q", got, want)
	}
}

func compareMap(t *testing.T, what string, got func(func(store.KV, error) bool), want map[string]string) {
	t.Helper()
	last, n := "", 0
	for kv, err := range got {
		if err != nil {
			t.Fatal(err)
		}
		if string(kv.Key) <= last || want[string(kv.Key)] != string(kv.Value) {
			t.Errorf("%s has %q = %q after %q, want %q", what, kv.Key, kv.Value, last, want[string(kv.Key)])
		}
		last, n = string(kv.Key), n+1
	}
	if n != len(want) {
		t.Errorf("%s has %d keys, want %d", what, n, len(want))
	}
}

// randomBytes is sometimes long, sometimes like text, sometimes nothing that
// can be compressed.
func randomBytes(rnd *rand.Rand) []byte {
	b := make([]byte, 1+rnd.IntN(1<<rnd.IntN(11)))
	repeat := 1 + rnd.IntN(50)
	for i := range b {
		if i%repeat == 0 {
			b[i] = byte(rnd.Uint32())
		}
	}
	return b
}
