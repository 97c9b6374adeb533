package dump

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// compare looks into the position's file and tells what differs there from what
// was read of it; "" if nothing does. more: an event group follows the position.
func (d *placing) compare(ctx context.Context) (differs string, more bool, err error) {
	p := d.p
	from := From{File: p.File, Pos: p.Pos}
	if p.Last.Start > 0 {
		from.Pos = p.Last.Start
	}
	far := from.Pos > math.MaxUint32 // the command has room for 32 bits
	if far {
		from.Pos = 4
	}
	var made uint32
	var last *seen
	err = d.look(ctx, from, func(e seen) error {
		if e.Type == EvFormatDescription && made == 0 {
			if made = e.Made(); made != p.FileMade || far {
				return errEnough
			}
		}
		if e.file == p.File && e.start == p.Last.Start && e.start > 0 {
			last = &seen{Event: Event{Timestamp: e.Timestamp, Type: e.Type, Size: e.Size, Raw: append([]byte(nil), e.Raw...)}, start: e.start, end: e.end}
		}
		if e.InGroup() && (e.file != p.File || e.start >= p.Pos) {
			more = true
			return errEnough
		}
		return nil
	})
	switch {
	case made != 0 && made != p.FileMade:
		return d.madeDiffers(made), false, nil
	case errors.Is(err, ErrChecksum) && last == nil && !far:
		differs, err = d.compareUnverified(ctx, from, err)
		return differs, false, err
	case errors.Is(err, ErrGTIDMode), errors.Is(err, ErrChecksum): // the file may be the same one
		return "", false, err
	case errors.Is(err, ErrPosition):
		if made, err = d.fileMade(ctx); err != nil {
			return "", false, err
		}
		if made != p.FileMade {
			return d.madeDiffers(made), false, nil
		}
		return fmt.Sprintf("its file %s ends before offset %d, up to which it was read", p.File, p.Pos), false, nil
	case err != nil && made != 0 && last == nil && !IsTransient(err):
		return d.noEvent(from, err), false, nil
	case err != nil && last == nil:
		return "", false, err
	case far:
		differs, err = d.compareFar(ctx)
		return differs, false, err
	case p.Last.Start == 0:
		return "", more, nil
	case last == nil:
		return fmt.Sprintf("its file %s ends before offset %d, up to which it was read", p.File, p.Pos), false, nil
	case last.end != p.Pos || last.Sum() != p.Last.Sum:
		return fmt.Sprintf("in its file %s, the event at offset %d, of %s, is another one than that which was read there", p.File, p.Last.Start, seconds(last.Timestamp)), false, nil
	}
	return "", more, nil
}

func (d *placing) noEvent(from From, why error) string {
	return fmt.Sprintf("in its file %s no event begins at offset %d, where the last one that was read did (%v)", d.p.File, from.Pos, why)
}

// compareUnverified tells an event whose checksum is wrong from bytes within one, which MariaDB
// takes for an event: only the former ends at the position.
func (d *placing) compareUnverified(ctx context.Context, from From, wrong error) (differs string, err error) {
	var end uint64
	from.unverified = true
	err = d.look(ctx, from, func(e seen) error {
		if e.file != d.p.File || e.start != from.Pos {
			return nil
		}
		end = e.end
		return errEnough
	})
	if end == d.p.Pos {
		return "", wrong
	}
	if err != nil && IsTransient(err) {
		return "", err
	}
	return d.noEvent(from, wrong), nil
}

func (d *placing) madeDiffers(made uint32) string {
	return fmt.Sprintf("its file %s was made %s, and the one that was being read %s", d.p.File, seconds(made), seconds(d.p.FileMade))
}

// fileMade returns when the position's file was made.
func (d *placing) fileMade(ctx context.Context) (made uint32, err error) {
	err = d.look(ctx, From{File: d.p.File, Pos: 4}, func(e seen) error {
		if e.Type != EvFormatDescription {
			return nil
		}
		made = e.Made()
		return errEnough
	})
	return made, err
}

// compareFar sees that an event ends at the position, which is too far into the
// file to ask for it. That the file is the same one is known already.
func (d *placing) compareFar(ctx context.Context) (differs string, err error) {
	at := max(d.p.Last.Start, 4)
	if d.p.Last.Start == 0 {
		return "", nil
	}
	c, err := d.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	e, err := c.eventAt(ctx, d.p.File, at)
	if err != nil {
		return "", err
	}
	if e.end != uint32(d.p.Pos) {
		return fmt.Sprintf("in its file %s no event stands between the offsets %d and %d", d.p.File, at, d.p.Pos), nil
	}
	return "", nil
}

// listedEvent is what SHOW BINLOG EVENTS tells of an event.
type listedEvent struct {
	end  uint32 // where it ends, the low 32 bits; 0: no event begins there
	info string
}

// eventAt asks for the event at an offset.
func (c *Conn) eventAt(ctx context.Context, file string, start uint64) (listedEvent, error) {
	rows, err := c.Query(ctx, fmt.Sprintf("SHOW BINLOG EVENTS IN '%s' FROM %d LIMIT 1", strings.ReplaceAll(file, "'", "''"), start))
	if my := serverError(err); my != nil && my.Code == errShowBinlogEvents {
		return listedEvent{}, nil // wrong offset
	}
	if err != nil || len(rows) == 0 || len(rows[0]) < 6 {
		return listedEvent{}, err
	}
	end, err := strconv.ParseUint(rows[0][4].String, 10, 64)
	if err != nil {
		return listedEvent{}, fmt.Errorf("read the answer to SHOW BINLOG EVENTS: %w", err)
	}
	return listedEvent{uint32(end), rows[0][5].String}, nil
}

const errShowBinlogEvents = 1220 // ER_ERROR_WHEN_EXECUTING_COMMAND
