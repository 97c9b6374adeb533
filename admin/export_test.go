package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"daybook/access"
)

// Patterns returns what the muxes of a server serve, as method and path.
func Patterns(s *Server) ([]string, error) {
	a, err := newAPI(s)
	if err != nil {
		return nil, err
	}
	return append(a.open.patterns, a.guarded.patterns...), nil
}

// Codes returns the codes of which the server knows the status.
func Codes() (codes []Code) {
	for code := range kinds {
		codes = append(codes, code)
	}
	return codes
}

// Through has a client's requests go through t.
func (c *Client) Through(t func(http.RoundTripper) http.RoundTripper) {
	c.http.Transport = t(c.http.Transport)
}

// Role is what an operation needs.
type Role struct {
	Pattern, ID, Summary string
	Least                access.Role // "": no token
}

// Roles returns what each operation needs, in the order of the description.
func Roles(s *Server) ([]Role, error) {
	a, err := newAPI(s)
	if err != nil {
		return nil, err
	}
	var all []Role
	for _, pattern := range append(a.guarded.patterns, a.open.patterns...) {
		method, path, _ := strings.Cut(pattern, " ")
		item := a.OpenAPI().Paths[path]
		op := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete}[method]
		all = append(all, Role{pattern, op.OperationID, op.Summary, a.least[pattern]})
	}
	return all, nil
}

// Changeable returns which role may change which key of a definition.
func Changeable() map[string]access.Role { return changeable }

// Unsaid registers an operation that does not say which role it needs.
func Unsaid(s *Server) error {
	a := &api{s: s, guarded: routes{ServeMux: http.NewServeMux()}, least: map[string]access.Role{}}
	a.API = humago.New(&a.guarded, huma.Config{OpenAPI: overview()})
	register(a, operation{Operation: huma.Operation{OperationID: "x", Method: http.MethodGet, Path: "/x"}}, func(context.Context, *nothing) (*struct{}, error) { return nil, nil })
	return errors.Join(a.faults...)
}
