package store

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// formatVersion is the version of the layout in docs/store-format.md.
// An older one is made this one when it is opened: nothing in it has to change.
const (
	firstFormat   = 1
	formatVersion = 4
)

// load reads what is kept once per directory, or makes it in an empty one.
func (s *Store) load(second *catalog, marks map[uint32]mark) error {
	if err := s.loadMeta(second); err != nil {
		return err
	}
	topics, err := s.loadTopics(second, marks)
	if err != nil {
		return err
	}
	if err := s.tables.load(s, marks); err != nil {
		return fmt.Errorf("read writes to tables: %w", err)
	}
	for i := range topics {
		if err := s.loadPartition(&topics[i], second.topic(topics[i].Partition), marks); err != nil {
			return err
		}
	}
	if s.format < formatVersion {
		if err := s.raiseFormat(); err != nil {
			return err
		}
	}
	s.openClock(second)
	return s.saveCatalog()
}

// raiseFormat keeps the Daybooks from the directory that know only older formats.
func (s *Store) raiseFormat() error {
	b := s.db.NewBatch()
	setOrDelete(b, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion))
	if err := s.commit(b); err != nil {
		return fmt.Errorf("write format version: %w", err)
	}
	s.format = formatVersion
	return nil
}

func (s *Store) openClock(second *catalog) {
	var newest int64
	for _, p := range s.partitions {
		newest = max(newest, p.last.appendedAt)
	}
	var last *clockReading
	if second != nil {
		last = second.Clock
	}
	s.clock.open(last, newest)
}

// loadMeta reads the keys of kind meta. What cannot be read of them is taken
// from the catalog.
func (s *Store) loadMeta(second *catalog) error {
	err := s.readMeta(second.used())
	if second == nil || !errors.Is(err, ErrCorrupt) || errors.Is(err, errEmptied) {
		return err
	}
	s.log.Error("taken from the file "+catalogName, "error", err)
	return s.takeMeta(second)
}

// takeMeta takes them all from there.
func (s *Store) takeMeta(second *catalog) error {
	if second.Format > formatVersion {
		return fmt.Errorf("%w (it has format %d, this version reads up to %d)", ErrNewerFormat, second.Format, formatVersion)
	}
	s.format, s.clusterID, s.nextID = max(second.Format, firstFormat), second.ClusterID, second.NextPartition
	return nil
}

// errEmptied tells of a directory whose database is gone, and not its topics.
var errEmptied = errors.New("the database is empty, but " + catalogName + " tells of topics: files are missing")

