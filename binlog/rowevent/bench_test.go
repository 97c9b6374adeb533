package rowevent_test

import (
	"encoding/binary"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// benchmarkRows is the recording that the benchmarks decode: 100 rows of
// (BIGINT, INT, VARCHAR utf8mb4, DECIMAL(12,2), DATETIME(3), TIMESTAMP, TEXT).
const benchmarkRows = "testdata/mixed-rows.txt"

func BenchmarkDecode(b *testing.B) {
	r := readRecording(b, benchmarkRows)
	m, err := rowevent.ParseTableMap(r.events[0].body, 6)
	if err != nil {
		b.Fatal(err)
	}
	d, err := rowevent.NewDecoder(m, r.table, r.options)
	if err != nil {
		b.Fatal(err)
	}
	e := r.events[1]
	var before, after []change.Value
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Start(rowevent.EventKind(e.kind), e.body); err != nil {
			b.Fatal(err)
		}
		for {
			ok, err := d.Next(&before, &after)
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
			rows++
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkSkip(b *testing.B) {
	r := readRecording(b, benchmarkRows)
	m, _ := rowevent.ParseTableMap(r.events[0].body, 6)
	d, err := rowevent.NewDecoder(m, r.table, r.options)
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	for b.Loop() {
		if err := d.Start(rowevent.EventKind(r.events[1].kind), r.events[1].body); err != nil {
			b.Fatal(err)
		}
		for ok := true; ok; {
			if ok, err = d.Skip(); err != nil {
				b.Fatal(err)
			}
			rows++
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkGoMySQL decodes the same bytes with go-mysql.
func BenchmarkGoMySQL(b *testing.B) {
	r := readRecording(b, benchmarkRows)
	parser := replication.NewBinlogParser()
	parse := func(raw []byte) int {
		parsed, err := parser.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if rows, ok := parsed.Event.(*replication.RowsEvent); ok {
			return len(rows.Rows)
		}
		return 0
	}
	parse(rawEvent(event{15, formatDescription()}))
	parse(rawEvent(r.events[0]))
	raw := rawEvent(r.events[1])
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		rows += parse(raw)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// rawEvent puts an event header before e.
func rawEvent(e event) []byte {
	raw := make([]byte, 19, 19+len(e.body))
	raw[4] = e.kind
	binary.LittleEndian.PutUint32(raw[9:], uint32(19+len(e.body)))
	return append(raw, e.body...)
}

// formatDescription is the body of a MySQL 8.0 server's without checksums.
func formatDescription() []byte {
	b := []byte{4, 0}
	b = append(b, "8.0.31"...)
	b = append(b, make([]byte, 50-len("8.0.31")+4)...)
	b = append(b, 19)
	for kind := 1; kind <= 41; kind++ {
		length := byte(8)
		if kind >= int(rowevent.WriteRowsV2) && kind <= int(rowevent.DeleteRowsV2) {
			length = 10
		}
		b = append(b, length)
	}
	return append(b, 0, 0, 0, 0, 0)
}
