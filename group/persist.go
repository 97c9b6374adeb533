package group

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"daybook/store"
)

// tableName is the store table that holds every group. A group ID and a topic
// name are written as their length in two bytes, big-endian, and their bytes.
//
//	key                          value
//	group                        format 2, generation int32, empty since int64, protocol type
//	group topic partition int32  format 1, offset int64, leader epoch int32, commit time int64, metadata
//
// Numbers are big-endian, times are in milliseconds since the epoch, protocol
// type and metadata take the rest of the value. Empty since is 0 while the
// group has members. Format 1 of a group lacked it.
const tableName = "groups"

const (
	checkpointFormat = 1
	groupFormat      = 2
)

var errBadEntry = errors.New("not an entry of the groups table")

// partition names what a checkpoint is for.
type partition struct {
	topic string
	index int32
}

// checkpoint is a committed offset.
type checkpoint struct {
	offset      int64
	leaderEpoch int32
	timestamp   int64 // of the commit, milliseconds since the epoch
	metadata    string
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

func cutString(b []byte) (s string, rest []byte, ok bool) {
	if len(b) < 2 {
		return "", nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+n {
		return "", nil, false
	}
	return string(b[2 : 2+n]), b[2+n:], true
}

func groupKey(id string) []byte { return appendString(nil, id) }

func checkpointKey(id string, p partition) []byte {
	return binary.BigEndian.AppendUint32(appendString(groupKey(id), p.topic), uint32(p.index))
}

// value is the group's entry. The group is locked.
func (g *group) value() []byte {
	since := int64(0)
	if g.state == empty {
		since = g.emptySince.UnixMilli()
	}
	b := binary.BigEndian.AppendUint32([]byte{groupFormat}, uint32(g.generation))
	b = binary.BigEndian.AppendUint64(b, uint64(since))
	return append(b, g.protocolType...)
}

func (cp checkpoint) value() []byte {
	b := binary.BigEndian.AppendUint64([]byte{checkpointFormat}, uint64(cp.offset))
	b = binary.BigEndian.AppendUint32(b, uint32(cp.leaderEpoch))
	b = binary.BigEndian.AppendUint64(b, uint64(cp.timestamp))
	return append(b, cp.metadata...)
}

func (c *Coordinator) load(ctx context.Context, t *store.Table) error {
	for kv, err := range t.Scan(nil) {
		if err != nil {
			return fmt.Errorf("scan table %s: %w", tableName, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.loadEntry(kv.Key, kv.Value); err != nil {
			return fmt.Errorf("read key %x: %w", kv.Key, err)
		}
	}
	return nil
}

func (c *Coordinator) loadEntry(key, value []byte) error {
	id, key, ok := cutString(key)
	if !ok || len(value) == 0 {
		return errBadEntry
	}
	format, value := value[0], value[1:]
	g := c.lookup(id, true)
	if len(key) == 0 {
		return g.loadValue(format, value)
	}
	if format != checkpointFormat {
		return unknownFormat(format)
	}
	topic, key, ok := cutString(key)
	if !ok || len(key) != 4 || len(value) < 20 {
		return errBadEntry
	}
	g.checkpoints[partition{topic, int32(binary.BigEndian.Uint32(key))}] = checkpoint{
		offset:      int64(binary.BigEndian.Uint64(value)),
		leaderEpoch: int32(binary.BigEndian.Uint32(value[8:])),
		timestamp:   int64(binary.BigEndian.Uint64(value[12:])),
		metadata:    string(value[20:]),
	}
	return nil
}

// loadValue takes what value wrote.
func (g *group) loadValue(format byte, value []byte) error {
	if format > groupFormat {
		return unknownFormat(format)
	}
	if len(value) < 4 {
		return errBadEntry
	}
	g.generation, value = int32(binary.BigEndian.Uint32(value)), value[4:]
	since := int64(0)
	if format >= 2 {
		if len(value) < 8 {
			return errBadEntry
		}
		since, value = int64(binary.BigEndian.Uint64(value)), value[8:]
	}
	g.emptySince, g.hadMembers = time.UnixMilli(since), since == 0
	g.protocolType = string(value)
	return nil
}

func unknownFormat(format byte) error {
	return fmt.Errorf("value format %d is not known: written by a newer daybook", format)
}
