package admin_test

import (
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/store"
	"daybook/store/storetest"
)

// TestStatus looks at what a server says of itself on a real directory.
func TestStatus(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, storetest.OpenWith(t, store.Options{Dir: dir, RetentionBytes: 1 << 40}), func(o *admin.Options) {
		o.DataDir, o.Listeners = dir, []admin.Listener{{Name: "network", Address: "0.0.0.0:9093", Advertised: "daybook.example.com:9093", TLS: true}}
	})
	p, err := s.o.Store.EnsurePartition(topic)
	must(t, err)
	_, err = p.Append(storetest.Batch(0, "a", "b"), store.State{})
	must(t, err)
	st, err := s.Status(t.Context())
	must(t, err)
	if d := st.Data; d.Dir != dir || d.UsedBytes == 0 || d.FreeBytes < 1<<20 || d.LogBytes != p.StoredBytes() || d.MaxBytes != 1<<40 {
		t.Errorf("the data directory is %+v", d)
	}
	if st.Version != "v1.2.3" || time.Since(st.Started) > time.Minute || st.MemoryBytes < 1<<20 || st.MemoryBytes > 1<<40 || st.Tasks["Prechecking"]+st.Tasks["Error"] != 1 || st.Groups != 1 {
		t.Errorf("the status is %+v", st)
	}
	if l := st.Listeners; len(l) != 2 || l[0].Advertised != "daybook.example.com:9093" || l[1] != (admin.Listener{Name: "admin", Address: strings.TrimPrefix(s.url(), "http://")}) {
		t.Errorf("the listeners are %+v", l)
	}
}
