package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// What follows refuses a request that is not of the form that is described. No
// message repeats a value: it may be a password in the wrong place.

// checkQuery wants of a query the parameters that are known, each once.
func checkQuery(raw string, params []*huma.Param) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return wrongAt(CodeBadRequest, "query", "the query is not of the form name=value&…")
	}
	known := map[string]*huma.Param{}
	for _, p := range params {
		if p.In == "query" {
			known[p.Name] = p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		p, ok := known[name]
		if !ok {
			return unknownName("query", "parameter", name, slices.Sorted(maps.Keys(known)))
		}
		where := "query." + name
		if n := len(query[name]); n > 1 {
			return wrongAt(CodeBadRequest, where, "%s is given %d times", name, n)
		}
		if wanted := unlike(p.Schema.Type, query[name][0]); wanted != "" {
			return wrongAt(CodeBadRequest, where, "%s is %s", name, wanted)
		}
	}
	return nil
}

// unlike says what a parameter's value should have been, or "".
func unlike(kind, value string) string {
	switch kind {
	case huma.TypeBoolean:
		if value != "true" && value != "false" {
			return "true or false"
		}
	case huma.TypeInteger:
		if _, err := strconv.ParseInt(value, 10, 64); err != nil || strings.HasPrefix(value, "+") {
			return "an integer"
		}
	default:
		if value == "" {
			return "not empty: leave it out"
		}
	}
	return ""
}

// nameLike is what a name looks like that may be repeated in a message.
var nameLike = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

const maxName = 30 // bytes

// unknownName says that a key or a parameter is not known, and which ones are.
func unknownName(where, what, name string, known []string) error {
	shown := ""
	if nameLike.MatchString(name) && len(name) <= maxName {
		shown = " " + strconv.Quote(name)
		where += "." + name
	}
	others := "there are none"
	if len(known) > 0 {
		others = "there are " + strings.Join(known, ", ")
	}
	return wrongAt(CodeBadRequest, where, "unknown %s%s; %s", what, shown, others)
}

// readObject reads the body of a request, the JSON object of v, strictly.
func readObject(r *http.Request, v any) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, problem(CodeMediaType, "Content-Type must be application/json")
	}
	content, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequestBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		way := ""
		switch v.(type) {
		case *Definition, *Patch:
			way = ": a task with longer lists of patterns is one for the configuration file"
		}
		return nil, problem(CodeTooLarge, "the request has more than %d bytes%s", maxRequestBytes, way)
	}
	if err != nil {
		return nil, problem(CodeBadRequest, "the request ends too early")
	}
	return content, decodeObject(content, v)
}

// readNothing reads the body of a request that needs none: some clients send an empty object all the same.
func readNothing(r *http.Request) error {
	content, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequestBytes))
	switch {
	case err != nil:
		return wrongAt(CodeBadRequest, "body", "this operation takes no body")
	case len(bytes.TrimSpace(content)) == 0:
		return nil
	}
	return decodeObject(content, &struct{}{})
}

// decodeObject reads a JSON object into v, a pointer to a struct.
func decodeObject(content []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(content)))
	if err := d.Decode(v); err != nil {
		return describeJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return wrongAt(CodeBadRequest, "body", "there is something behind the JSON object")
	}
	return checkKeys(json.NewDecoder(strings.NewReader(string(content))), reflect.TypeOf(v), "body")
}

// checkKeys wants of each object of a JSON text the keys of its type, each once and
// in the same letters: encoding/json takes the last one, and GROUP for group. Nor
// is null for a field that is not there.
func checkKeys(d *json.Decoder, t reflect.Type, where string) error {
	token, err := d.Token()
	if err != nil {
		return describeJSON(err)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	free := t.Kind() != reflect.Struct && (t.Kind() != reflect.Slice || t == reflect.TypeFor[Start]()) // has keys of its own, if any
	switch token {
	case nil:
		if where != "body" && free && t.Kind() == reflect.Interface {
			return nil
		}
		if where == "body" {
			return wrongAt(CodeBadRequest, where, "a JSON object is wanted, not a JSON null")
		}
		return wrongAt(CodeBadRequest, where, "%s is null: leave it out", where)
	case json.Delim('{'):
		return checkObject(d, t, where)
	case json.Delim('['):
		of := anything
		if !free {
			of = t.Elem()
		}
		for i := 0; d.More(); i++ {
			if err := checkKeys(d, of, fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
		_, err = d.Token() // the end of the list
	}
	return err
}

func checkObject(d *json.Decoder, t reflect.Type, where string) error {
	var fields map[string]reflect.Type // nil: any
	if t.Kind() == reflect.Struct {
		fields = fieldsOf(t)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return describeJSON(err)
		}
		key, _ := token.(string) // nothing else can be one
		field, known := fields[key]
		if fields == nil {
			field = anything
		} else if !known {
			return unknownName(where, "field", key, slices.Sorted(maps.Keys(fields)))
		}
		at := where
		if known || nameLike.MatchString(key) && len(key) <= maxName { // else it may be a secret in the wrong place
			at += "." + key
		}
		if seen[key] {
			return wrongAt(CodeBadRequest, at, "the field %s is given twice", key)
		}
		seen[key] = true
		if err := checkKeys(d, field, at); err != nil {
			return err
		}
	}
	_, err := d.Token() // the end of the object
	return err
}

// anything is the type of what may be of any form.
var anything = reflect.TypeFor[any]()

// fieldsOf returns the types of a struct's fields by their JSON names.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	return fields
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
func describeJSON(err error) error {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
		when   *time.ParseError
	)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return wrongAt(CodeBadRequest, "body", "the JSON ends too early")
	case errors.As(err, &syntax):
		return wrongAt(CodeBadRequest, "body", "not JSON: %v, at byte %d", syntax, syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return wrongAt(CodeBadRequest, "body."+kind.Field, "the field %s cannot be a JSON %s", kind.Field, kindOf(kind.Value))
	case errors.As(err, &kind):
		return wrongAt(CodeBadRequest, "body", "a JSON object is wanted, not a JSON %s", kindOf(kind.Value))
	case errors.As(err, &when):
		return wrongAt(CodeBadRequest, "body", "a time is not of the form 2006-01-02T15:04:05Z")
	}
	return wrongAt(CodeBadRequest, "body", "a field is not of the form that is wanted, such as 2006-01-02T15:04:05Z of a time")
}

// kindOf leaves out the number that encoding/json repeats, such as "number 1e3".
func kindOf(value string) string {
	kind, number, _ := strings.Cut(value, " ")
	if number != "" {
		return kind + " of that size or form"
	}
	return kind
}
