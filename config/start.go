package config

import (
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// StartKind says how the place is named at which a new task begins to read.
type StartKind string

// The ways to name the start.
const (
	StartNow      StartKind = "now"
	StartEarliest StartKind = "earliest"
	StartTime     StartKind = "time"
	StartGTID     StartKind = "gtid"
	StartFile     StartKind = "file"
)

// Start is where a task that has no position yet begins to read the binlog.
type Start struct {
	Kind StartKind
	Time time.Time
	GTID string
	File string
	Pos  uint64
}

// UnmarshalYAML reads `now`, `earliest`, `{time: …}`, `{gtid: …}` or `{file: …, pos: …}`.
func (s *Start) UnmarshalYAML(node ast.Node) error {
	if str, ok := node.(*ast.StringNode); ok {
		switch k := StartKind(str.Value); k {
		case StartNow, StartEarliest:
			*s = Start{Kind: k}
			return nil
		}
		return nodeErrorf(node, "is no start: now, earliest, {time: …}, {gtid: …} or {file: …, pos: …}")
	}
	var m struct {
		Time *string `yaml:"time"`
		GTID *string `yaml:"gtid"`
		File *string `yaml:"file"`
		Pos  *uint64 `yaml:"pos"`
	}
	if err := yaml.NodeToValue(node, &m, yaml.Strict()); err != nil {
		return err
	}
	switch {
	case m.Time != nil && m.GTID == nil && m.File == nil && m.Pos == nil:
		t, err := time.Parse(time.RFC3339, *m.Time)
		if err != nil {
			return nodeErrorf(node, "the time is not of the form 2006-01-02T15:04:05Z")
		}
		*s = Start{Kind: StartTime, Time: t}
	case m.GTID != nil && m.Time == nil && m.File == nil && m.Pos == nil:
		*s = Start{Kind: StartGTID, GTID: *m.GTID}
	case m.File != nil && *m.File != "" && m.Time == nil && m.GTID == nil:
		*s = Start{Kind: StartFile, File: *m.File, Pos: 4}
		if m.Pos != nil {
			s.Pos = *m.Pos
		}
	default:
		return nodeErrorf(node, "wants exactly one of now, earliest, {time: …}, {gtid: …}, {file: …, pos: …}")
	}
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (s Start) MarshalYAML() (any, error) {
	switch s.Kind {
	case StartTime:
		return map[string]string{"time": s.Time.Format(time.RFC3339)}, nil
	case StartGTID:
		return map[string]string{"gtid": s.GTID}, nil
	case StartFile:
		return yaml.MapSlice{{Key: "file", Value: s.File}, {Key: "pos", Value: s.Pos}}, nil
	}
	return string(s.Kind), nil
}
