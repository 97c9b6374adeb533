package rowevent_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/binlog/rowevent"
	"daybook/change"
)

const tableMapEvent = 19

// event is a binlog event without header and checksum.
type event struct {
	kind byte
	body []byte
}

// recording is a table's definition and the events that a real server wrote
// for it. Files of them are in testdata, one line for each field:
//
//	server <flavor> <version>
//	table <definition as JSON>
//	event <type> <body in hex>
//	before|after <value> <value> …     what the events decode to, in order
type recording struct {
	options rowevent.DecoderOptions
	table   *change.Table
	events  []event
	rows    []string
}

func readRecording(t testing.TB, file string) *recording {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{table: &change.Table{}}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "server":
			_, err = fmt.Sscan(rest, &r.options.Flavor, &r.options.Version)
		case "table":
			err = json.Unmarshal([]byte(rest), r.table)
		case "event":
			var e event
			var text string
			if _, err = fmt.Sscan(rest, &e.kind, &text); err == nil {
				e.body, err = hex.DecodeString(text)
			}
			r.events = append(r.events, e)
		default:
			r.rows = append(r.rows, lines.Text())
		}
		if err != nil {
			t.Fatalf("%s: %.100s: %v", file, lines.Text(), err)
		}
	}
	return r
}

// decode decodes the events, and returns a line for each row image.
func (r *recording) decode() (rows []string, err error) {
	var d *rowevent.Decoder
	for _, e := range r.events {
		if e.kind == tableMapEvent {
			m, err := rowevent.ParseTableMap(e.body, 6)
			if err != nil {
				return rows, err
			}
			if d, err = rowevent.NewDecoder(m, r.table, r.options); err != nil {
				return rows, err
			}
			continue
		}
		if err := d.Start(rowevent.EventKind(e.kind), e.body); err != nil {
			return rows, err
		}
		for {
			var before, after []change.Value
			ok, err := d.Next(&before, &after)
			if err != nil {
				return rows, err
			}
			if !ok {
				break
			}
			if before != nil {
				rows = append(rows, "before "+formatValues(before))
			}
			if after != nil {
				rows = append(rows, "after "+formatValues(after))
			}
		}
	}
	return rows, nil
}

var kindNames = map[change.Kind]string{
	change.Int64: "int", change.Uint64: "uint", change.Float32: "float", change.Float64: "double", change.DecimalText: "decimal",
	change.Bits: "bits", change.YearNum: "year", change.CivilDate: "date", change.CivilTime: "datetime",
	change.Instant: "instant", change.Duration: "duration", change.String: "string", change.Blobs: "bytes",
	change.EnumLabel: "enum", change.SetLabels: "set", change.JSONText: "json", change.WKB: "wkb",
}

func formatValues(values []change.Value) string {
	var b strings.Builder
	for i := range values {
		b.WriteString(" " + formatValue(&values[i]))
	}
	return b.String()[1:]
}

func formatValue(v *change.Value) string {
	name := kindNames[v.Kind] + ":"
	switch v.Kind {
	case change.Absent:
		return "absent"
	case change.Null:
		return "null"
	case change.Int64, change.Instant, change.Duration:
		return name + fmt.Sprint(v.Int())
	case change.Float32, change.Float64:
		return name + fmt.Sprint(v.Float())
	case change.CivilDate, change.CivilTime:
		return name + strings.ReplaceAll(fmt.Sprint(v.Civil()), " ", "-")
	case change.EnumLabel, change.SetLabels:
		return fmt.Sprintf("%s%d:%q", name, v.Num, v.Bytes)
	case change.WKB:
		return fmt.Sprintf("%s%d:%x", name, v.Num, v.Bytes)
	case change.Blobs:
		return fmt.Sprintf("%s%x", name, v.Bytes)
	case change.DecimalText, change.String, change.JSONText:
		return fmt.Sprintf("%s%q", name, v.Bytes)
	}
	return name + fmt.Sprint(v.Num)
}

func recordings(t testing.TB) []string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in testdata: %v", err)
	}
	return files
}

// TestRecordings decodes what real servers wrote. The rows in the files are
// those that were equal to SELECT when they were recorded.
func TestRecordings(t *testing.T) {
	for _, file := range recordings(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			r := readRecording(t, file)
			rows, err := r.decode()
			if err != nil {
				t.Fatal(err)
			}
			for i := range min(len(rows), len(r.rows)) {
				if rows[i] != r.rows[i] {
					t.Errorf("row image %d:\n got %s\nwant %s", i, rows[i], r.rows[i])
				}
			}
			if len(rows) != len(r.rows) || len(rows) == 0 {
				t.Errorf("%d row images, want %d", len(rows), len(r.rows))
			}
		})
	}
}
