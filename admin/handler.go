package admin

import (
	"encoding/json"
	"errors"
	"net/http"
)

// handle answers a request with a status and JSON; a nil answer has no body.
type handle func(r *http.Request) (status int, answer any, err error)

// headerVersion tells the server's version to who has the token.
const headerVersion = "Daybook-Version"

// handler is all that the server serves.
func (s *Server) handler() http.Handler {
	api := http.NewServeMux()
	for pattern, h := range map[string]handle{
		"GET /api/v1/groups":                s.listGroups,
		"POST /api/v1/groups":               s.createGroup,
		"GET /api/v1/groups/{id}":           s.showGroup,
		"DELETE /api/v1/groups/{id}":        s.deleteGroup,
		"PUT /api/v1/groups/{id}/password":  s.setPassword,
		"POST /api/v1/groups/{id}/reset":    s.resetGroup,
		"GET /api/v1/tasks":                 s.listTasks,
		"GET /api/v1/tasks/{name}":          s.showTask,
		"POST /api/v1/tasks/{name}/restart": s.restartTask,
		"POST /api/v1/tasks/{name}/skip":    s.skipGroup,
		"POST /api/v1/tasks/{name}/check":   s.checkDefinitions,
		"GET /api/v1/tasks/{name}/check":    s.lastCheck,
	} {
		api.Handle(pattern, s.json(h))
	}
	api.Handle("GET /metrics", s.metrics())

	open := http.NewServeMux()
	open.Handle("GET /healthz", s.json(healthz))
	open.Handle("/", s.guarded(api))
	return s.fromOutside(open)
}

// healthz answers as long as the process serves. It needs no token.
func healthz(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]string{"status": "ok"}, nil
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

// guarded lets those through who have the token, to paths that are there.
func (s *Server) guarded(api *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.checkToken(r); err != nil {
			w.Header().Set("Connection", "close")
			w.Header().Set("WWW-Authenticate", `Bearer realm="daybook"`)
			s.fail(w, r, err)
			return
		}
		w.Header().Set(headerVersion, s.o.Version)
		if _, pattern := api.Handler(r); pattern == "" {
			s.fail(w, r, s.noRoute(api, w, r))
			return
		}
		api.ServeHTTP(w, r)
	})
}

// noRoute tells a wrong method from a wrong path.
func (s *Server) noRoute(api *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := api.Handler(other); pattern != "" {
			w.Header().Add("Allow", method)
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		return problem(http.StatusMethodNotAllowed, CodeMethod, "%s is not a method of this path; these are: %v", r.Method, allowed)
	}
	return problem(http.StatusNotFound, CodeNoSuchPath, "Daybook %s has no %s", s.o.Version, r.URL.Path)
}

func (s *Server) json(h handle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, answer, err := h(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, status, answer)
	})
}

// fail answers err, as what it is or as an internal error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) {
		s.o.Logger.Error("the admin API could not answer", "method", r.Method, "path", r.URL.Path, "error", err)
		e = problem(http.StatusInternalServerError, CodeInternal, "%s %s failed: %v", r.Method, r.URL.Path, err)
	}
	s.answer(w, e.Status, errorBody{e})
}

func (s *Server) answer(w http.ResponseWriter, status int, answer any) {
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		s.o.Logger.Debug("the admin API's answer was not taken", "error", err)
	}
}
