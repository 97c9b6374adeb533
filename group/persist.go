package group

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"daybook/store"
)

// tableName is the store table that holds every group. A group ID and a topic
// name are written as their length in two bytes, big-endian, and their bytes.
//
//	key                          value
//	group                        format 1, generation int32, protocol type
//	group topic partition int32  format 1, offset int64, leader epoch int32, commit time int64, metadata
//
// Numbers are big-endian, the commit time is in milliseconds since the epoch,
// protocol type and metadata take the rest of the value.
const tableName = "groups"

const valueFormat = 1

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

func groupValue(generation int32, protocolType string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{valueFormat}, uint32(generation))
	return append(b, protocolType...)
}

func (cp checkpoint) value() []byte {
	b := binary.BigEndian.AppendUint64([]byte{valueFormat}, uint64(cp.offset))
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
	if value[0] != valueFormat {
		return fmt.Errorf("value format %d is not known: written by a newer daybook", value[0])
	}
	value = value[1:]
	g := c.lookup(id, true)
	if len(key) == 0 {
		if len(value) < 4 {
			return errBadEntry
		}
		g.generation = int32(binary.BigEndian.Uint32(value))
		g.protocolType = string(value[4:])
		return nil
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
