//go:build servers

package tail

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

var update = flag.Bool("update", false, "rewrite the demo's output that README.md shows")

// numbers are what differs from run to run: times, ports, places in the binlog.
var numbers = regexp.MustCompile(`[0-9]+`)

// TestReadmeShowsTheDemo runs the demo, with kcat and without.
func TestReadmeShowsTheDemo(t *testing.T) {
	kcat, err := exec.Command("../../scripts/clients.sh", "kcat").Output()
	if err != nil {
		t.Fatalf("scripts/clients.sh kcat: %v", err)
	}
	got := demo(t, strings.TrimSpace(string(kcat)))
	const file, first, last = "../../README.md", "demo: getting kcat and a server, and building Daybook\n", "```\n"
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(readme), first)
	shown, after, ok := strings.Cut(rest, last)
	if !ok {
		t.Fatal("README.md does not show the demo")
	}
	if numbers.ReplaceAllString(shown, "0") != numbers.ReplaceAllString(got, "0") {
		if !*update {
			t.Errorf("README.md shows another demo: go test -tags servers ./e2e/tail -run Readme -update\n%s", got)
		} else if err := os.WriteFile(file, []byte(before+first+got+last+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	without := demo(t, "/none/kcat")
	if !strings.Contains(without, "apt-get install kcat") || !strings.Contains(without, "delete daybook_demo.orders id=1") {
		t.Errorf("without kcat:\n%s", without)
	}
}

func demo(t *testing.T, kcat string) string {
	t.Helper()
	s := servers.Get(t, "mariadb-10.11")
	cmd := exec.CommandContext(t.Context(), harness.Binary(t), "demo", "--source", s.Address, "--user", "admin", "--kcat", kcat)
	cmd.Env = append(os.Environ(), "MYSQL_PASSWORD=admin")
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	if err := cmd.Run(); err != nil {
		t.Fatalf("daybook demo: %v\n%s%s", err, &out, &text)
	}
	return out.String()
}
