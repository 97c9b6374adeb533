package admin_test

import (
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/admin"
	"daybook/store"
	"daybook/store/storetest"
)

// filling is a file system whose disk may be full, to the last byte.
type filling struct {
	vfs.FS
	full atomic.Bool
}

func (f *filling) GetDiskUsage(string) (vfs.DiskUsage, error) {
	if f.full.Load() {
		return vfs.DiskUsage{TotalBytes: 1 << 40}, nil
	}
	return vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40}, nil
}

// TestNothingCanBeWritten refuses at once what would wait for space, and goes on showing what there is.
func TestNothingCanBeWritten(t *testing.T) {
	disk := &filling{FS: vfs.NewMem()}
	s := startOn(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: disk}))
	disk.full.Store(true)
	_, err := s.CreateToken(t.Context(), admin.TokenRequest{Name: "guest", Role: "viewer"})
	wantError(t, err, 507, admin.CodeDiskFull, "free some space")
	if _, err := s.Groups(t.Context()); err != nil {
		t.Error(err)
	}
	disk.full.Store(false)
	if _, err := s.CreateToken(t.Context(), admin.TokenRequest{Name: "guest", Role: "viewer"}); err != nil {
		t.Error(err)
	}
}
