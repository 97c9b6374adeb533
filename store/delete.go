package store

import "fmt"

// deletedEnd is the high watermark in the mark of a deleted partition. The number of its writes
// stays: a write-ahead log that has lost the deletion lacks a write that was acknowledged, which is told
// as any other is, and a repair does not bring the topic back.
const deletedEnd = -1

// DeletePartition deletes a topic and all that is kept of it, and returns when that is synced:
// records, position and schema. After a crash before that, either all of it is there or
// nothing is. Without such a topic there is nothing to do, which is no error. Who still holds the
// Partition gets ErrDeleted. A topic of the same name that is made later is another one: it has
// another ID and begins at offset 0.
func (s *Store) DeletePartition(topic string) error {
	if err := s.calls.enter(); err != nil {
		return err
	}
	defer s.calls.exit()
	s.naming.Lock()
	defer s.naming.Unlock()
	err := s.failure.get() // of a deletion that failed it is not known whether it is on disk
	if p, ok := s.Partition(topic); ok && err == nil {
		err = s.deletePartition(p)
	}
	if err != nil {
		return fmt.Errorf("delete partition %s: %w", topic, err)
	}
	return nil
}

func (s *Store) deletePartition(p *Partition) error {
	p.writer.Lock()
	defer p.writer.Unlock()
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	// The second copy goes first: what it names and the database lacks would be taken for lost.
	s.saving.Lock()
	defer s.saving.Unlock()
	if err := s.writeCatalog(p); err != nil {
		return err
	}
	s.forget(p)
	p.stored = nil
	b := s.db.NewBatch()
	for _, kind := range []byte{kindBatch, kindPiece, kindLost, kindIndex, kindLogStart, kindPosition, kindRetention, kindSchema} {
		key := partitionKey(kind, p.id)
		_ = b.DeleteRange(key, afterPrefix(key), nil)
	}
	setOrDelete(b, nameKey(p.topic), nil)
	if err := s.commitNumbered(b, p.writes, deletedEnd, nil); err != nil {
		return err
	}
	s.log.Info("deleted topic", "topic", p.topic, "bytes", p.StoredBytes())
	return nil
}

// forget takes a partition from who looks for it, and tells those who have it. That is before the
// write, so that nobody takes for damage what the write takes away.
func (s *Store) forget(p *Partition) {
	s.mu.Lock()
	delete(s.partitions, p.topic)
	delete(s.byTopicID, p.topicID)
	s.mu.Unlock()
	close(p.deleted)
	p.mu.Lock()
	close(p.changed)
	p.mu.Unlock()
	p.recent.clear()
}

// Deleted returns a channel that is closed when the topic is deleted.
func (p *Partition) Deleted() <-chan struct{} { return p.deleted }

func (p *Partition) isDeleted() bool {
	select {
	case <-p.deleted:
		return true
	default:
		return false
	}
}

// unusable returns why nothing of the partition can be used, or nil.
func (p *Partition) unusable() error {
	if p.isDeleted() {
		return ErrDeleted
	}
	return p.broken
}

// ifThere returns what came of reading from the database, where a deletion has maybe taken away
// what was looked for.
func (p *Partition) ifThere(err error) error {
	if p.isDeleted() {
		return ErrDeleted
	}
	return err
}
