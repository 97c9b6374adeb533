package task_test

import (
	"errors"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/task"
)

func TestParseStart(t *testing.T) {
	const uuid = "64cb74ea-e6a0-11f1-8461-02fc00000001"
	for text, want := range map[string]binlog.Start{
		"now":                                {Mode: binlog.StartNow},
		"earliest":                           {Mode: binlog.StartEarliest},
		"2026-01-31T12:00:00Z":               {Mode: binlog.StartTime, Time: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)},
		"binlog.000003:1234":                 {Mode: binlog.StartFile, File: "binlog.000003", Pos: 1234},
		"a-b.c.1000000:4":                    {Mode: binlog.StartFile, File: "a-b.c.1000000", Pos: 4},
		uuid + ":1-5":                        {Mode: binlog.StartGTID, GTID: uuid + ":1-5"},
		uuid + ":1-5:7,\n" + uuid + ":tag:1": {Mode: binlog.StartGTID, GTID: uuid + ":1-5:7," + uuid + ":tag:1"},
		"0-1-2":                              {Mode: binlog.StartGTID, GTID: "0-1-2"},
		"0-1-2, 1-1-7":                       {Mode: binlog.StartGTID, GTID: "0-1-2,1-1-7"},
	} {
		got, err := task.ParseStart(text)
		if err != nil || got.Mode != want.Mode || got.File != want.File || got.Pos != want.Pos || got.GTID != want.GTID || !got.Time.Equal(want.Time) {
			t.Errorf("%q is %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "NOW", "yesterday", "binlog.000003", "binlog.000003:", "binlog.000003:3", "binlog:4", "binlog.000003:99999999999999999999",
		uuid, uuid + ":", "1-2", "0-1-2,", "2026-01-31", "2026-11-12", "/etc/passwd.000001:4"} {
		if got, err := task.ParseStart(text); !errors.Is(err, task.ErrStart) {
			t.Errorf("%q is %+v, %v, want ErrStart", text, got, err)
		}
	}
}
