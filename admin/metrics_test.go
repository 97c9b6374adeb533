package admin_test

import (
	"flag"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybook/admin"
)

var update = flag.Bool("update", false, "rewrite testdata")

// TestMetrics compares all that is scraped with testdata/metrics.txt.
func TestMetrics(t *testing.T) {
	s := start(t)
	s.append(time.Now().Add(-time.Hour), 7)
	s.create("cache")
	to := int64(3)
	_, err := s.ResetGroup(t.Context(), "cache", admin.ResetRequest{ToOffset: &to})
	must(t, err)
	// What a client says about itself may be anything.
	s.join("cache", "w\"1\n\xff"+strings.Repeat("x", 100))

	resp, got := s.send(http.MethodGet, "/metrics", "")
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	got = regexp.MustCompile(`(lag_seconds{.*}) 36\d\d\.\d+`).ReplaceAllString(got, "$1 3600.5")
	got = regexp.MustCompile(`(log_age_seconds{.*}) [0-9.e-]+`).ReplaceAllString(got, "$1 0.5") // of a moment
	if *update {
		must(t, os.WriteFile("testdata/metrics.txt", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/metrics.txt")
	must(t, err)
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestJSONIsDocumented wants docs/operations.md to name every field and every
// error code.
func TestJSONIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../docs/operations.md")
	must(t, err)
	var names []string
	for _, v := range []any{
		admin.Group{}, admin.Consumer{}, admin.Checkpoint{}, admin.GroupList{},
		admin.CreateRequest{}, admin.PasswordRequest{}, admin.ResetRequest{}, admin.ResetResult{}, admin.Error{},
		admin.Token{}, admin.TokenRequest{}, admin.NewToken{}, admin.TokenList{}, admin.LogEvent{}, admin.Task{}, admin.Position{}, admin.EventGroup{}, admin.Event{}, admin.TaskList{}, admin.RestartRequest{}, admin.SkipRequest{}, admin.CommandResult{}, admin.Definitions{}, admin.Difference{}, admin.CheckRequest{}, admin.CheckResult{}, admin.Status{}, admin.DataStatus{}, admin.Listener{}, admin.Log{}, admin.Check{}, admin.PrecheckRequest{},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" && name != "" {
				names = append(names, `"`+name+`"`)
			}
		}
	}
	source, err := os.ReadFile("errors.go")
	must(t, err)
	for _, m := range regexp.MustCompile(`Code += "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, "`"+m[1]+"`")
	}
	if len(names) < 60 {
		t.Errorf("only %d names: %v", len(names), names)
	}
	for _, name := range names {
		if !strings.Contains(string(docs), name) {
			t.Errorf("docs/operations.md does not tell of %s", name)
		}
	}
}

// TestMetricsAreDocumented wants a line in docs/operations.md for each metric.
func TestMetricsAreDocumented(t *testing.T) {
	docs, err := os.ReadFile("../docs/operations.md")
	must(t, err)
	scraped, err := os.ReadFile("testdata/metrics.txt")
	must(t, err)
	names := regexp.MustCompile(`(?m)^# TYPE (\w+) gauge$`).FindAllStringSubmatch(string(scraped), -1)
	if len(names) != 12 {
		t.Errorf("%d metrics, want 12", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(docs), "| `"+name[1]) {
			t.Errorf("docs/operations.md does not tell of %s", name[1])
		}
	}
}
