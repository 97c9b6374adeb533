package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybook/admin"
)

// TestToken wants each command's request, and its output for people and programs.
func TestToken(t *testing.T) {
	tokens := []admin.Token{
		{Name: "admin", Role: "admin", Owner: "file", Used: at(5)},
		{Name: "grafana", Role: "viewer", Owner: "file", Problem: "read token file /run/grafana: no such file"},
		{Name: "ops", Role: "operator", Owner: "store", Created: at(1), Expires: at(2)},
	}
	f := serveFake(t, map[string]any{
		"GET /api/v1/tokens":        admin.TokenList{Tokens: tokens},
		"POST /api/v1/tokens":       admin.NewToken{Token: tokens[2], Secret: "made-up"},
		"DELETE /api/v1/tokens/ops": map[string]any{},
	})
	out := filepath.Join(t.TempDir(), "ops.token")
	for _, test := range []struct{ name, args, asks string }{
		{"list", "list", `GET /api/v1/tokens`},
		{"create", "create ops --role operator --expires 2030-01-31T12:00:00Z", `POST /api/v1/tokens {"name":"ops","role":"operator","expires":"2030-01-31T12:00:00Z"}`},
		{"delete", "delete ops", `DELETE /api/v1/tokens/ops`},
	} {
		f.inEachForm(t, filepath.Join("token", test.name), test.args, test.asks, f.token)
	}
	t.Run("into a file", func(t *testing.T) {
		stdout, stderr, code := f.token("create", "ops", "--role", "operator", "--out", out)
		if code != 0 || strings.Contains(stdout+stderr, "made-up") || f.asked() != `POST /api/v1/tokens {"name":"ops","role":"operator"}` {
			t.Errorf("exit code %d: %s%s", code, stdout, stderr)
		}
		info, err := os.Stat(out)
		if err != nil || info.Mode() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		if b, err := os.ReadFile(out); err != nil || string(b) != "made-up\n" {
			t.Errorf("%q, %v", b, err)
		}
		// One that cannot be handed over is not left behind.
		stdout, stderr, code = f.token("create", "ops", "--role", "operator", "--out", out)
		if code != 1 || !strings.Contains(stderr, "is there already") || strings.Contains(stdout+stderr, "made-up") || !strings.HasSuffix(f.asked(), "\nDELETE /api/v1/tokens/ops") {
			t.Errorf("exit code %d: %s%s", code, stdout, stderr)
		}
	})
	t.Run("days", func(t *testing.T) {
		if _, stderr, code := f.token("create", "ops", "--role", "operator", "--expires", "30d"); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		m := regexp.MustCompile(`"expires":"([^"]+)"`).FindStringSubmatch(f.asked())
		got, err := time.Parse(time.RFC3339, m[1])
		if in := time.Until(got); err != nil || in < 30*24*time.Hour-time.Minute || in > 30*24*time.Hour {
			t.Errorf("it expires in %s, %v", in, err)
		}
	})
}

func (f *fake) token(args ...string) (stdout, stderr string, code int) {
	return run(append([]string{"token", "--admin", f.url, "--token-file", f.tokenFile}, args...)...)
}

func TestTokenErrors(t *testing.T) {
	f := serveFake(t, map[string]any{
		"GET /api/v1/tokens": &admin.Error{Status: 403, Code: admin.CodeRole, Detail: `the token "ops" has the role operator, and GET /api/v1/tokens needs admin`},
	})
	for _, test := range []struct {
		args, message string
		code          int
	}{
		{"list", "needs admin ('daybook token list' shows the tokens and their roles; --token-file names another)", 4},
		{"create x", "--role is one of viewer, operator, admin", 2},
		{"create x --role root", "--role is one of viewer, operator, admin", 2},
		{"create x --role viewer --expires tomorrow", "--expires is a duration", 2},
		{"create x --role viewer --expires -1h", "--expires is a duration", 2},
		{"create x --role viewer --expires 0d", "--expires is a duration", 2},
		{"create x --role viewer --expires 999999999999d", "--expires is a duration", 2},
		{"create --role viewer", "accepts 1 arg", 2},
		{"delete .", "is no name", 2},
	} {
		stdout, stderr, code := f.token(strings.Fields(test.args)...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.message) {
			t.Errorf("%s: exit code %d: %s%s, want %d with %q", test.args, code, stdout, stderr, test.code, test.message)
		}
	}
}
