package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"daybook/admin"
)

// TestEventsAreAskedFor wants the filters to be in the request, and --follow to go on behind what was shown.
func TestEventsAreAskedFor(t *testing.T) {
	list := admin.LogEventList{Events: []admin.LogEvent{{ID: "00064a1b2c3d4e60", Time: "2026-01-31T12:00:01Z", Kind: "token-create", Text: "the token ops of the role viewer was created", By: "the token admin, from 127.0.0.1"}, {ID: "00064a1b2c3d4e5f", Time: "2026-01-31T12:00:00Z", Task: "shop", Kind: "state", Text: "Normal"}}}
	f := serveFake(t, map[string]any{"GET /api/v1/events": list, "GET /api/v1/tasks/shop/events": list})
	for args, asks := range map[string]string{
		"events": "GET /api/v1/events?limit=50",
		"events --task shop --kind state --since 2026-01-31T13:00:00+01:00 -n 7": "GET /api/v1/events?kind=state&limit=7&since=2026-01-31T12%3A00%3A00Z&task=shop",
		"task events shop --kind pause":                                          "GET /api/v1/tasks/shop/events?kind=pause&limit=50",
	} {
		stdout, stderr, code := run(append(strings.Fields(args), "--admin", f.url, "--token-file", f.tokenFile)...)
		const want = "2026-01-31T12:00:00Z shop state: Normal\n2026-01-31T12:00:01Z - token-create: the token ops of the role viewer was created (by the token admin, from 127.0.0.1)\n"
		if got := f.asked(); code != 0 || stderr != "" || stdout != want || got != asks {
			t.Errorf("%s: exit code %d, %s\n%s\nasked %s, want %s", args, code, stderr, stdout, got, asks)
		}
	}
	for _, since := range []string{"yesterday", "-1h", "1y"} {
		if _, stderr, code := run("events", "--since="+since, "--admin", f.url, "--token-file", f.tokenFile); code != 2 || !strings.Contains(stderr, "--since is a duration") {
			t.Errorf("--since %s: exit code %d: %s", since, code, stderr)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	stdout, _, _ := runFor(ctx, "events", "--follow", "--kind", "state", "--admin", f.url, "--token-file", f.tokenFile)
	if strings.Count(stdout, "Normal") != 1 || !strings.HasPrefix(f.asked(), "GET /api/v1/events?kind=state&limit=50\nGET /api/v1/events?after=00064a1b2c3d4e60&kind=state&limit=50") {
		t.Errorf("followed:\n%s", stdout)
	}
}
