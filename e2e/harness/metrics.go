package harness

import (
	"io"
	"net/http"
	"os"
	"strings"
)

// Metrics returns what is scraped.
func (d *Daybook) Metrics() string {
	d.t.Helper()
	token, err := os.ReadFile(d.TokenFile())
	if err != nil {
		d.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.AdminURL()+"/metrics", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %v", resp.Status, err)
	}
	return string(text)
}
