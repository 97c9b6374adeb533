package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"daybook/binlog/schema"
	"daybook/change"
)

// held is the definition that a table has after its last DDL before the
// snapshot. Until the stream has passed that DDL, what the table looks like
// is known only if a statement on the way says all of it.
type held struct {
	File string `json:"file"`
	Pos  uint64 `json:"pos"`
	GTID string `json:"gtid,omitempty"`
	// Packed is the definition, with all that the catalog knows of the table; nil: dropped.
	Packed []byte `json:"packed,omitempty"`
	// Table is what earlier versions saved in its place.
	Table *change.Table `json:"table,omitempty"`
	name  schema.TableName
}

// at names the DDL: by GTID, which holds after a failover too, or by place.
func (h *held) at() string { return heldAt(h.GTID, h.File, h.Pos) }

func heldAt(gtid, file string, pos uint64) string {
	if gtid != "" {
		return gtid
	}
	return fmt.Sprintf("%s:%d", file, pos)
}

// heldDefinitions are those by folded table name, and the names by DDL.
type heldDefinitions struct {
	byName map[schema.TableName]held
	byDDL  map[string][]schema.TableName
}

func newHeldDefinitions() heldDefinitions {
	return heldDefinitions{byName: map[schema.TableName]held{}, byDDL: map[string][]schema.TableName{}}
}

func (d *heldDefinitions) put(key schema.TableName, h held) {
	d.byName[key] = h
	d.byDDL[h.at()] = append(d.byDDL[h.at()], key)
}

// heldPrefix begins the keys of held definitions among the entries.
var heldPrefix = []byte("h\x00")

func heldKey(n schema.TableName) []byte { return []byte("h\x00" + n.Database + "\x00" + n.Name) }

// hold saves that a definition is held back.
func (r *Reader) hold(key schema.TableName, h held) {
	value, err := json.Marshal(h)
	if err != nil {
		panic(err) // plain structs of strings and numbers: cannot fail
	}
	r.held.put(key, h)
	r.entries.put(heldKey(key), value)
}

func (r *Reader) loadHeld(key, value []byte) error {
	parts := bytes.Split(key, []byte{0})
	var h held
	if err := json.Unmarshal(value, &h); err != nil || len(parts) != 3 {
		return fmt.Errorf("held definition %q: %w", key, err)
	}
	h.name = schema.TableName{Database: string(parts[1]), Name: string(parts[2])}
	r.held.put(h.name, h)
	return nil
}

// releaseHeld gives the catalog the definitions that are right behind the
// statement just applied.
func (r *Reader) releaseHeld() error {
	if len(r.held.byName) == 0 {
		return nil
	}
	at := heldAt(r.stream.gtidText(), r.stream.file, r.stream.start)
	for _, n := range r.held.byDDL[at] {
		h, ok := r.held.byName[n]
		if !ok || h.at() != at {
			continue // a later DDL holds it
		}
		if err := r.release(n, &h); err != nil {
			return err
		}
		delete(r.held.byName, n)
		r.entries.put(heldKey(n), nil)
	}
	delete(r.held.byDDL, at)
	return nil
}

// release gives the catalog one definition. Labels that the statements on the way told stay, where
// the server may show them so.
func (r *Reader) release(n schema.TableName, h *held) error {
	known, ok := r.catalog.Table(n.Database, n.Name)
	switch {
	case h.Packed != nil:
		if err := r.catalog.PutPacked(h.Packed); err != nil {
			return err
		}
	case h.Table != nil:
		r.catalog.Put(h.Table)
	default:
		r.catalog.Drop(n.Database, n.Name)
	}
	if ok {
		r.catalog.KeepLabels(known)
	}
	return nil
}

func (r *Reader) foldName(n schema.TableName) schema.TableName {
	if !r.fold {
		return n
	}
	return schema.TableName{Database: strings.ToLower(n.Database), Name: strings.ToLower(n.Name)}
}
