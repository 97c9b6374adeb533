package admin

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"daybook/auth"
)

// What follows stands before every handler.

// checkHost refuses names that are not the server's: with one of its own, which
// it points to this address, a foreign page would pass for the server's (DNS
// rebinding). Addresses cannot be made to point elsewhere, and with TLS no
// browser takes the server's certificate for such a name.
func (s *Server) checkHost(r *http.Request) error {
	if s.o.TLS != nil {
		return nil
	}
	name := strings.Trim(host(r.Host), "[]")
	if _, err := netip.ParseAddr(name); err == nil || strings.EqualFold(name, "localhost") {
		return nil
	}
	own, _, _ := net.SplitHostPort(s.o.Address) // it was good enough to listen on
	if name != "" && slices.ContainsFunc(append([]string{own}, s.o.Hosts...), func(h string) bool { return strings.EqualFold(h, name) }) {
		return nil
	}
	return problem(CodeHostRefused, "the name %q is not one of this server's: call it by its address, or add the name to admin.hosts in the configuration", name)
}

// checkOrigin refuses what browsers send for pages of other origins.
func (s *Server) checkOrigin(r *http.Request) error {
	if err := s.origins.Check(r); err != nil {
		return problem(CodeCrossOrigin, "requests from pages of other origins are refused")
	}
	return nil
}

// checkToken wants the token. The file is read each time, so that a new token is
// in force, and the old one is not, from the moment it is written. Only failures
// are slowed: 256 bits need no protection from guessing, but he who has the
// token must not be held up by one who tries.
func (s *Server) checkToken(r *http.Request) error {
	right, err := ReadToken(s.o.TokenFile)
	if err != nil {
		s.troubles.warn("the admin API refuses everybody", "error", err)
		return problem(CodeNoToken, "the server cannot use its token file; its log says why")
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && sameToken(strings.TrimSpace(given), right) {
		return nil
	}
	address := host(r.RemoteAddr)
	s.refusals.warn("access to the admin API refused: no token or a wrong one", "address", address, "path", r.URL.Path)
	if given == "" {
		// Nothing was guessed: who only looks is told at once what is missing.
		return problem(CodeUnauthorized, "a token is needed: Authorization: Bearer …, with what the server's token file holds")
	}
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return problem(CodeSlowed, "too many wrong tokens: try again later")
	}
	if err := s.throttle.Attempt(r.Context(), address, "", func() bool { return false }); !errors.Is(err, auth.ErrDenied) {
		return problem(CodeSlowed, "too many wrong tokens from this address: try again later")
	}
	return problem(CodeUnauthorized, "the token is wrong: it must be what the server's token file holds")
}
