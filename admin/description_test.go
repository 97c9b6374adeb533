package admin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"daybook/admin"
)

// TestDescriptionIsValid wants the description to be OpenAPI 3.1, to explain
// everything, and to be the same in YAML.
func TestDescriptionIsValid(t *testing.T) {
	s := start(t)
	d := s.description
	must(t, standard(t).Validate(d.doc))
	if d.doc["openapi"] != "3.1.0" {
		t.Errorf("it is of OpenAPI %v", d.doc["openapi"])
	}
	for _, pattern := range d.patterns() {
		for _, key := range []string{"operationId", "summary", "description", "tags"} {
			if d.operation(pattern)[key] == nil {
				t.Errorf("%s has no %s", pattern, key)
			}
		}
	}
	unexplained(t, d.doc["components"].(map[string]any)["schemas"])
	leadOn(t, d)
	_, text := s.send(http.MethodGet, "/openapi.yaml", "", "Authorization", "")
	fromYAML, err := yaml.YAMLToJSON([]byte(text))
	must(t, err)
	same, err := jsonschema.UnmarshalJSON(bytes.NewReader(fromYAML))
	must(t, err)
	if asJSON(t, same) != asJSON(t, d.doc) {
		t.Error("the YAML tells something else")
	}
}

// leadOn wants each link to be to an operation that there is, with its parameters.
func leadOn(t *testing.T, d *description) {
	t.Helper()
	operations := map[string]map[string]any{}
	for _, pattern := range d.patterns() {
		operations[d.operation(pattern)["operationId"].(string)] = d.operation(pattern)
	}
	n := 0
	for _, operation := range operations {
		for _, response := range operation["responses"].(map[string]any) {
			links, _ := response.(map[string]any)["links"].(map[string]any)
			for _, link := range links {
				n++
				target := operations[link.(map[string]any)["operationId"].(string)]
				for name := range link.(map[string]any)["parameters"].(map[string]any) {
					if !strings.Contains(asJSON(t, target["parameters"]), fmt.Sprintf("%q", name)) {
						t.Errorf("the link %v is to an operation without %s", link, name)
					}
				}
			}
		}
	}
	if n < 9 {
		t.Errorf("only %d links", n)
	}
}

// unexplained wants a description of each property of each schema.
func unexplained(t *testing.T, schemas any) {
	t.Helper()
	n := 0
	for name, schema := range schemas.(map[string]any) {
		properties, _ := schema.(map[string]any)["properties"].(map[string]any)
		for property, p := range properties {
			n++
			if p.(map[string]any)["description"] == nil {
				t.Errorf("%s.%s has no description", name, property)
			}
		}
	}
	if n < 90 {
		t.Errorf("only %d properties", n)
	}
}

// TestDescriptionTellsNothing wants it for anybody, without a word about the
// installation, and refused to whom everything is.
func TestDescriptionTellsNothing(t *testing.T) {
	s := start(t)
	s.create("private-group")
	for _, path := range []string{"/openapi.json", "/openapi.yaml"} {
		resp, text := s.send(http.MethodGet, path, "", "Authorization", "")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Daybook-Version") != "" {
			t.Errorf("%s: %d, %v", path, resp.StatusCode, resp.Header)
		}
		for _, secret := range []string{"v1.2.3", "private-group", s.token(), s.tokenFile, "/etc/daybook.yaml", s.api.Addr().String()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells of %q", path, secret)
			}
		}
		if status, _ := s.do(http.MethodGet, path, "", "Authorization", "", "Host", "evil.example"); status != http.StatusMisdirectedRequest {
			t.Errorf("%s by another's name: %d", path, status)
		}
	}
}

