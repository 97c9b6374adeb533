package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// asJSON returns a part of the configuration as JSON, with the keys that it has in YAML, in their order. By way of
// YAML texts with control characters would come out as others.
func asJSON(v reflect.Value) ([]byte, error) {
	switch x := v.Interface().(type) {
	case Duration:
		return compact(x.String())
	case Start:
		return startJSON(x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return []byte("null"), nil
		}
		return asJSON(v.Elem())
	case reflect.Struct:
		entries, err := entriesOf(v)
		return joined('{', entries, '}'), err
	case reflect.Slice:
		var items [][]byte
		for i := range v.Len() {
			item, err := asJSON(v.Index(i))
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return joined('[', items, ']'), nil
	}
	return compact(v.Interface())
}

// entriesOf returns those of a mapping.
func entriesOf(v reflect.Value) ([][]byte, error) {
	var entries [][]byte
	for i := range v.NumField() {
		key, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		field := v.Field(i)
		switch {
		case key == "-" || option == "omitempty" && (field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0):
			continue
		case option == "inline":
			more, err := entriesOf(field)
			if err != nil {
				return nil, err
			}
			entries = append(entries, more...)
			continue
		}
		value, err := asJSON(field)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		entries = append(entries, fmt.Appendf(nil, "%q:%s", key, value))
	}
	return entries, nil
}

// startJSON returns what UnmarshalYAML reads.
func startJSON(s Start) ([]byte, error) {
	written, err := s.MarshalYAML()
	if err != nil {
		return nil, err
	}
	pairs, ok := written.(yaml.MapSlice)
	if !ok {
		return compact(written)
	}
	var entries [][]byte
	for _, p := range pairs {
		value, err := compact(p.Value)
		if err != nil {
			return nil, err
		}
		entries = append(entries, fmt.Appendf(nil, "%q:%s", p.Key, value))
	}
	return joined('{', entries, '}'), nil
}

func joined(begin byte, parts [][]byte, end byte) []byte {
	return append(append([]byte{begin}, bytes.Join(parts, []byte{','})...), end)
}

// compact encodes without a line's end.
func compact(v any) ([]byte, error) {
	text, err := encode(v)
	return bytes.TrimSpace(text), err
}
