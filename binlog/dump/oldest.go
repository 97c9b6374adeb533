package dump

import (
	"context"
	"fmt"
	"time"
)

// Oldest is what is known of the oldest binlog that a server has.
type Oldest struct {
	File   string
	Made   time.Time // when it was begun
	Purged bool      // there was one before
}

// OldestBinlog looks at the oldest binlog of a server.
func OldestBinlog(ctx context.Context, source Source) (Oldest, error) {
	c, err := Dial(ctx, source)
	if err != nil {
		return Oldest{}, err
	}
	defer func() { _ = c.Close() }()
	s, err := c.Facts(ctx)
	if err != nil {
		return Oldest{}, err
	}
	logs, err := c.binaryLogs(ctx)
	if err != nil {
		return Oldest{}, err
	}
	o := Oldest{File: logs[0].name}
	_, number := splitName(o.File)
	o.Purged = number > 1
	err = c.look(ctx, s, From{File: o.File, Pos: 4}, func(e seen) error {
		if e.Type != EvFormatDescription {
			return nil
		}
		o.Made = time.Unix(int64(e.Timestamp), 0)
		return errEnough
	})
	if err == nil && o.Made.IsZero() {
		err = fmt.Errorf("%w: %s has no beginning", ErrEvent, o.File)
	}
	return o, err
}