// TestRoutesAreDescribed wants the muxes' patterns and the described operations to
// be the same, and asks a server for each described path by each method.
func TestRoutesAreDescribed(t *testing.T) {
	s := start(t)
	served, err := admin.Patterns(s.api)
	must(t, err)
	slices.Sort(served)
	described := s.description.patterns()
	if !slices.Equal(served, described) {
		t.Errorf("served:    %v\ndescribed: %v", served, described)
	}
	if len(described) < 15 {
		t.Errorf("only %d operations: %v", len(described), described)
	}
	for path, item := range s.description.doc["paths"].(map[string]any) {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			_, known := item.(map[string]any)[strings.ToLower(method)]
			resp, answer := s.send(method, strings.NewReplacer("{id}", "none", "{name}", "none").Replace(path), "{}")
			if refused := resp.StatusCode == http.StatusMethodNotAllowed; refused == known {
				t.Errorf("%s %s: %d %s; described: %v", method, path, resp.StatusCode, answer, known)
			}
			for allowed := range strings.SplitSeq(resp.Header.Get("Allow"), ", ") {
				if _, known := item.(map[string]any)[strings.ToLower(allowed)]; !known && allowed != "" && allowed != "HEAD" {
					t.Errorf("%s is allowed for %s and not described", allowed, path)
				}
			}
		}
	}
}

// TestCodesAreDescribed wants each code to have a status and to be described with
// it in an operation, but for those of paths that are not there.
func TestCodesAreDescribed(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	must(t, err)
	var codes []string
	for _, m := range regexp.MustCompile(`Code += "(\w+)" +// (\d+)`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, m[2]+" "+m[1])
	}
	slices.Sort(codes)
	if len(codes) != len(admin.Codes()) {
		t.Errorf("%d codes, %d with a status", len(codes), len(admin.Codes()))
	}
	s := start(t)
	found := map[string]bool{"404 no_such_path": true, "405 method_not_allowed": true}
	for _, pattern := range s.description.patterns() {
		for status := range s.description.operation(pattern)["responses"].(map[string]any) {
			_, response := s.description.response(pattern, status)
			content, _ := response["content"].(map[string]any)
			problems, ok := content["application/problem+json"].(map[string]any)
			if !ok {
				continue
			}
			for code, example := range problems["examples"].(map[string]any) {
				found[status+" "+code] = true
				if got := example.(map[string]any)["value"].(map[string]any)["status"]; fmt.Sprint(got) != status {
					t.Errorf("%s: %s with %s is an example with %v", pattern, code, status, got)
				}
			}
		}
	}
	for _, code := range codes {
		if !found[code] {
			t.Errorf("no operation is described with %s", code)
		}
		delete(found, code)
	}
	if len(found) > 0 {
		t.Errorf("described with another status: %v", found)
	}
}

// TestExamplesFit wants each example to be of its schema.
func TestExamplesFit(t *testing.T) {
	d := start(t).description
	for _, pattern := range d.patterns() {
		request, ok := d.operation(pattern)["requestBody"].(map[string]any)
		if !ok {
			continue
		}
		media := request["content"].(map[string]any)["application/json"].(map[string]any)
		named, _ := media["examples"].(map[string]any)
		method, path, _ := strings.Cut(pattern, " ")
		place := "/paths/" + escape(path) + "/" + strings.ToLower(method) + "/requestBody/content/application~1json/schema"
		for name, example := range named {
			if err := d.fits(place, []byte(asJSON(t, example.(map[string]any)["value"]))); err != nil {
				t.Errorf("%s, example %s: %v", pattern, name, err)
			}
		}
	}
	for name, schema := range d.doc["components"].(map[string]any)["schemas"].(map[string]any) {
		properties, _ := schema.(map[string]any)["properties"].(map[string]any)
		for property, p := range properties {
			list, _ := p.(map[string]any)["examples"].([]any)
			for _, example := range list {
				if err := d.fits("/components/schemas/"+name+"/properties/"+property, []byte(asJSON(t, example))); err != nil {
					t.Errorf("%s.%s: %v", name, property, err)
				}
			}
		}
	}
}

