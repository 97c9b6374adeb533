package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// objects is what was selected when a checkpoint was taken, saved as an entry.
// The rows taken of a half-read transaction were counted by it, so it holds until
// that transaction ends, even if others are selected meanwhile.
type objects struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
	Fold    bool     `json:"fold,omitempty"`
}

// objectsKey is the key of the entry that holds them.
var objectsKey = []byte("f\x00")

// selectObjects makes the filter of the options. saved is the entry of the last
// checkpoint, if it had one, and p where it was taken.
func (r *Reader) selectObjects(saved []byte, p *position) error {
	chosen := objects{r.o.Include, r.o.Exclude, r.fold}
	var err error
	if r.filter, err = newFilter(chosen.Include, chosen.Exclude, chosen.Fold); err != nil {
		return err
	}
	entry, err := json.Marshal(chosen)
	if err != nil {
		return err
	}
	if bytes.Equal(entry, saved) {
		return nil
	}
	r.chosen = chosenObjects{r.filter, entry}
	if p == nil || !p.inGroup() || saved == nil { // earlier versions saved none
		r.changeObjects()
		return nil
	}
	var former objects
	if err := json.Unmarshal(saved, &former); err != nil {
		return fmt.Errorf("%w: the objects: %w", ErrSaved, err)
	}
	r.filter, err = newFilter(former.Include, former.Exclude, former.Fold)
	return err
}

// chosenObjects wait for the end of a half-read transaction.
type chosenObjects struct {
	filter *filter
	entry  []byte
}

// changeObjects makes the chosen objects those that are selected.
func (r *Reader) changeObjects() {
	if r.chosen.filter == nil {
		return
	}
	r.filter = r.chosen.filter
	r.entries.put(objectsKey, r.chosen.entry)
	r.chosen = chosenObjects{}
	r.tables.clear()
}
