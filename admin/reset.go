package admin

import (
	"context"
	"errors"
	"fmt"

	"daybook/auth"
	"daybook/group"
	"daybook/store"
)

const stopConsumers = "a checkpoint can be moved once they are stopped and their sessions have ended"

// resetGroup moves a checkpoint. Nobody may be consuming: who is, goes on from
// where he stands and would soon commit over it.
func (s *Server) resetGroup(ctx context.Context, in *groupInput[ResetRequest]) (*body[ResetResult], error) {
	info, view, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	if len(view.Consumers) > 0 {
		return nil, active(view, stopConsumers)
	}
	p, ok := s.o.Store.Partition(info.Topic)
	if !ok {
		return nil, unknownTask(info.Topic)
	}
	result, err := plan(in.Body, info, view, p)
	if err != nil {
		return nil, err
	}
	if in.Body.DryRun {
		return &body[ResetResult]{result}, nil
	}
	err = s.o.Groups.Reset(info.Group, info.Topic, result.To)
	if errors.Is(err, group.ErrActive) { // one came meanwhile
		return nil, problem(CodeActive, "%v", err)
	}
	if errors.Is(err, group.ErrGone) {
		return nil, unknownGroup(info.Group)
	}
	if err != nil {
		return nil, err
	}
	s.happened(ctx, "group-reset", info.Topic, fmt.Sprintf("the checkpoint of the group %s was moved from %v to %d", info.Group, offsetOrNone(result.From), result.To))
	s.o.Logger.Info("group's checkpoint reset", "group", info.Group, "task", info.Topic, "from", offsetOrNone(result.From), "to", result.To)
	return &body[ResetResult]{result}, nil
}

// plan works out where a reset goes.
func plan(req ResetRequest, info auth.Info, view group.View, p *store.Partition) (ResetResult, error) {
	result := ResetResult{
		Group: info.Group, Task: info.Topic, DryRun: req.DryRun,
		LogStartOffset: p.LogStartOffset(), HighWatermark: p.HighWatermark(),
	}
	if cp, ok := checkpointOf(view, info.Topic); ok {
		result.From = &cp.Offset
	}
	wanted, err := target(req, result, p)
	if err != nil {
		return ResetResult{}, err
	}
	result.To = min(max(wanted, result.LogStartOffset), result.HighWatermark)
	result.Clamped = result.To != wanted
	if result.From != nil {
		records := result.To - *result.From
		result.Records = &records
	}
	return result, nil
}

// target returns the offset that is asked for, in the log or not.
func target(req ResetRequest, now ResetResult, p *store.Partition) (int64, error) {
	if n := count(req.ToEarliest, req.ToLatest, req.ToOffset != nil, req.ToTime != nil, req.ShiftBy != nil); n != 1 {
		return 0, wrongAt(CodeBadRequest, "body", "exactly one of to_earliest, to_latest, to_offset, to_time and shift_by is wanted, not %d", n)
	}
	switch {
	case req.ToEarliest:
		return now.LogStartOffset, nil
	case req.ToLatest:
		return now.HighWatermark, nil
	case req.ToOffset != nil:
		return *req.ToOffset, nil
	case req.ShiftBy != nil:
		if now.From == nil {
			return 0, problem(CodeInvalid, "group %s has no checkpoint to shift", now.Group)
		}
		return shift(*now.From, *req.ShiftBy, now), nil
	}
	offset, _, found, err := p.OffsetForTime(req.ToTime.UnixMilli())
	if err != nil {
		return 0, err
	}
	if !found {
		offset = now.HighWatermark
	}
	return offset, nil
}

// shift adds without overflow: what is beyond the log is as far as it needs to be.
func shift(from, by int64, now ResetResult) int64 {
	switch to := from + by; {
	case by > 0 && to < from:
		return now.HighWatermark + 1
	case by < 0 && to > from:
		return now.LogStartOffset - 1
	default:
		return to
	}
}

func count(set ...bool) (n int) {
	for _, b := range set {
		if b {
			n++
		}
	}
	return n
}

func offsetOrNone(offset *int64) any {
	if offset == nil {
		return "none"
	}
	return *offset
}
