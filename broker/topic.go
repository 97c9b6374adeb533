package broker

import "daybook/store"

// noTopicID is the ID of no topic.
var noTopicID [16]byte

// readOnly tells a client why it may not write.
const readOnly = "topics are read-only: only their change tracking task writes to them"

// partition returns the one partition that the connection may see: the
// principal's. It is nil while its task has not made it.
func (c *conn) partition() *store.Partition {
	p, ok := c.s.o.Store.Partition(c.principal.Topic)
	if !ok {
		return nil
	}
	return p
}

// isDeleted tells of a partition that was there when it was looked up.
func isDeleted(p *store.Partition) bool {
	select {
	case <-p.Deleted():
		return true
	default:
		return false
	}
}

// lookUp returns the partition that a request names by topic name or, if id is
// not zero, by topic ID; nil if it does not exist for this principal.
func (c *conn) lookUp(topic string, id [16]byte, partition int32) *store.Partition {
	p := c.partition()
	if p == nil || partition != 0 {
		return nil
	}
	if id != noTopicID {
		if p.TopicID() != id {
			return nil
		}
		return p
	}
	if p.Topic() != topic {
		return nil
	}
	return p
}
