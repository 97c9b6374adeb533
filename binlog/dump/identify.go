package dump

import (
	"context"
	"fmt"
	"math"
)

// Identify fills in when the file of a position was made, which a start at a
// file and offset does not know: p is known again by it before anything was read. s is the server that p is of.
func (p *Position) Identify(ctx context.Context, source Source, s *Status) error {
	c, err := DialServer(ctx, source, s)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	from := From{File: p.File, Pos: p.Pos}
	if from.Pos > math.MaxUint32 {
		from.Pos = 4
	}
	err = c.look(ctx, s, from, func(e seen) error {
		if e.Type != EvFormatDescription {
			return nil
		}
		p.FileMade = e.Made()
		return errEnough
	})
	if err != nil {
		return fmt.Errorf("look at %s: %w", p, err)
	}
	return nil
}
