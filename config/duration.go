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
	v, err := time.ParseDuration(node.String())
	if err != nil {
		return nodeErrorf(node, "is no duration such as 90s, 15m or 24h")
	}
	*d = Duration(v)
	return nil
}
