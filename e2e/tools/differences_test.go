//go:build servers

package tools

import (
	"regexp"
	"slices"
	"strings"
)

// differences are what may differ from the text that is printed against Kafka.
var differences = []struct {
	command, text string // regular expressions
	why           string
}{
	{`.`, `(?m)^(log4j:WARN|SLF4J:|ERROR StatusLogger).*$`, "the loggers of the tools complain once in each process"},
	{`^api-versions`, `(?m)^ \w+\(\d+\): .*$`, "Daybook offers fewer APIs, in newer versions"},
	{`^log-dirs`, `"size":\d+`, "Daybook keeps records compressed"},
	{`^log-dirs`, `"logDir":"[^"]*"`, "the directories differ"},
	{`^log-dirs`, `\{"partition":"__consumer_offsets-0"[^}]*\},?`, "Daybook keeps no checkpoints in a topic"},
	{`^topics --describe`, `Configs: \S*`, "the two brokers keep records for different times"},
	{`^groups --describe`, `(?m)^Error: Consumer group '.*' does not exist\.$`, unknownGroup},
	{`^groups --describe`, `(?ms)^java\.util\.concurrent\.ExecutionException: .*GroupIdNotFoundException.*`, unknownGroup},
	{`^groups --describe`, `(?ms)^Error: Executing consumer group command failed due to .*GroupIdNotFoundException.*`, unknownGroup},
}

const unknownGroup = "releases from 4.0 on print this against Kafka from 4.0 on, whose DescribeGroups 6 Daybook has too"

// common returns the text without what may differ, and without empty lines.
func common(command, text string) string {
	for _, d := range differences {
		if regexp.MustCompile(d.command).MatchString(command) {
			text = regexp.MustCompile(d.text).ReplaceAllString(text, "")
		}
	}
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" }), "\n")
}
