package dump

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// large returns a set of n intervals.
func large(n int) *GTIDSet {
	var b strings.Builder
	b.WriteString(uuidA)
	for i := range n {
		fmt.Fprintf(&b, ":%d", 1+2*i)
	}
	s, err := ParseGTIDSet(MySQL, b.String())
	if err != nil {
		panic(err)
	}
	return s
}

// TestSaved runs positions through what is saved of them, with the base that was
// saved last, at random points of a random history.
func TestSaved(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, start := range []*GTIDSet{nil, NewGTIDSet(MySQL), large(3), large(smallSet), large(smallSet + 1), large(1000)} {
		p := &Position{Flavor: MySQL, ServerUUID: uuidA, ServerID: 7, File: "binlog.000007", FileMade: 1700000000, Pos: 1 << 33,
			Last: Mark{1<<33 - 100, 12345}, GTIDs: start}
		var base []byte
		bases := 0
		for range 2000 {
			if p.GTIDs != nil {
				k := SID{uuid: [16]byte{byte(random.IntN(3))}}
				g := GroupMark{GTID: GTID{SID: k, GNO: 1 + random.Int64N(3000)}, Micros: random.Int64(), Began: random.Uint32()}
				p.Executed(g)
			}
			if random.IntN(3) > 0 {
				continue
			}
			s, b := p.Save()
			if b != nil {
				base = b
				bases++
			}
			text, err := json.Marshal(&s)
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > 8<<10 {
				t.Fatalf("a saved position of %d bytes", len(text))
			}
			var again SavedPosition
			if err := json.Unmarshal(text, &again); err != nil {
				t.Fatal(err)
			}
			loaded, err := again.Load(base)
			if err != nil {
				t.Fatal(err)
			}
			if p.GTIDs != nil && loaded.GTIDs.String() != p.GTIDs.String() || (p.GTIDs == nil) != (loaded.GTIDs == nil) {
				t.Fatalf("the set\n%s\nbecame\n%s", p.GTIDs, loaded.GTIDs)
			}
			if loaded.LastGroup != p.LastGroup || loaded.Last != p.Last || loaded.File != p.File || loaded.Pos != p.Pos || loaded.FileMade != p.FileMade {
				t.Fatalf("%+v became %+v", p, loaded)
			}
			if again.GTIDBase != 0 {
				if _, err := again.Load(append([]byte(nil), base[1:]...)); !errors.Is(err, ErrSaved) {
					t.Fatalf("with another base: error %v", err)
				}
			}
			if random.IntN(4) == 0 {
				p = loaded // as after a restart
			}
		}
		if bases > 60 {
			t.Errorf("the base was saved %d times in 667 appends", bases)
		}
	}
}

func TestSavedOfVersion1(t *testing.T) {
	var s SavedPosition
	if err := json.Unmarshal([]byte(`{"flavor":"mariadb","server_id":3,"file":"b.000001","pos":400,"gtids":"0-3-17"}`), &s); err != nil {
		t.Fatal(err)
	}
	p, err := s.Load(nil)
	if err != nil || p.GTIDs.String() != "0-3-17" || p.FileMade != 0 || p.String() != "b.000001:400" {
		t.Errorf("%+v, %v", p, err)
	}
}

// BenchmarkSave is what a position costs with each append.
func BenchmarkSave(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("intervals=%d", n), func(b *testing.B) {
			p := &Position{Flavor: MySQL, ServerUUID: uuidA, File: "binlog.000007", Pos: 4, GTIDs: large(n)}
			next := int64(1 << 20)
			written := 0
			b.ReportAllocs()
			for b.Loop() {
				p.Executed(GroupMark{GTID: GTID{SID: SID{uuid: [16]byte{1}}, GNO: next}})
				next++
				s, base := p.Save()
				text, err := json.Marshal(&s)
				if err != nil {
					b.Fatal(err)
				}
				written += len(base) + len(text)
			}
			b.ReportMetric(float64(written)/float64(b.N), "saved-B/op")
		})
	}
}
