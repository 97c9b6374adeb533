package admin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// description is a served description, with which answers are compared.
type description struct {
	doc      map[string]any
	paths    *http.ServeMux // to find an answer's operation
	mu       sync.Mutex
	compiler *jsonschema.Compiler // guarded by mu
}

const descriptionURL = "https://daybook.test/openapi.json"

func describedBy(t *testing.T, text []byte) *description {
	t.Helper()
	d := &description{paths: http.NewServeMux(), compiler: jsonschema.NewCompiler()}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, err)
	d.doc = doc.(map[string]any)
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	must(t, d.compiler.AddResource(descriptionURL, doc))
	for _, pattern := range d.patterns() {
		d.paths.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	return d
}

// patterns returns the operations, as method and path.
func (d *description) patterns() []string {
	var patterns []string
	for path, item := range d.doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			patterns = append(patterns, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(patterns)
	return patterns
}

// operation returns what is described by a pattern.
func (d *description) operation(pattern string) map[string]any {
	method, path, _ := strings.Cut(pattern, " ")
	return d.doc["paths"].(map[string]any)[path].(map[string]any)[strings.ToLower(method)].(map[string]any)
}

// response returns the place of a response, and what is there.
func (d *description) response(pattern, status string) (pointer string, response map[string]any) {
	response, ok := d.operation(pattern)["responses"].(map[string]any)[status].(map[string]any)
	if !ok {
		return "", nil
	}
	if ref, ok := response["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/responses/")
		return "/components/responses/" + name, d.doc["components"].(map[string]any)["responses"].(map[string]any)[name].(map[string]any)
	}
	method, path, _ := strings.Cut(pattern, " ")
	return "/paths/" + escape(path) + "/" + strings.ToLower(method) + "/responses/" + status, response
}

func escape(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

// check wants an answer to be one that is described.
func (d *description) check(r *http.Request, resp *http.Response, body []byte) error {
	if resp.StatusCode == http.StatusRequestHeaderFieldsTooLarge {
		return nil // of net/http, before any path is known
	}
	_, pattern := d.paths.Handler(r)
	if pattern == "" || !strings.HasPrefix(pattern, r.Method) || path.Clean(r.URL.EscapedPath()) != r.URL.EscapedPath() {
		return d.fits("/components/schemas/Error", body)
	}
	pointer, response := d.response(pattern, fmt.Sprint(resp.StatusCode))
	if response == nil {
		return fmt.Errorf("%s has no status %d", pattern, resp.StatusCode)
	}
	content, _ := response["content"].(map[string]any)
	if content == nil {
		if len(body) > 0 {
			return fmt.Errorf("%s has no body with status %d: %s", pattern, resp.StatusCode, body)
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || content[mediaType] == nil {
		return fmt.Errorf("%s, status %d: the media type %q is not one of %v", pattern, resp.StatusCode, mediaType, slices.Collect(maps.Keys(content)))
	}
	if !strings.HasSuffix(mediaType, "json") {
		return nil
	}
	if err := d.fits(pointer+"/content/"+escape(mediaType)+"/schema", body); err != nil {
		return fmt.Errorf("%s, status %d: %s: %w", pattern, resp.StatusCode, body, err)
	}
	return nil
}

// fits wants a JSON text to be as the schema at a place says.
func (d *description) fits(pointer string, body []byte) error {
	d.mu.Lock()
	schema, err := d.compiler.Compile(descriptionURL + "#" + pointer)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// conforming wants of all answers that pass through it that they are described.
type conforming struct {
	t    *testing.T
	d    *description
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c *conforming) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if err := c.d.check(r, resp, body); err != nil {
		c.t.Errorf("an answer is not as it is described: %v", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// standard returns the JSON Schema of OpenAPI 3.1, with that of its schemas.
func standard(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, name := range []string{"schema", "schema-base", "dialect", "meta"} {
		text, err := os.ReadFile("testdata/openapi-3.1/" + name + ".yaml")
		must(t, err)
		text, err = yaml.YAMLToJSON(text)
		must(t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		must(t, err)
		must(t, c.AddResource(doc.(map[string]any)["$id"].(string), doc))
	}
	s, err := c.Compile("https://spec.openapis.org/oas/3.1/schema-base/WORK-IN-PROGRESS")
	must(t, err)
	return s
}

// asJSON returns v as JSON.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return string(text)
}