func (s *Store) readMeta(used bool) error {
	v, ok, err := s.lookUp(keyFormat)
	if err != nil {
		return fmt.Errorf("read format version: %w", err)
	}
	if !ok && used {
		return fmt.Errorf("%w: %w", ErrCorrupt, errEmptied)
	}
	if !ok {
		if err := s.initialize(); err != nil {
			return err
		}
		s.format = formatVersion
	} else if len(v) != 4 {
		return fmt.Errorf("%w: format version of %d bytes", ErrCorrupt, len(v))
	} else if got := binary.BigEndian.Uint32(v); got > formatVersion {
		return fmt.Errorf("%w (it has format %d, this version reads up to %d)", ErrNewerFormat, got, formatVersion)
	} else {
		s.format = got
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
	return nil
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
	if err := s.commit(b); err != nil {
		return fmt.Errorf("initialize: %w", err)
	}
	return nil
}

// loadTopics returns all topics, also those that only the catalog knows, but none
// that was deleted.
func (s *Store) loadTopics(second *catalog, marks map[uint32]mark) ([]catalogTopic, error) {
	topics, err := s.readTopics()
	if err != nil && (second == nil || !errors.Is(err, ErrCorrupt)) {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	if err != nil {
		s.log.Error("topics are taken from the file "+catalogName, "error", err)
	}
	if second != nil {
		topics = mergeTopics(topics, second.Topics)
		s.nextID = max(s.nextID, second.NextPartition)
	}
	return slices.DeleteFunc(topics, func(t catalogTopic) bool {
		return marks[partitionMark(t.Partition)].end == deletedEnd
	}), nil
}

// mergeTopics adds to topics those of the second copy. Of two with one name the later one
// counts: it was made when the other had been deleted.
func mergeTopics(topics, second []catalogTopic) []catalogTopic {
	for _, t := range second {
		i := slices.IndexFunc(topics, func(known catalogTopic) bool { return known.Topic == t.Topic })
		switch {
		case i < 0:
			topics = append(topics, t)
		case topics[i].Partition < t.Partition:
			topics[i] = t
		}
	}
	return topics
}

// readTopics returns the topics up to the first damage.
func (s *Store) readTopics() ([]catalogTopic, error) {
	it, err := s.iteratePrefix([]byte{kindPartition})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var topics []catalogTopic
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.Value()
		if err != nil {
			return topics, err
		}
		topic := string(it.Key()[1:])
		if len(v) != 4+16 {
			return topics, fmt.Errorf("%w: partition %s of %d bytes", ErrCorrupt, topic, len(v))
		}
		topics = append(topics, catalogTopic{Topic: topic, Partition: binary.BigEndian.Uint32(v), TopicID: hex.EncodeToString(v[4:])})
	}
	return topics, it.Err()
}

// loadPartition opens a partition. Damage is that partition's alone.
func (s *Store) loadPartition(t, second *catalogTopic, marks map[uint32]mark) error {
	id, err := t.id()
	if err != nil {
		return err
	}
	p := s.newPartition(t.Topic, t.Partition, id)
	if second != nil {
		p.reached = second.HighWatermark
	}
	p.reached = max(p.reached, marks[partitionMark(t.Partition)].end)
	if err := p.writes.load(s, marks); err != nil {
		return fmt.Errorf("open partition %s: read its writes: %w", p.topic, err)
	}
	err = p.load()
	if err == nil && p.next < p.reached {
		err = fmt.Errorf("%w: the log ends at offset %d, and was at %d already: files are missing, or of an older state", ErrCorrupt, p.next, p.reached)
	}
	if err == nil {
		// Pieces that nothing names harm nobody, and the damage may be their neighbours'.
		if err = p.dropOrphans(); errors.Is(err, ErrCorrupt) {
			err = nil
		}
	}
	switch {
	case errors.Is(err, ErrCorrupt):
		p.broken = err
		s.log.Error("topic cannot be used", "topic", p.topic, "error", err)
	case err != nil:
		return fmt.Errorf("open partition %s: %w", p.topic, err)
	}
	s.partitions[p.topic], s.byTopicID[p.topicID] = p, p
	return nil
}

// EnsurePartition returns the partition of a topic, creating it if need be. Its
// topic ID stays the same until it is deleted.
func (s *Store) EnsurePartition(topic string) (*Partition, error) {
	if err := s.calls.enter(); err != nil {
		return nil, err
	}
	defer s.calls.exit()
	if p, ok := s.Partition(topic); ok {
		return p, nil
	}
	p, err := s.createPartition(topic)
	if err == nil {
		err = s.saveCatalog()
	}
	if err != nil {
		return nil, fmt.Errorf("create partition %s: %w", topic, err)
	}
	return p, nil
}

// createPartition writes while no other partition is created, which would take the
// same ID.
func (s *Store) createPartition(topic string) (*Partition, error) {
	s.naming.Lock()
	defer s.naming.Unlock()
	if p, ok := s.Partition(topic); ok {
		return p, nil
	}
	p := s.newPartition(topic, s.nextID, uuid.New())
	b := s.db.NewBatch()
	v := binary.BigEndian.AppendUint32(nil, p.id)
	setOrDelete(b, nameKey(topic), append(v, p.topicID[:]...))
	setOrDelete(b, keyNextPartition, binary.BigEndian.AppendUint32(nil, p.id+1))
	if err := s.commit(b); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
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