// TestStatesAreDescribed wants the states that are described to be those of package task.
func TestStatesAreDescribed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../task/state.go", nil, 0)
	must(t, err)
	var states []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "State" && len(spec.Values) == 1 {
			state, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			must(t, err)
			states = append(states, state)
		}
		return true
	})
	d := start(t).description
	var described []string
	task := d.doc["components"].(map[string]any)["schemas"].(map[string]any)["Task"].(map[string]any)
	for _, state := range task["properties"].(map[string]any)["state"].(map[string]any)["enum"].([]any) {
		described = append(described, state.(string))
	}
	slices.Sort(states)
	slices.Sort(described)
	if !slices.Equal(states, described) || len(states) == 0 {
		t.Errorf("the states are %v, described %v", states, described)
	}
}

// TestErrorsAreProblems wants an error as RFC 9457 has it.
func TestErrorsAreProblems(t *testing.T) {
	s := start(t)
	for _, test := range []struct{ method, path, body, want string }{
		{"GET", "/api/v1/groups/none", "", `{"type":"urn:daybook:error:unknown_group","title":"There is no such group","status":404,"code":"unknown_group","detail":"there is no group \"none\""}`},
		{"POST", "/api/v1/groups", `{"group":"a/b","task":"shop","account":"a-b","password":"s3cret-word"}`,
			`{"type":"urn:daybook:error:invalid","title":"A rule is broken","status":422,"code":"invalid","detail":"body.account: must be an account: 1–16 letters, digits and '_'; body.group: must be a group ID: 1–128 letters, digits, '.', '_' and '-'","errors":[{"location":"body.account","message":"must be an account: 1–16 letters, digits and '_'"},{"location":"body.group","message":"must be a group ID: 1–128 letters, digits, '.', '_' and '-'"}]}`},
		{"GET", "/api/v1/tasks?limit=0", "", `{"type":"urn:daybook:error:invalid","title":"A rule is broken","status":422,"code":"invalid","detail":"query.limit: must be at least 1","errors":[{"location":"query.limit","message":"must be at least 1"}]}`},
	} {
		resp, answer := s.send(test.method, test.path, test.body)
		if got := strings.TrimSpace(answer); got != test.want || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %s\n%s\nwant\n%s", test.method, test.path, resp.Header.Get("Content-Type"), got, test.want)
		}
	}
}

// TestPasswordsAreNotRepeated spoils requests with a password at each byte, and
// wants no answer and no line of the log to hold four bytes of it.
func TestPasswordsAreNotRepeated(t *testing.T) {
	const secret = "Zq7#kVw9!xJp"
	s := start(t)
	s.create("cache")
	create := `{"group": "other", "task": "shop", "account": "app", "password": "` + secret + `"}`
	change := `{"password": "` + secret + `", "end_connections": false}`
	tell := func(what, answer string) {
		for i := range len(secret) - 3 {
			if part := secret[i : i+4]; strings.Contains(answer, part) {
				t.Fatalf("%s is answered with %q of the password: %s", what, part, answer)
			}
		}
	}
	ask := func(method, path, body string) {
		_, answer := s.do(method, path, body)
		tell(body, answer)
	}
	for _, body := range []string{create, change} {
		method, path := "POST", "/api/v1/groups"
		if body == change {
			method, path = "PUT", "/api/v1/groups/cache/password"
		}
		for i := range len(body) {
			ask(method, path, body[:i])
			ask(method, path, body[:i]+body[i+1:])
			for _, other := range []string{"\"", "{", "\\", "0", "\xff", "\u2028"} {
				ask(method, path, body[:i]+other+body[i+1:])
			}
			ask(method, path, body[:i]+"\"x\": null, "+body[i:])
		}
	}
	for _, path := range []string{"/api/v1/groups", "/api/v1/groups/cache/reset", "/api/v1/tasks/shop/restart", "/api/v1/tasks/shop/skip", "/api/v1/tasks/shop/check"} {
		for _, key := range []string{secret, "password", "group", "account", "from", "to_time", "to_offset", "tables", "force", "dry_run"} {
			for _, value := range []string{`"` + secret + `"`, `["` + secret + `"]`, `{"` + secret + `": "` + secret + `"}`} {
				if key == "group" && path == "/api/v1/groups" || key == "from" {
					continue // names and places are repeated
				}
				ask("POST", path, fmt.Sprintf(`{%q: %s}`, key, value))
			}
		}
		ask("POST", path+"?password="+strings.ReplaceAll(secret, "#", "%23"), `{}`)
		ask("POST", path+"?"+strings.ReplaceAll(secret, "#", "%23"), `{}`)
	}
	tell("all of this", s.logs.String())
}

