package admin

import (
	"encoding/base64"
	"slices"
	"strings"
)

// listInput asks for a page of a list.
type listInput struct {
	Limit  int    `query:"limit" default:"500" minimum:"1" maximum:"1000" doc:"How many there may be on the page."`
	Cursor string `query:"cursor" minLength:"1" doc:"next of the page before; without it the first page is answered."`
}

// body is an answer that has one.
type body[T any] struct{ Body T }

// page returns the items of one page, and the cursor of the next one, "" if there
// is none. Items are in the order of their keys, and a cursor is the key of the
// last one: what comes and goes between two pages hides no other, and has none
// come twice.
func page[T any](items []T, key func(T) string, in *listInput) ([]T, string, error) {
	last, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return nil, "", wrongAt(CodeBadRequest, "query.cursor", "cursor is not the next of a page")
	}
	from := 0
	if in.Cursor != "" {
		at, found := slices.BinarySearchFunc(items, string(last), func(item T, last string) int { return strings.Compare(key(item), last) })
		if from = at; found {
			from++
		}
	}
	items = items[from:]
	if len(items) <= in.Limit {
		return items, "", nil
	}
	return items[:in.Limit], base64.RawURLEncoding.EncodeToString([]byte(key(items[in.Limit-1]))), nil
}
