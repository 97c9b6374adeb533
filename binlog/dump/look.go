package dump

import (
	"context"
	"errors"
)

// errEnough ends a look that has seen what it was for.
var errEnough = errors.New("enough was seen")

// seen is an event of a look, with the place where it stands. Its bytes are
// good during the call only.
type seen struct {
	Event
	file       string
	start, end uint64 // offsets in file; 0 for what the server made up
}

// look asks for the binlog and shows visit one event after the other until it
// returns errEnough, or another error, or the binlog ends. Nobody registers as a
// replica for it. c can do nothing more afterwards.
//
// The offsets are right if from names one; after a GTID set they lack what is
// above 32 bits.
func (c *Conn) look(ctx context.Context, s *Status, from From, visit func(seen) error) error {
	from.nonBlock = true
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := c.startDump(ctx, s, RandomServerID(), from); err != nil {
		return err
	}
	at := seen{file: from.File}
	offset := max(from.Pos, 4)
	fr := c.framer(ctx, s, newPool(0, func(bool) {}), func(_ context.Context, ch chunk) error {
		defer ch.release()
		for b := ch.next(); b != nil; b = ch.next() {
			var err error
			if at.Event, err = parseEvent(b, ch.checksum, ch.cut); err != nil {
				return err
			}
			e := &at.Event
			at.start, at.end = 0, 0
			switch {
			case e.Type == EvHeartbeat || e.Type == EvHeartbeatV2:
				continue
			case e.Type == EvRotate && e.Flags&FlagArtificial != 0:
				if at.file, offset, err = ParseRotate(e.Body); err != nil {
					return err
				}
				continue
			case e.Flags&FlagArtificial != 0 || e.Type == EvFormatDescription && e.LogPos == 0:
			default:
				at.start, at.end = e.Span(offset)
				offset = at.end
			}
			if err := visit(at); err != nil {
				return err
			}
		}
		return nil
	})
	fr.brief, fr.unverified = true, from.unverified
	err := fr.run(ctx)
	if errors.Is(err, errEnough) || errors.Is(err, errDumpEnd) {
		return nil
	}
	return err
}

// Span returns where an event stands that comes after the one that ends at
// offset.
//
// An event's own end is believed where it is told, since the server leaves out
// groups that a GTID set excludes. It has 32 bits only, and MariaDB 11.4
// leaves it zero in transactions.
func (e *Event) Span(offset uint64) (start, end uint64) {
	end = offset + uint64(e.Size)
	if e.LogPos != 0 && uint32(end) != e.LogPos {
		end = end&^0xffffffff | uint64(e.LogPos)
		if end < offset+uint64(e.Size) {
			end += 1 << 32
		}
	}
	return end - uint64(e.Size), end
}
