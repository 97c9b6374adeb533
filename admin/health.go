package admin

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
)

// serverOperations are the server's own.
func (a *api) serverOperations() {
	a.raw(huma.Operation{
		OperationID: "get-health", Method: http.MethodGet, Path: "/healthz", Tags: []string{"server"},
		Summary: "Tell whether Daybook serves", Description: "Answers as long as the process serves; needs no token.",
		Responses: content("application/json", &huma.Schema{
			Type: "object", Required: []string{"status"}, AdditionalProperties: false,
			Properties: map[string]*huma.Schema{"status": {Type: "string", Enum: []any{"ok"}}},
		}),
	}, anybody, health)
	a.raw(huma.Operation{
		OperationID: "get-metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"server"},
		Summary: "Metrics for Prometheus", Description: "Every value is read when it is asked for. Two scrapes at a time are served.",
		Responses: content("text/plain", &huma.Schema{Type: "string"}),
	}, access.Viewer, a.s.metrics().ServeHTTP)
}

// health answers as long as the process serves.
func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = writeJSON(w, map[string]string{"status": "ok"}) // who does not take it need not be told
}
