package task

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"daybook/binlog"
)

// ErrStart is wrapped by the error of a text that names no start.
var ErrStart = errors.New("no place to start at")

var (
	filePlace  = regexp.MustCompile(`^([^:/\s]+\.[0-9]{6,}):([0-9]+)$`)
	mysqlSet   = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[a-z0-9_-]+)+(,[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[a-z0-9_-]+)+)*$`)
	mariadbSet = regexp.MustCompile(`^[0-9]+-[0-9]+-[0-9]+(,[0-9]+-[0-9]+-[0-9]+)*$`)
)

// ParseStart reads where to start, as a person writes it: now, earliest, a
// time, file:offset, or the GTID set of the transactions that are not wanted.
func ParseStart(text string) (binlog.Start, error) {
	set := strings.Join(strings.Fields(text), "")
	if m := filePlace.FindStringSubmatch(text); m != nil {
		pos, err := strconv.ParseUint(m[2], 10, 64)
		if err != nil || pos < 4 {
			return binlog.Start{}, fmt.Errorf("%w: %q: the first event of a file is at offset 4", ErrStart, text)
		}
		return binlog.Start{Mode: binlog.StartFile, File: m[1], Pos: pos}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return binlog.Start{Mode: binlog.StartTime, Time: at}, nil
	}
	_, notDate := time.Parse(time.DateOnly, text) // which looks like a GTID of MariaDB
	switch {
	case text == "now":
		return binlog.Start{Mode: binlog.StartNow}, nil
	case text == "earliest":
		return binlog.Start{Mode: binlog.StartEarliest}, nil
	case mysqlSet.MatchString(set), mariadbSet.MatchString(set) && notDate != nil:
		return binlog.Start{Mode: binlog.StartGTID, GTID: set}, nil
	}
	return binlog.Start{}, fmt.Errorf("%w: %q is none of now, earliest, a time (2006-01-02T15:04:05Z), FILE:OFFSET (binlog.000003:1234) and a GTID set", ErrStart, text)
}
