package admin

import "net/http"

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
