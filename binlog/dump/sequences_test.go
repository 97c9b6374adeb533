package dump

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestSequences reads a random history of several servers, and compares what is kept of it, saved and loaded
// now and then, with all of it: nothing is known wrong, and nothing that is recent is forgotten.
func TestSequences(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, gap := range []int{1, 2, 50} { // how often another server commits, or a number is left out
		s, all := Sequences{}, map[GTID]bool{}
		var read []GTID
		for seq := uint64(1); seq < 3000; seq++ {
			g := GTID{Domain: 5, Server: uint32(1 + seq/uint64(gap)%3), Seq: seq}
			if random.IntN(gap+1) == 0 {
				continue
			}
			s.add(g)
			all[g] = true
			read = append(read, g)
			if random.IntN(20) > 0 {
				continue
			}
			loaded, err := parseSequences(s.String())
			if err != nil || loaded.String() != s.String() {
				t.Fatalf("%s became %s, %v", s, loaded, err)
			}
			s = loaded
		}
		if text := s.String(); len(text) > 4<<10 {
			t.Errorf("%d bytes are saved", len(text))
		}
		for _, g := range read[len(read)-maxIntervals:] {
			if !s.has(g) {
				t.Errorf("%s is forgotten", &g)
			}
		}
		for seq := uint64(1); seq < 3000; seq++ {
			for server := uint32(1); server <= 3; server++ {
				g := GTID{Domain: 5, Server: server, Seq: seq}
				if known := seq > s[g.by()].floor; s.has(g) != (known && all[g]) {
					t.Fatalf("%s: read %t, told %t, above the floor %t", &g, all[g], s.has(g), known)
				}
			}
		}
		left := s.clone()
		for _, i := range random.Perm(len(read)) {
			left.remove(read[i])
		}
		for o, q := range left {
			if len(q.read) > 0 {
				t.Errorf("of %v %v is left", o, q.read)
			}
		}
	}
}

// TestSequencesAreBounded: by many servers that commit by turns, too.
func TestSequencesAreBounded(t *testing.T) {
	s := Sequences{}
	for seq := range uint64(100_000) {
		s.add(GTID{Domain: 1, Server: uint32(seq * 7 % 1200), Seq: seq + 1})
	}
	intervals := 0
	for _, q := range s {
		intervals += len(q.read)
	}
	if len(s) > maxOrigins || intervals > 2*maxSequences {
		t.Errorf("%d servers, %d intervals", len(s), intervals)
	}
}

// TestSequencesOfOldPositions: they have the last GTID of each server; what was before that is not known.
func TestSequencesOfOldPositions(t *testing.T) {
	s, err := parseSequences("0-1-17,0-2-1")
	if err != nil {
		t.Fatal(err)
	}
	for seq, want := range map[uint64][2]bool{16: {false, false}, 17: {true, false}, 18: {false, true}} {
		g := GTID{Server: 1, Seq: seq}
		if got := [2]bool{s.has(g), g.Seq > s[g.by()].floor && !s.has(g)}; got != want {
			t.Errorf("%s: read, not read: %v in place of %v", &g, got, want)
		}
	}
	if got := s.String(); got != "0-1-16:17,0-2-0:1" {
		t.Errorf("saved as %s", got)
	}
	for _, bad := range []string{"x", "0-1", "0-1-5:", "0-1-5:9-7", "0-1-5:0", fmt.Sprintf("0-1-5:%d", uint64(1)<<63-1)} {
		if s, err := parseSequences(bad); err == nil {
			t.Errorf("%q was read as %s", bad, s)
		}
	}
}
