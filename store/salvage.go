package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// Damage is something in a data directory that cannot be read, and what a
// repair does about it.
type Damage struct {
	Topic string `json:"topic,omitempty"` // "": it belongs to no topic
	What  string `json:"what"`            // one of the constants below
	// From and To are the offsets whose records are lost, To not among them.
	From   int64  `json:"from,omitempty"`
	To     int64  `json:"to,omitempty"`
	Detail string `json:"detail"`
	// Before and After are the records beside the lost ones, nil if there are
	// none: they tell where in the source those were.
	Before, After []byte `json:"-"`
}

// What can be damaged.
const (
	LostRecords   = "records"   // a gap stays in their place
	LostState     = "state"     // the task's position or schema: it must be restarted
	LostTable     = "table"     // entries of a small table, such as checkpoints
	LostLog       = "log"       // a write-ahead log; what it is that is lost is told apart
	LostFile      = "file"      // one that is needed only if others are damaged; it is made anew, and nothing is lost
	LostIndex     = "index"     // it is made anew; nothing is lost
	LostDirectory = "directory" // the directory cannot be read at all; a repair cannot mend that
)

// lostTail is how many offsets are left out when it is not known how far a log
// went: none may be given twice.
const lostTail = 1 << 24

// salvage reads everything in a store that may be damaged, and writes what can
// be read to another, if there is one.
type salvage struct {
	from, to *Store // to: nil only looks
	tell     func(Damage)
	ctx      context.Context
	marks    map[uint32]mark
	lost     *lostWrites // nil: write-ahead logs have all that was acknowledged
	onlyLogs bool        // there are no tables
}

func (v *salvage) run(second *catalog) error {
	topics, damaged, err := v.names(second)
	if err != nil {
		return err
	}
	if v.lost != nil {
		v.tell(Damage{What: LostLog, Detail: v.lost.detail()})
	}
	if damaged != nil { // the catalog has it all
		v.tell(Damage{What: LostIndex, Detail: detail(damaged)})
	}
	if v.to != nil {
		v.to.format, v.to.clusterID, v.to.nextID = formatVersion, v.from.clusterID, v.from.nextID
		b := v.to.db.NewBatch()
		setOrDelete(b, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion))
		setOrDelete(b, keyClusterID, []byte(v.from.clusterID))
		setOrDelete(b, keyNextPartition, binary.BigEndian.AppendUint32(nil, v.from.nextID))
		if err := v.to.write(b); err != nil {
			return err
		}
	}
	for i := range topics {
		if err := v.topic(&topics[i], second.topic(topics[i].Partition)); err != nil {
			return fmt.Errorf("salvage %s: %w", topics[i].Topic, err)
		}
	}
	return v.tables()
}

// names reads what the whole log hangs on, from the catalog where the database
// does not have it, which damaged tells.
func (v *salvage) names(second *catalog) (topics []catalogTopic, damaged, err error) {
	err = v.from.readMeta(true)
	if err == nil {
		_, err = v.from.readTopics()
	}
	damaged = err
	switch {
	case !errors.Is(err, errEmptied):
		err = v.from.loadMeta(second)
	case second == nil:
		err = ErrNoLog
	case v.lost != nil && v.onlyLogs: // the log that had it is gone, and nothing else
		err = v.from.takeMeta(second)
	}
	if err == nil {
		topics, err = v.from.loadTopics(second, v.marks)
	}
	return topics, damaged, err
}

// topic salvages one partition.
func (v *salvage) topic(t, second *catalogTopic) error {
	id, err := t.id()
	if err != nil {
		return err
	}
	l := &salvagedLog{salvage: v, from: v.from.newPartition(t.Topic, t.Partition, id)}
	if second != nil {
		l.from.reached = second.HighWatermark
	}
	l.mark = partitionMark(t.Partition)
	m, known := v.marks[l.mark]
	l.from.reached = max(l.from.reached, m.end)
	l.endless = v.lost != nil && !known
	if v.to != nil {
		l.to = v.to.newPartition(t.Topic, t.Partition, id)
		v.to.partitions[t.Topic], v.to.byTopicID[id] = l.to, l.to
		b := v.to.db.NewBatch()
		value := append(binary.BigEndian.AppendUint32(nil, t.Partition), id[:]...)
		setOrDelete(b, nameKey(t.Topic), value)
		if err := v.to.write(b); err != nil {
			return err
		}
	}
	if err := l.records(); err != nil {
		return err
	}
	if err := l.retention(); err != nil {
		return err
	}
	return l.state()
}
