package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Duration is a time.Duration in Go's notation: 90s, 15m, 24h.
type Duration time.Duration

// String returns the duration in Go's notation.
func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalYAML reads Go's notation.
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	text := node.String()
	if quoted, ok := node.(*ast.StringNode); ok {
		text = quoted.Value
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return nodeErrorf(node, "is no duration such as 90s, 15m or 24h")
	}
	*d = Duration(v)
	return nil
}

// MarshalYAML writes Go's notation.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }
