package dump

import (
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
)

const (
	uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	uuidB = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
)

func TestGTIDSetText(t *testing.T) {
	for _, c := range []struct {
		flavor     Flavor
		text, want string // want "-": refused
	}{
		{MySQL, "", ""},
		{MySQL, uuidA + ":1", uuidA + ":1"},
		{MySQL, uuidB + ":1-3,\n" + uuidA + ":5:1-2:3", uuidA + ":1-3:5," + uuidB + ":1-3"},
		{MySQL, uuidA + ":1-5:Tag:1-3:9:other:7", uuidA + ":1-5:other:7:tag:1-3:9"},
		{MySQL, uuidA + ":0-5", "-"},
		{MySQL, uuidA + ":5-3", "-"},
		{MySQL, uuidA, "-"},
		{MySQL, "x:1", "-"},
		{MariaDB, "0-1-7, 2-3-4", "0-1-7,2-3-4"},
		{MariaDB, "0-1-7,0-2-8", "-"},
		{MariaDB, "0-1", "-"},
		{MariaDB, uuidA + ":1", "-"},
	} {
		s, err := ParseGTIDSet(c.flavor, c.text)
		got := "-"
		if err == nil {
			got = s.String()
		}
		if got != c.want {
			t.Errorf("%q becomes %q, want %q (%v)", c.text, got, c.want, err)
		}
	}
}

// TestGTIDSetAdd compares with a plain set of numbers.
func TestGTIDSetAdd(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		s, model := NewGTIDSet(MySQL), map[int64]bool{}
		for range random.IntN(200) {
			n := 1 + random.Int64N(100)
			s.Add(GTID{GNO: n})
			model[n] = true
		}
		for n := range int64(103) {
			if got := s.Contains(GTID{GNO: n}); got != model[n] {
				t.Fatalf("contains %d: %v", n, got)
			}
		}
		list := s.sids[SID{}]
		for i := 1; i < len(list); i++ {
			if list[i-1].stop >= list[i].start {
				t.Fatalf("not disjoint and ordered: %v", list)
			}
		}
		if !s.Clone().ContainsSet(s) || s.IsEmpty() != (len(model) == 0) {
			t.Fatal("a set must contain itself")
		}
	}
}

// TestGTIDSetEncoding compares with another implementation of the same format.
func TestGTIDSetEncoding(t *testing.T) {
	for _, text := range []string{"", uuidA + ":1-5:7", uuidB + ":1," + uuidA + ":2-9", uuidA + ":1-5:tag:1-3:8"} {
		s, err := ParseGTIDSet(MySQL, text)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := mysql.ParseMysqlGTIDSet(text)
		if err != nil {
			t.Fatal(err)
		}
		if want := theirs.Encode(); !slices.Equal(s.Encode(), want) {
			t.Errorf("%q is %x, want %x", text, s.Encode(), want)
		}
		if got, err := DecodeGTIDSet(s.Encode()); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%q comes back as %q: %v", text, got, err)
		}
	}
}

func FuzzGTIDSet(f *testing.F) {
	for _, text := range []string{"", uuidA + ":1-5:7", uuidA + ":1-5:tag:1-3"} {
		s, _ := ParseGTIDSet(MySQL, text)
		f.Add(s.Encode(), text)
	}
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		if s, err := DecodeGTIDSet(b); err == nil {
			again, err := DecodeGTIDSet(s.Encode())
			if err != nil || !reflect.DeepEqual(again, s) {
				t.Errorf("%x becomes %q: %v", b, again, err)
			}
		}
		for _, flavor := range []Flavor{MySQL, MariaDB} {
			if s, err := ParseGTIDSet(flavor, text); err == nil {
				again, err := ParseGTIDSet(flavor, s.String())
				if err != nil || !reflect.DeepEqual(again, s) {
					t.Errorf("%q becomes %q: %v", text, again, err)
				}
			}
		}
	})
}

// TestTaggedGTIDEvent reads the body of an event that MySQL 9.7.4 wrote.
func TestTaggedGTIDEvent(t *testing.T) {
	body, err := hex.DecodeString("027800000002c5029659024a9903b90222c50379027004f103000000020404060a7461675f3108a1090aa9090c7fd37b6056e360061085051283120b")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseTaggedGTID(body)
	if err != nil {
		t.Fatal(err)
	}
	if text := got.GTID.String(); text != "b14b9625-e6ae-11f1-9e38-02fc00000001:tag_1:1" || got.Micros != 1795379383270355 {
		t.Errorf("got %s at %d", text, got.Micros)
	}
}
