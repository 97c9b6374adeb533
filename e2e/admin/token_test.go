//go:build servers

package admin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"daybook/access"
	"daybook/e2e/harness"
)

// TestTokens gives an operator and a dashboard tokens of their own, which last over kills, and takes one away; what each
// may not do, and a consumer with a wrong password, are events.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	ops, grafana := filepath.Join(dir, "ops.token"), filepath.Join(dir, "grafana.token")
	d := start(t, func(c *harness.Config) { c.Admin = "tokens: [{name: grafana, role: viewer, file: " + grafana + "}]" })
	run := func(exit int, args ...string) string {
		t.Helper()
		stdout, stderr, code := d.Run(args...)
		if code != exit {
			t.Fatalf("daybook %q: exit code %d, want %d\n%s%s", args, code, exit, stdout, stderr)
		}
		return stdout + stderr
	}
	run(0, "token", "create", "ops", "--role", "operator", "--expires", "1d", "--out", ops)
	d.Kill()
	d.Start()
	d.WaitLog("state=Normal", time.Minute)
	run(0, "task", "list", "--token-file", grafana)
	if out := run(4, "task", "pause", harness.Topic, "--token-file", grafana); !strings.Contains(out, `the token "grafana" has the role viewer`) {
		t.Errorf("a viewer pauses: %s", out)
	}
	eventually(t, "the operator may pause", func() bool {
		_, _, code := d.Run("task", "pause", harness.Topic, "--token-file", ops)
		return code == 0
	})
	run(0, "task", "resume", harness.Topic, "--token-file", ops)
	run(4, "group", "create", "more", "--task", harness.Topic, "--account", "app", "--generate", "--token-file", ops)
	run(4, "token", "list", "--token-file", ops)
	if out := run(0, "token", "list"); !strings.Contains(out, "grafana  viewer    file") || !strings.Contains(out, "ops      operator  store") {
		t.Errorf("the tokens are\n%s", out)
	}

	const wrong = "Wr0ng-word"
	c, err := kgo.NewClient(kgo.SeedBrokers(d.Address()), kgo.SASL(plain.Auth{User: harness.Username, Pass: wrong}.AsMechanism()), kgo.ClientID("\x1b[2Jclient"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Ping(ctx); err == nil {
		t.Error("a wrong password is right")
	}
	c.Close()
	if out := run(0, "events", "--kind", "login_refused"); !strings.Contains(out, `the user "`+harness.Username+`": unknown username or wrong password`) || !strings.Contains(out, "(by 127.0.0.1)") || strings.Contains(out, wrong) || strings.Contains(out, "\x1b") {
		t.Errorf("the refused logins are\n%s", out)
	}
	run(0, "token", "delete", "ops")
	run(4, "task", "list", "--token-file", ops)
	d.Kill()
	d.Start()
	run(4, "task", "list", "--token-file", ops)
	out := run(0, "events", "-n", "1000")
	for _, want := range []string{
		"token-create: the token ops of the role operator was created, until ", "pause: pause (by the token ops, from 127.0.0.1)", "role_refused: the token \"grafana\" has the role viewer",
		"token_refused: a wrong token (by 127.0.0.1)", "token-delete: the token ops was deleted (by the token admin, from 127.0.0.1)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the events lack %q:\n%s", want, out)
		}
	}
	for _, file := range []string{ops, grafana, d.TokenFile()} {
		token, err := access.ReadToken(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out+d.Log(), token) {
			t.Errorf("the token of %s is told", file)
		}
	}
	if info, err := os.Stat(grafana); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
