package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
)

const (
	tokenScheme  = "token"
	schemaPrefix = "#/components/schemas/"
)

// overview is the description without its operations. It is served to anybody, so
// it tells nothing of the installation, Daybook's version included.
func overview() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Daybook's admin API", Version: "v1",
			Description: "Tasks, consumer groups and their checkpoints. Bodies are JSON in UTF-8; a key or a parameter that is not known, or that comes twice, is an error, and so is null. " +
				"Errors are problem details (RFC 9457) with a code for programs; where a path or a method is not there at all, it is `no_such_path` or `method_not_allowed`. Answers may get further fields in later releases. Lists come in pages: ask again with cursor set to next until there is no next.",
		},
		Components: &huma.Components{
			Schemas:   huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer),
			Responses: map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{
				tokenScheme: {Type: "http", Scheme: "bearer", Description: "A token: what the server's token file holds, or one that was created by create-token. Each has a role: viewer, operator or admin; an operation says the least that it needs, and a token without it is refused."},
			},
		},
		Tags: []*huma.Tag{
			{Name: "groups", Description: "Consumer groups, their accounts and checkpoints."},
			{Name: "tasks", Description: "Change tracking tasks: what they do, and what leads on from an error."},
			{Name: "server", Description: "The server itself."},
		},
	}
}

// describe serves the description, at which no token is needed.
func (a *api) describe() error {
	var text, yaml []byte
	serve := func(path, id, summary, mediaType string, text *[]byte) {
		a.raw(huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"server"},
			Summary: summary, Description: "This description. It tells nothing of the installation, and needs no token.",
			Responses: content(mediaType, &huma.Schema{Type: "object"}),
		}, anybody, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			_, _ = w.Write(*text) // who does not take it need not be told
		})
	}
	serve("/openapi.json", "get-description", "Describe this API", "application/openapi+json", &text)
	serve("/openapi.yaml", "get-description-yaml", "Describe this API in YAML", "application/openapi+yaml", &yaml)
	// Huma's own kinds of errors, which are answered as ours.
	schemas := a.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	var err error
	if text, err = json.Marshal(a.OpenAPI()); err != nil {
		return err
	}
	yaml, err = a.OpenAPI().YAML()
	return err
}

// anybody is the role of what needs no token.
const anybody access.Role = "anybody"

// raw adds a handler that is not of Huma's kind, and describes it.
func (a *api) raw(op huma.Operation, least access.Role, h http.HandlerFunc) {
	mux, fails := &a.guarded, []Code{CodeHostRefused, CodeInternal}
	if least == anybody {
		mux = &a.open
	} else {
		fails = append(fails, CodeUnauthorized, CodeSlowed, CodeNoToken, CodeRole)
		a.needs(&op, least)
	}
	for status, response := range a.failures(fails) {
		op.Responses[status] = response
	}
	a.OpenAPI().AddOperation(&op)
	mux.HandleFunc(op.Method+" "+op.Path, h)
}

// links names other operations of a resource: where in an answer is what they take
// for a path parameter.
func links(parameter, expression string, operations ...string) map[string]*huma.Link {
	all := map[string]*huma.Link{}
	for _, id := range operations {
		all[id] = &huma.Link{OperationID: id, Parameters: map[string]any{parameter: expression}}
	}
	return all
}

// content is a response 200 of a media type.
func content(mediaType string, s *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{mediaType: {Schema: s}}}}
}

// examples is a request body with examples; Huma adds the schema.
func examples(values map[string]any) *huma.RequestBody {
	all := map[string]*huma.Example{}
	for name, v := range values {
		all[name] = &huma.Example{Value: v}
	}
	return &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Examples: all}}}
}

// failures describes the answers with these codes. Those of a status are one
// response, which operations with the same codes share.
func (a *api) failures(codes []Code) map[string]*huma.Response {
	byStatus := map[int][]Code{}
	for _, c := range codes {
		if status := kinds[c].status; !slices.Contains(byStatus[status], c) {
			byStatus[status] = append(byStatus[status], c)
		}
	}
	responses := map[string]*huma.Response{}
	for status, codes := range byStatus {
		responses[strconv.Itoa(status)] = a.failure(codes)
	}
	return responses
}

func (a *api) failure(codes []Code) *huma.Response {
	slices.Sort(codes)
	var names []string
	var titles strings.Builder
	values := make([]any, 0, len(codes))
	examples := map[string]*huma.Example{}
	for _, c := range codes {
		names = append(names, string(c))
		values = append(values, string(c))
		fmt.Fprintf(&titles, "`%s`: %s.\n", c, kinds[c].title)
		examples[string(c)] = &huma.Example{Summary: kinds[c].title, Value: problem(c, "what is wrong and what to do")}
	}
	name := strings.Join(names, ".")
	components := a.OpenAPI().Components
	if components.Responses[name] == nil {
		details := components.Schemas.Schema(reflect.TypeFor[Error](), true, "")
		these := &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{
			"code": {Type: "string", Enum: values}, "status": {Type: "integer", Enum: []any{kinds[codes[0]].status}},
		}}
		components.Responses[name] = &huma.Response{
			Description: strings.TrimSpace(titles.String()),
			Content:     map[string]*huma.MediaType{contentProblem: {Schema: &huma.Schema{AllOf: []*huma.Schema{details, these}}, Examples: examples}},
		}
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// describe sets what a schema is about.
func describe(s *huma.Schema, text string) *huma.Schema {
	s.Description = text
	return s
}

// orNull has a property be null, too, which Huma does not do with objects.
func orNull(s *huma.Schema, name string) *huma.Schema {
	p := s.Properties[name]
	s.Properties[name] = &huma.Schema{Description: p.Description, OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	return s
}
