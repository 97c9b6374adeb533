package store

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"
)

// formatVersion is the version of the layout in docs/store-format.md.
const formatVersion = 1

// load reads what is kept once per directory, or makes it in an empty one.
func (s *Store) load() error {
	v, ok, err := s.lookUp(keyFormat)
	if err != nil {
		return fmt.Errorf("read format version: %w", err)
	}
	if !ok {
		if err := s.initialize(); err != nil {
			return err
		}
	} else if len(v) != 4 {
		return fmt.Errorf("%w: format version of %d bytes", ErrCorrupt, len(v))
	} else if got := binary.BigEndian.Uint32(v); got > formatVersion {
		return fmt.Errorf("%w (it has format %d, this version reads up to %d)", ErrNewerFormat, got, formatVersion)
	}
	id, ok, err := s.lookUp(keyClusterID)
	if err != nil || !ok {
		return fmt.Errorf("read cluster ID: %w", errors.Join(err, missing(ok)))
	}
	s.clusterID = string(id)
	next, ok, err := s.lookUp(keyNextPartition)
	if err != nil || !ok || len(next) != 4 {
		return fmt.Errorf("read next partition ID: %w", errors.Join(err, missing(ok && len(next) == 4)))
	}
	s.nextID = binary.BigEndian.Uint32(next)
	return s.loadPartitions()
}

func missing(ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: it is missing", ErrCorrupt)
}

// initialize writes the keys of an empty directory.
func (s *Store) initialize() error {
	id := uuid.New()
	b := s.db.NewBatch()
	setOrDelete(b, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion))
	setOrDelete(b, keyClusterID, []byte(base64.RawURLEncoding.EncodeToString(id[:])))
	setOrDelete(b, keyNextPartition, binary.BigEndian.AppendUint32(nil, 0))
	if err := s.commit(b, nil); err != nil {
		return fmt.Errorf("initialize: %w", err)
	}
	return nil
}

func (s *Store) loadPartitions() error {
	prefix := []byte{kindPartition}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: afterPrefix(prefix)})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		topic := string(it.Key()[1:])
		if len(v) != 4+16 {
			return fmt.Errorf("%w: partition %s of %d bytes", ErrCorrupt, topic, len(v))
		}
		p := s.newPartition(topic, binary.BigEndian.Uint32(v), [16]byte(v[4:]))
		if err := p.load(); err != nil {
			return fmt.Errorf("open partition %s: %w", topic, err)
		}
		s.partitions[topic], s.byTopicID[p.topicID] = p, p
	}
	return it.Error()
}

// EnsurePartition returns the partition of a topic, creating it if need be. Its
// topic ID stays the same for the directory's life.
func (s *Store) EnsurePartition(topic string) (*Partition, error) {
	if err := s.calls.enter(); err != nil {
		return nil, err
	}
	defer s.calls.exit()
	if p, ok := s.Partition(topic); ok {
		return p, nil
	}
	p, err := s.createPartition(topic)
	if err != nil {
		return nil, fmt.Errorf("create partition %s: %w", topic, err)
	}
	return p, nil
}

// createPartition holds the lock over its write: two at once would take the
// same ID. It happens once in a topic's life.
func (s *Store) createPartition(topic string) (*Partition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.partitions[topic]; ok {
		return p, nil
	}
	p := s.newPartition(topic, s.nextID, uuid.New())
	b := s.db.NewBatch()
	v := binary.BigEndian.AppendUint32(nil, p.id)
	setOrDelete(b, append([]byte{kindPartition}, topic...), append(v, p.topicID[:]...))
	setOrDelete(b, keyNextPartition, binary.BigEndian.AppendUint32(nil, p.id+1))
	if err := s.commit(b, nil); err != nil {
		return nil, err
	}
	s.nextID++
	s.partitions[topic], s.byTopicID[p.topicID] = p, p
	return p, nil
}

// Partition returns the partition of a topic, if there is one.
func (s *Store) Partition(topic string) (*Partition, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.partitions[topic]
	return p, ok
}

// PartitionByID returns the partition of a topic ID, if there is one.
func (s *Store) PartitionByID(id [16]byte) (*Partition, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.byTopicID[id]
	return p, ok
}

// Partitions returns all partitions by topic in order.
func (s *Store) Partitions() []*Partition {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Partition, 0, len(s.partitions))
	for _, p := range s.partitions {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Partition) int { return strings.Compare(a.topic, b.topic) })
	return all
}
