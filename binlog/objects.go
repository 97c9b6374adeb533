package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"

	"daybook/objects"
)

// selected is what was selected when a checkpoint was taken, saved as an entry.
// The rows taken of a half-read transaction were counted by it, so it holds until
// that transaction ends, even if others are selected meanwhile.
type selected struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
	Fold    bool     `json:"fold,omitempty"`
	// Marks tells that backquotes and slashes in the patterns have their meaning. They
	// had none in earlier versions, whose entries lack it, as do those without such.
	Marks bool `json:"marks,omitempty"`
}

// objectsKey is the key of the entry that holds them.
var objectsKey = []byte("f\x00")

// selectObjects makes the filter of the options. saved is the entry of the last
// checkpoint, if it had one, and p where it was taken.
func (r *Reader) selectObjects(saved []byte, p *position) error {
	var err error
	if r.filter, err = objects.New(r.o.Include, r.o.Exclude, r.fold); err != nil {
		return err
	}
	entry, err := json.Marshal(selected{r.o.Include, r.o.Exclude, r.fold, !objects.Plain(r.o.Include) || !objects.Plain(r.o.Exclude)})
	if err != nil {
		return err
	}
	if bytes.Equal(entry, saved) {
		return nil
	}
	r.chosen, r.selects = chosenObjects{r.filter, entry}, saved != nil
	r.resumedIn = p != nil && p.inGroup()
	if !r.resumedIn || saved == nil { // earlier versions saved none
		r.changeObjects()
		return nil
	}
	r.filter, err = readSelected(saved)
	return err
}

// readSelected reads a saved entry.
func readSelected(saved []byte) (*objects.Selection, error) {
	var former selected
	if err := json.Unmarshal(saved, &former); err != nil {
		return nil, fmt.Errorf("%w: the objects: %w", ErrSaved, err)
	}
	s, err := objects.Saved(former.Include, former.Exclude, former.Fold, !former.Marks)
	if err != nil {
		return nil, fmt.Errorf("%w: the objects: %w", ErrSaved, err)
	}
	return s, nil
}

// Reselected tells whether other objects are selected than were at the position that
// the reader resumed at, and whether that stands in an event group of which a part is
// read: then they are selected from the group's end on.
func (r *Reader) Reselected() (others, inGroup bool) { return r.selects, r.selects && r.resumedIn }

// chosenObjects wait for the end of a half-read transaction.
type chosenObjects struct {
	filter *objects.Selection
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
