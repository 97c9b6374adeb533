package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"daybook/access"
	"daybook/admin"
)

// attempt is a request of an operation that is right but for what a test changes.
type attempt struct {
	id, method, path, body string
	takesBody, needsBody   bool
	least                  access.Role // "": no token is needed
}

// bodies are right ones.
var bodies = map[string]string{
	"create-group":       `{"group": "g", "task": "shop", "account": "app", "password": "s3cret-word"}`,
	"set-group-password": `{"password": "s3cret-word", "end_connections": false}`,
	"reset-group":        `{"to_earliest": true}`,
	"create-task":        `{"name": "made", "source": {"address": "192.0.2.1:3306", "user": "daybook", "password": "s3cret-word"}}`,
	"change-task":        `{"tombstones": true}`,
	"restart-task":       `{"from": "now"}`,
	"skip-event-group":   `{}`,
	"check-definitions":  `{}`,
	"preview-objects":    `{}`,
	"precheck-task":      `{"skip": ["binlog sync"]}`,
	"create-token":       `{"name": "new", "role": "viewer"}`,
}

// attempts are one of each operation that is described.
func attempts(t *testing.T) (all []attempt) {
	t.Helper()
	s := start(t)
	roles, err := admin.Roles(s.api)
	must(t, err)
	for _, r := range roles {
		op := s.description.operation(r.Pattern)
		method, path, _ := strings.Cut(r.Pattern, " ")
		a := attempt{id: r.ID, method: method, path: strings.NewReplacer("{id}", "declared", "{name}", topic, "{database}", "db").Replace(path), least: r.Least}
		if r.ID == "delete-token" {
			a.path = "/api/v1/tokens/grafana"
		}
		if parameters, _ := op["parameters"].([]any); r.ID == "delete-task" && len(parameters) > 1 {
			a.path += "?confirm=" + topic
		}
		var request map[string]any
		if request, a.takesBody = op["requestBody"].(map[string]any); a.takesBody {
			a.needsBody = request["required"] == true
			if a.body = bodies[r.ID]; a.body == "" {
				t.Errorf("refused_test.go has no body of %s", r.ID)
			}
		}
		all = append(all, a)
	}
	if len(all) != len(s.description.patterns()) || len(all) < 30 {
		t.Errorf("%d operations, %d are described", len(all), len(s.description.patterns()))
	}
	return all
}

// ask sends an attempt with headers in pairs. One that is not answered within two seconds was let in: the source
// is silent.
func (s *server) ask(a attempt, token, body string, headers ...string) (status int, answer string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, a.method, s.url()+a.path, strings.NewReader(body))
	must(s.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if a.takesBody {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := s.through(&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, ""
	}
	must(s.t, err)
	defer resp.Body.Close()
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control") || name == "Set-Cookie" {
			s.t.Errorf("%s is answered with %s", a.id, name)
		}
	}
	text, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp.StatusCode, string(text)
}

// there is what the requests could change.
func (s *server) there() string {
	s.t.Helper()
	groups, err := s.Groups(s.t.Context())
	must(s.t, err)
	tasks, err := s.Tasks(s.t.Context())
	must(s.t, err)
	var tokens []string
	for _, i := range s.o.Tokens.List() {
		tokens = append(tokens, i.Name)
	}
	for i := range tasks {
		tasks[i].State, tasks[i].Reason, tasks[i].Since, tasks[i].Retry = "", "", time.Time{}, time.Time{} // which move by themselves
		tasks[i].Checks, tasks[i].Allowed = nil, nil
	}
	return asJSON(s.t, groups) + asJSON(s.t, tasks) + fmt.Sprint(tokens)
}

// TestEveryOperationRefuses asks for each operation that is described without a token, with a wrong one, one that has expired,
// each of a role below the one that is needed, bodies that are too large, malformed or of another type, from another
// origin, and by another's name: each is refused as it is described, and changes nothing.
func TestEveryOperationRefuses(t *testing.T) {
	for _, a := range attempts(t) {
		t.Run(a.id, func(t *testing.T) {
			t.Parallel()  // some wait for a source that is silent
			s := start(t) // whose patience with wrong tokens is fresh
			tokens := map[access.Role]string{}
			for _, role := range access.Roles() {
				_, tokens[role] = s.as(role)
			}
			short, _, err := s.o.Tokens.Create("short", access.Admin, time.Now().Add(time.Millisecond))
			must(t, err)
			before := s.there()
			refused := func(how, token, body string, status int, code admin.Code, headers ...string) {
				t.Helper()
				got, answer := s.ask(a, token, body, headers...)
				if got != status || !strings.Contains(answer, fmt.Sprintf(`"code":%q`, code)) {
					t.Errorf("%s: %d %s, want %d %s", how, got, answer, status, code)
				}
			}
			right := tokens[access.Admin]
			refused("another's name", right, a.body, 421, admin.CodeHostRefused, "Host", "evil.example")
			if a.method != http.MethodGet {
				refused("another origin", right, a.body, 403, admin.CodeCrossOrigin, "Origin", "https://evil.example")
				refused("another site", right, a.body, 403, admin.CodeCrossOrigin, "Sec-Fetch-Site", "cross-site")
			}
			if a.takesBody {
				refused("too large", right, `{"x": "`+strings.Repeat("x", 64<<10)+`"}`, 413, admin.CodeTooLarge)
				for _, body := range []string{"{", "[]", "null", `"x"`, a.body + "{}", `{"a": 1, "a": 2}`, "\x00", strings.Repeat("[", 10_000)} {
					refused(fmt.Sprintf("the body %.20q", body), right, body, 400, admin.CodeBadRequest)
				}
				if a.needsBody {
					refused("no body", right, "", 400, admin.CodeBadRequest)
				}
				for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"} {
					refused("the type "+kind, right, a.body, 415, admin.CodeMediaType, "Content-Type", kind)
				}
			}
			if a.least != "" {
				refused("no token", "", a.body, 401, admin.CodeUnauthorized)
				refused("another scheme", "", a.body, 401, admin.CodeUnauthorized, "Authorization", "Basic "+right)
				refused("a wrong token", "x"+right, a.body, 401, admin.CodeUnauthorized)
				refused("the name of a token", "admin", a.body, 401, admin.CodeUnauthorized)
				refused("one that has expired", short, a.body, 401, admin.CodeUnauthorized)
				for _, role := range access.Roles() {
					if !role.Covers(a.least) {
						refused("a "+string(role), tokens[role], a.body, 403, admin.CodeRole)
						// And nothing is read of the request before.
						refused("a "+string(role), tokens[role], "{", 403, admin.CodeRole, "Content-Type", "text/plain")
					}
				}
			}
			if after := s.there(); after != before {
				t.Errorf("there was\n%s\nnow there is\n%s", before, after)
			}
			for _, role := range access.Roles() { // those that may are let in
				if a.least != "" && !role.Covers(a.least) {
					continue
				}
				if status, answer := s.ask(a, tokens[role], a.body); status == 401 || status == 403 || status >= 500 {
					t.Errorf("a %s: %d %s", role, status, answer)
				}
			}
		})
	}
}
