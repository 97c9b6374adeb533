package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// catalogName is the file that holds a second copy of what the whole log hangs
// on: which partition is whose, and how far each was. It is read where the
// first cannot be, and tells when the database is not the one that it was.
const catalogName = "catalog.json"

// catalog is the content of that file.
type catalog struct {
	Format        uint32         `json:"format"`
	ClusterID     string         `json:"cluster_id"`
	NextPartition uint32         `json:"next_partition"`
	Topics        []catalogTopic `json:"topics"`
	Clock         *clockReading  `json:"clock"`
}

type catalogTopic struct {
	Topic     string `json:"topic"`
	Partition uint32 `json:"partition"`
	TopicID   string `json:"topic_id"` // 32 hex digits
	// HighWatermark is one that the log has had: it cannot end before.
	HighWatermark int64 `json:"high_watermark"`
}

func (t *catalogTopic) id() (id [16]byte, err error) {
	b, err := hex.DecodeString(t.TopicID)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("%w: %s: topic ID %q of %s", ErrCorrupt, catalogName, t.TopicID, t.Topic)
	}
	return [16]byte(b), nil
}

// used tells whether there has been a topic.
func (c *catalog) used() bool { return c != nil && c.NextPartition > 0 }

// topic returns the entry of a partition, nil if there is none.
func (c *catalog) topic(partition uint32) *catalogTopic {
	if c == nil {
		return nil
	}
	i := slices.IndexFunc(c.Topics, func(t catalogTopic) bool { return t.Partition == partition })
	if i < 0 {
		return nil
	}
	return &c.Topics[i]
}

// catalog returns what the file is to say now, of all partitions but one.
func (s *Store) catalog(without *Partition) *catalog {
	s.mu.RLock()
	next := s.nextID
	s.mu.RUnlock()
	c := &catalog{Format: s.format, ClusterID: s.clusterID, NextPartition: next, Clock: s.clock.reading()}
	for _, p := range s.Partitions() {
		if p == without {
			continue
		}
		t := catalogTopic{Topic: p.topic, Partition: p.id, TopicID: hex.EncodeToString(p.topicID[:]), HighWatermark: p.HighWatermark()}
		if p.broken != nil {
			t.HighWatermark = p.reached
		}
		c.Topics = append(c.Topics, t)
	}
	return c
}

// saveCatalog writes the file if it has changed.
func (s *Store) saveCatalog() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	return s.writeCatalog(nil)
}

// writeCatalog leaves out one partition. The caller holds saving.
func (s *Store) writeCatalog(without *Partition) error {
	content, err := s.catalog(without).encode()
	if err != nil || bytes.Equal(content, s.saved) {
		return err
	}
	fsys := &failStopFS{s.opts.FS, s}
	if err := s.start(func() error { return writeFile(fsys, s.opts.Dir, catalogName, content) })(); err != nil {
		return fmt.Errorf("write %s: %w", catalogName, describe(err))
	}
	s.saved = content
	return nil
}

// checksum returns the line that ends the file.
func checksum(text []byte) string {
	return fmt.Sprintf("crc32c %08x\n", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// encode returns JSON, and a line with its checksum.
func (c *catalog) encode() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	b = append(b, '\n')
	return append(b, checksum(b)...), nil
}

// readCatalog returns the file's content; nil if there is none.
func readCatalog(fsys vfs.FS, dir string) (*catalog, error) {
	b, err := readFile(fsys, fsys.PathJoin(dir, catalogName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", catalogName, describeRead(err))
	}
	text := b[:max(len(b)-len(checksum(nil)), 0)]
	if string(b[len(text):]) != checksum(text) {
		return nil, fmt.Errorf("%w: %s does not have its checksum", ErrCorrupt, catalogName)
	}
	var c catalog
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, catalogName, err)
	}
	return &c, nil
}

func readFile(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// writeFile replaces a file in one synced step.
func writeFile(fsys vfs.FS, dir, name string, content []byte) error {
	temporary := fsys.PathJoin(dir, name+".new")
	f, err := fsys.Create(temporary, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(temporary, fsys.PathJoin(dir, name)); err != nil {
		return err
	}
	return syncDir(fsys, dir)
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
