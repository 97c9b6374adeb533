package store_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/klauspost/compress/s2"

	"daybook/store"
	"daybook/store/storetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoldenFormat holds every key and value of a small store. If it fails, the
// format has changed: docs/store-format.md and the format version must, too.
func TestGoldenFormat(t *testing.T) {
	mem := vfs.NewMem()
	var topicIDs []string
	var clusterID string
	synctest.Test(t, func(t *testing.T) { // its clock starts at midnight, 1 January 2000
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
		first := partition(t, s, "first")
		appendBatch(t, first, storetest.Batch(1000, "old"), store.State{})
		time.Sleep(25 * time.Hour)
		appendBatch(t, first, storetest.Batch(3000, strings.Repeat("compressible ", 20)), store.State{
			Position: []byte("position"),
			Schema:   []store.Write{{Key: []byte("table"), Value: []byte("definition")}},
		})
		appendBatch(t, first, storetest.Batch(2000, "a", "b"), store.State{})
		second := partition(t, s, "second")
		appendBatch(t, second, nil, store.State{Position: []byte("only a position")})
		appendBatch(t, partition(t, s, "deleted"), storetest.Batch(1000, "a"), store.State{Position: []byte("p")})
		deletePartition(t, s, "deleted")
		if err := s.Table("groups").Put([]byte("cache"), []byte("17")); err != nil {
			t.Fatal(err)
		}
		clusterID = s.ClusterID()
		for _, p := range s.Partitions() {
			id := p.TopicID()
			topicIDs = append(topicIDs, string(id[:]))
		}
	})

	db, err := pebble.Open("data", &pebble.Options{FS: mem, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	it, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	var out strings.Builder
	for ok := it.First(); ok; ok = it.Next() {
		value := string(masked(t, it.Key()[0], it.Value()))
		for _, random := range append(topicIDs, clusterID) {
			value = strings.ReplaceAll(value, random, strings.Repeat("?", len(random)))
		}
		fmt.Fprintf(&out, "%s%s\n", hex.Dump(it.Key()), indent(hex.Dump([]byte(value))))
	}
	if err := it.Error(); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "format.txt", out.String())
}

// masked undoes S2, whose encoder may differ between machines, and masks
// the sizes that follow from it.
func masked(t *testing.T, kind byte, value []byte) []byte {
	t.Helper()
	value = append([]byte(nil), value...)
	switch kind {
	case 'b':
		if value[0] != 1 {
			t.Fatalf("a batch has encoding %d", value[0])
		}
		plain, err := s2.Decode(nil, value[1:])
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte{1}, plain...)
	case 'i':
		copy(value[28:36], "????????")
	case 'l':
		copy(value[8:16], "????????")
	}
	return value
}

func indent(s string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n\t")
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as in %s (rewrite it with -update):\n%s", file, got)
	}
}
