package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"daybook/admin"
	"daybook/task"
)

var errNoObject = errors.New("is no JSON object")

// readPatch reads a JSON object in which each key comes once.
func readPatch(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, "")
	if err != nil {
		return nil, err
	}
	keys, ok := v.(map[string]any)
	if _, err := d.Token(); !ok || !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	return keys, nil
}

// readValue reads the next value, which is at a key.
func readValue(d *json.Decoder, at string) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, errNoObject
	}
	switch token {
	case json.Delim('{'):
		keys := map[string]any{}
		for d.More() {
			token, err := d.Token()
			key, ok := token.(string)
			if err != nil || !ok {
				return nil, errNoObject
			}
			if _, twice := keys[key]; twice {
				return nil, fmt.Errorf("has %s twice", printable(at+key))
			}
			if keys[key], err = readValue(d, at+key+"."); err != nil {
				return nil, err
			}
		}
		return keys, ended(d)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			item, err := readValue(d, at)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, ended(d)
	}
	return token, nil
}

// ended reads the end of an object or a list.
func ended(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errNoObject
	}
	return nil
}

// mergeKeys adds the keys of a patch to those that flags give; none may be in both.
func mergeKeys(keys, patch map[string]any, at string) error {
	for key, value := range patch {
		former, given := keys[key]
		inner, ok := former.(map[string]any)
		further, ok2 := value.(map[string]any)
		switch {
		case !given:
			keys[key] = value
		case !ok || !ok2:
			return fmt.Errorf("%s is given by a flag and by --patch", printable(at+key))
		default:
			if err := mergeKeys(inner, further, at+key+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// change changes a task's definition, waits a while for what becomes of it, and prints the task.
func (r *remote) change(ctx context.Context, c *admin.Client, name string, keys map[string]any) error {
	changed, err := c.ChangeTask(ctx, name, keys)
	if err != nil {
		return err
	}
	if changed, err = settled(ctx, c, changed); err != nil {
		return err
	}
	return r.print(changed, func() error { return r.printTask(&changed) })
}

// settleLimit is how long a command that is done waits for the state that it leads to.
const settleLimit = 5 * time.Second

// settled returns the task as soon as it reads its source, or has failed anew, or after settleLimit.
func settled(ctx context.Context, c *admin.Client, before admin.Task) (admin.Task, error) {
	t := before
	for deadline := time.Now().Add(settleLimit); !rests(&before, &t) && time.Now().Before(deadline); {
		select {
		case <-time.After(precheckPoll):
		case <-ctx.Done():
			return t, ctx.Err()
		}
		now, err := c.Task(ctx, t.Name)
		if err != nil { // the command is done all the same
			return t, nil
		}
		t = now
	}
	return t, nil
}

// rests tells whether a task has come to what a command leads to.
func rests(before, t *admin.Task) bool {
	switch t.State {
	case string(task.Normal), string(task.NotStarted):
		return true
	case string(task.Error):
		return before.State != t.State || before.Reason != t.Reason || !before.Retry.Equal(t.Retry)
	}
	return false
}
