package admin

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// decode reads the JSON object of a request into a T, strictly: a key that T
// has not is an error, and so is anything behind the object.
func decode[T any](r *http.Request) (T, error) {
	var v T
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return v, problem(http.StatusUnsupportedMediaType, CodeMediaType, "Content-Type must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequestBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return v, problem(http.StatusRequestEntityTooLarge, CodeTooLarge, "the request has more than %d bytes", maxRequestBytes)
	}
	if err != nil {
		return v, badRequest("the request ends too early: %v", err)
	}
	return v, decodeObject(body, &v)
}

func decodeObject(body []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badRequest("%s", cut(describeJSON(err)))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRequest("there is something behind the JSON object")
	}
	return nil
}

// maxReason bounds, in characters, what an error repeats of the request.
const maxReason = 200

func cut(reason string) string {
	if r := []rune(reason); len(r) > maxReason {
		return string(r[:maxReason]) + "…"
	}
	return reason
}

// describeJSON says what is wrong without Go's words.
func describeJSON(err error) string {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
		when   *time.ParseError
	)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the JSON ends too early"
	case errors.As(err, &syntax):
		return "not JSON: " + syntax.Error()
	case errors.As(err, &kind) && kind.Field != "":
		return "the field " + kind.Field + " cannot be a JSON " + kind.Value
	case errors.As(err, &kind):
		return "a JSON object is wanted, not a JSON " + kind.Value
	case errors.As(err, &when):
		return when.Value + " is not a time of the form 2006-01-02T15:04:05Z"
	}
	return strings.TrimPrefix(err.Error(), "json: ") // unknown field "…"
}
