package task

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/store"
)

// TestWayOn wants the fitting command, with the task's name, in the message of
// each fault that does not end by itself.
func TestWayOn(t *testing.T) {
	group := func(err error) error { return &binlog.GroupError{File: "binlog.000001", Pos: 4, Err: err} }
	const skip, earliest, now = "'daybook task skip shop'", "'daybook task restart shop --from earliest'", "'daybook task restart shop --from now'"
	missing := &binlog.MissingError{}
	missing.Next.File, missing.Next.Pos = "binlog.000003", 4
	for _, tt := range []struct {
		err  error
		want string
	}{
		{binlog.ErrPurged, earliest},
		{missing, "'daybook task restart shop --from binlog.000003:4'"},
		{binlog.ErrPosition, earliest},
		{binlog.ErrOtherServer, earliest},
		{errors.Join(binlog.ErrOtherServer, binlog.ErrBehind), "only if they are lost for good, " + earliest},
		{binlog.ErrSaved, now},
		{binlog.ErrSchema, now},
		{binlog.ErrStatement, now},
		{binlog.ErrEvent, now},
		{binlog.ErrChecksum, now},
		{group(binlog.ErrStatement), skip},
		{group(errors.Join(binlog.ErrStatement, binlog.ErrUnseen)), "'daybook task restart shop --from binlog.000001:4' looks again"},
		{group(errors.Join(binlog.ErrStatement, binlog.ErrUnseen)), skip},
		{group(binlog.ErrEvent), skip},
		{group(binlog.ErrPartialImage), "partial_images: accept"},
		{group(binlog.ErrPartialImage), skip},
		{group(binlog.ErrPartialImage), now},
		{group(binlog.ErrSchema), skip},
		{group(binlog.ErrSchema), now},
		{group(binlog.ErrPurged), skip}, // of what the group refers to
		{store.ErrStateLost, now},
		{store.ErrCorrupt, "'daybook store repair'"},
		{group(store.ErrCorrupt), "'daybook store repair'"},
		{ErrPrecheck, ""},
		{binlog.ErrUnreachable, ""},
		{store.ErrDiskFull, ""},
	} {
		err := withWayOn("shop", fmt.Errorf("read binlog: %w", tt.err))
		if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) || tt.want == "" && strings.Contains(err.Error(), "daybook") {
			t.Errorf("%v does not name %s", err, tt.want)
		}
	}
}

func TestSkippable(t *testing.T) {
	group := func(err error) error { return fmt.Errorf("read: %w", &binlog.GroupError{File: "f", Pos: 4, Err: err}) }
	for err, want := range map[error]bool{
		group(binlog.ErrStatement):   true,
		group(store.ErrCorrupt):      false, // the log's own damage
		group(store.ErrFailed):       false,
		group(binlog.ErrOtherServer): false,
		binlog.ErrStatement:          false,
	} {
		if place := skippable(err); (place != nil) != want {
			t.Errorf("%v: %v, want it skippable: %v", err, place, want)
		}
	}
}
