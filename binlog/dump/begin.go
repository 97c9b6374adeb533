package dump

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// Place is an offset in a binlog file.
type Place struct {
	File string
	Pos  uint64
}

// firstGroup finds where the first event group stands that a dump after a GTID
// set sends, if a file is so large that the event does not tell: events know
// their end in 32 bits, and the server leaves out the groups before. Where none
// comes, it is the binlog's end. A zero Place: no file is that large.
func (d *placing) firstGroup(ctx context.Context, from From) (Place, error) {
	large := false
	for _, l := range d.logs {
		large = large || l.size > math.MaxUint32
	}
	if !large {
		return Place{}, nil
	}
	var group seen
	var gtid string
	err := d.look(ctx, from, func(e seen) error {
		if !e.InGroup() || e.end == 0 {
			return nil
		}
		group = seen{file: e.file, start: uint64(e.LogPos - e.Size)}
		t, err := ParseTransactionStart(e.Event)
		if err != nil {
			return err
		}
		gtid = t.GTID.String()
		return errEnough
	})
	if err != nil {
		return Place{}, fmt.Errorf("look for the first transaction to be read: %w", err)
	}
	if group.file == "" {
		last := d.logs[len(d.logs)-1]
		return Place{last.name, last.size}, nil
	}
	logs, err := d.c.binaryLogs(ctx) // the file may have grown
	if err != nil {
		return Place{}, err
	}
	for _, l := range logs {
		for at := group.start; l.name == group.file && at < l.size; at += 1 << 32 {
			e, err := d.c.eventAt(ctx, l.name, at)
			if err != nil {
				return Place{}, err
			}
			if strings.Contains(e.info, gtid) {
				return Place{l.name, at}, nil
			}
		}
	}
	return Place{}, Transient(fmt.Errorf("transaction %s is not found in %s", gtid, group.file))
}
