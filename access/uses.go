package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"daybook/store"
)

// useInterval is how far what is saved of a token's last use may be behind.
const useInterval = time.Minute

// use is when a token was used last.
type use struct {
	Last  time.Time `json:"last"`
	saved time.Time
}

// loadUses reads when each token was used, and forgets those that are gone.
func (r *Registry) loadUses() error {
	for kv, err := range r.uses.Scan(nil) {
		if err != nil {
			return fmt.Errorf("read the use of tokens: %w", err)
		}
		var u use
		name := string(kv.Key)
		if r.file(name) == nil && r.stored[name] == nil {
			if err := r.uses.Delete(kv.Key); err != nil {
				return fmt.Errorf("forget the use of token %q: %w", name, err)
			}
			continue
		}
		if json.Unmarshal(kv.Value, &u) == nil { // else it is not known
			u.saved = u.Last
			r.used[name] = &u
		}
	}
	return nil
}

// use notes that a token was used. Who asks does not wait for more than a sync a minute, and is answered
// though it fails.
func (r *Registry) use(name string, now time.Time) {
	r.mu.Lock()
	if r.stored[name] == nil && r.file(name) == nil { // it was deleted meanwhile
		r.mu.Unlock()
		return
	}
	u := r.used[name]
	if u == nil {
		u = &use{}
		r.used[name] = u
	}
	u.Last = now.UTC().Truncate(time.Millisecond)
	due := now.Sub(u.saved) >= useInterval
	if due {
		u.saved = now
	}
	last := *u
	r.mu.Unlock()
	if !due {
		return
	}
	value, err := json.Marshal(&last)
	if err == nil {
		err = r.uses.Put([]byte(name), value)
	}
	if err != nil && !errors.Is(err, store.ErrClosed) {
		r.o.Logger.Warn("the use of a token cannot be saved", "token", name, "error", err)
	}
}

func (r *Registry) forget(name string) error {
	r.mu.Lock()
	delete(r.used, name)
	r.mu.Unlock()
	if err := r.uses.Delete([]byte(name)); err != nil {
		return fmt.Errorf("forget the use of the token: %w", err)
	}
	return nil
}
