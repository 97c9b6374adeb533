package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"unicode/utf8"
)

// FuzzDecode wants of every request body that it is refused with a message, or
// read into what reads the same when it is written again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"group": "g", "task": "shop", "account": "app", "password": "s3cret-word"}`,
		`{"password": "s3cret-word", "end_connections": true}`,
		`{"to_time": "2026-01-31T12:00:00+01:00", "dry_run": true}`, `{"shift_by": -9223372036854775808}`,
		`{"to_offset": 1e3}`, `{"tables": ["a.b", [null]], "adopt": true}`, `{"to_offset": null}`, `{} {}`, `null`, `[{}]`, `{"group": "\ud800"}`, `{"Group": "g", "group": "h"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, v := range []any{new(CreateRequest), new(PasswordRequest), new(ResetRequest), new(CheckRequest)} {
			if err := decodeObject(body, v); err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Status != http.StatusBadRequest || e.Detail == "" || utf8.RuneCountInString(e.Detail) > 201 || len(e.Errors) != 1 {
					t.Errorf("%T: %#v", v, err)
				}
				continue
			}
			written, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("%T cannot be written again: %v", v, err)
			}
			again := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			if err := decodeObject(written, again); err != nil {
				t.Fatalf("%T written as %s: %v", v, written, err)
			}
			if twice, err := json.Marshal(again); err != nil || !bytes.Equal(twice, written) {
				t.Errorf("%T: %s, then %s", v, written, twice)
			}
		}
	})
}