// TestQueriesAreStrict wants no parameter that is not known, nor one twice.
func TestQueriesAreStrict(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		method, path string
		status       int
		detail       string
	}{
		{"GET", "/api/v1/groups?limi=1", 400, `unknown parameter \"limi\"; there are cursor, limit`},
		{"GET", "/api/v1/groups/declared?x=", 400, `unknown parameter \"x\"; there are none`},
		{"GET", "/api/v1/groups?limit=1&limit=2", 400, "limit is given 2 times"},
		{"GET", "/api/v1/groups?limit=one", 400, "limit is an integer"},
		{"GET", "/api/v1/groups?limit=", 400, "limit is an integer"},
		{"GET", "/api/v1/groups?limit=1001", 422, "must be at most 1000"},
		{"GET", "/api/v1/groups?cursor=", 400, "cursor is not empty"},
		{"GET", "/api/v1/groups?cursor=%25", 400, "cursor is not the next of a page"},
		{"GET", "/api/v1/groups?%zz", 400, "the query is not of the form"},
		{"DELETE", "/api/v1/groups/declared?force=1", 400, "force is true or false"},
		{"DELETE", "/api/v1/groups/declared?force=true&force=true", 400, "force is given 2 times"},
		{"GET", "/api/v1//groups", 404, "no_such_path"},
		{"GET", "/api/v1/tasks/../groups", 404, "no_such_path"},
		{"GET", "/api/v1/groups/", 404, "no_such_path"},
	} {
		if status, answer := s.do(test.method, test.path, ""); status != test.status || !strings.Contains(answer, test.detail) {
			t.Errorf("%s %s: %d %s, want %d with %q", test.method, test.path, status, answer, test.status, test.detail)
		}
	}
}

// TestListsComeInPages has groups come and go between the pages.
func TestListsComeInPages(t *testing.T) {
	s := start(t)
	for _, id := range []string{"a", "b", "c"} {
		must(t, s.groups.Reset(id, topic, 0))
	}
	var list admin.GroupList
	get := func(query string) {
		t.Helper()
		status, answer := s.do(http.MethodGet, "/api/v1/groups?"+query, "")
		list = admin.GroupList{}
		if err := json.Unmarshal([]byte(answer), &list); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
	}
	ids := func() (ids []string) {
		for _, g := range list.Groups {
			ids = append(ids, g.Group)
		}
		return ids
	}
	get("limit=2")
	if !slices.Equal(ids(), []string{"a", "b"}) || list.Next == "" {
		t.Fatalf("the first page: %v, %q", ids(), list.Next)
	}
	must(t, s.DeleteGroup(t.Context(), "b", false)) // the last one of the page
	must(t, s.groups.Reset("aa", topic, 0))
	get("limit=2&cursor=" + list.Next)
	if !slices.Equal(ids(), []string{"c", "declared"}) || list.Next != "" {
		t.Errorf("the second page: %v, %q", ids(), list.Next)
	}
	for i := range 1003 {
		must(t, s.groups.Reset(fmt.Sprintf("many-%04d", i), topic, 0))
	}
	all, err := s.Groups(t.Context())
	must(t, err)
	if len(all) != 1007 {
		t.Errorf("the client got %d groups, want 1007", len(all))
	}
	tasks, err := s.Tasks(t.Context())
	if err != nil || len(tasks) != 1 {
		t.Errorf("%+v, %v", tasks, err)
	}
}
