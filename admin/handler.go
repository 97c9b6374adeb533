package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"daybook/journal"
)

// headerVersion tells the server's version to who has the token.
const headerVersion = "Daybook-Version"

// handler is all that the server serves.
func (s *Server) handler() (http.Handler, error) {
	a, err := newAPI(s)
	if err != nil {
		return nil, err
	}
	return s.fromOutside(s.guarded(a)), nil
}

// fromOutside refuses what a browser may have been made to send.
func (s *Server) fromOutside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		for _, check := range []func(*http.Request) error{s.checkHost, s.checkOrigin} {
			if err := check(r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// guarded lets those through who have the token, and anybody to what is open.
func (s *Server) guarded(a *api) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mux would redirect to the clean path; ours are given as they are.
		clean := path.Clean(r.URL.EscapedPath()) == r.URL.EscapedPath()
		if clean && a.open.serves(r) {
			a.open.ServeHTTP(w, r)
			return
		}
		who, err := s.checkToken(r)
		if err != nil {
			w.Header().Set("Connection", "close")
			w.Header().Set("WWW-Authenticate", `Bearer realm="daybook"`)
			s.fail(w, r, err)
			return
		}
		w.Header().Set(headerVersion, s.o.Version)
		if !clean || !a.guarded.serves(r) {
			s.fail(w, r, s.noRoute(a, w, r, clean))
			return
		}
		if err := a.permit(r, who); err != nil {
			s.fail(w, r, s.denied(asker(r, who), err))
			return
		}
		ctx := journal.WithActor(withToken(r.Context(), who), asker(r, who))
		ctx = context.WithValue(ctx, againKey{}, func() error { return s.checkAgain(r, who) })
		a.guarded.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (r *routes) serves(req *http.Request) bool {
	_, pattern := r.Handler(req)
	return pattern != ""
}

// noRoute tells a wrong method from a wrong path.
func (s *Server) noRoute(a *api, w http.ResponseWriter, r *http.Request, clean bool) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if clean && (a.guarded.serves(other) || a.open.serves(other)) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		// Who may GET may HEAD.
		w.Header().Set("Allow", strings.Join(slices.Concat(allowed, headOf(allowed)), ", "))
		return problem(CodeMethod, "%s is not a method of this path; these are: %v", r.Method, allowed)
	}
	return problem(CodeNoSuchPath, "Daybook %s has no %s", s.o.Version, cut(r.URL.Path))
}

func headOf(methods []string) []string {
	if slices.Contains(methods, http.MethodGet) {
		return []string{http.MethodHead}
	}
	return nil
}

// fail answers err, as what it is or as an internal error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := s.answerable(r.Method, r.URL.Path, err)
	w.Header().Set("Content-Type", contentProblem)
	w.WriteHeader(e.Status)
	if err := writeJSON(w, e); err != nil {
		s.o.Logger.Debug("the admin API's answer was not taken", "error", err)
	}
}

// write is how Huma writes an answer. It fails for what is no JSON only: Huma
// would panic for a client that has gone.
func (a *api) write(w io.Writer, v any) error {
	var b bytes.Buffer
	if err := writeJSON(&b, v); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		a.s.o.Logger.Debug("the admin API's answer was not taken", "error", err)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
