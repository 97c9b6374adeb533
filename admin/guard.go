package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"daybook/access"
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

// checkToken wants a token. Only guesses are slowed: 256 bits need no protection
// from them, but he who has a token must not be held up by one who tries.
func (s *Server) checkToken(r *http.Request) (access.Info, error) {
	scheme, given := bearer(r)
	if !strings.EqualFold(scheme, "Bearer") {
		return access.Info{}, s.refuse(r, given, access.Info{}, access.ErrUnknown)
	}
	who, err := s.o.Tokens.Check(given)
	if err != nil {
		return who, s.refuse(r, given, who, err)
	}
	return who, nil
}

func bearer(r *http.Request) (scheme, token string) {
	scheme, token, _ = strings.Cut(r.Header.Get("Authorization"), " ")
	return scheme, strings.TrimSpace(token)
}

// checkAgain wants the token of a request that lasts to be what it was when that began.
func (s *Server) checkAgain(r *http.Request, before access.Info) error {
	_, given := bearer(r)
	now, err := s.o.Tokens.Check(given)
	if err != nil || now.Name != before.Name || now.Role != before.Role {
		return problem(CodeUnauthorized, "the token is not in force any more: 'daybook token create' makes another")
	}
	return nil
}

type againKey struct{}

// stillAllowed tells whether the token that a request came with is still in force.
func stillAllowed(ctx context.Context) error {
	if again, ok := ctx.Value(againKey{}).(func() error); ok {
		return again()
	}
	return nil
}

// denied tells of a token whose role does not cover what was asked for.
func (s *Server) denied(by string, cause error) error {
	s.refusals.warn("access to the admin API refused", "by", by, "reason", cause)
	s.o.Refusals.Add("role_refused", by, cause.Error())
	return cause
}

// asker says who asks, for events and the log.
func asker(r *http.Request, who access.Info) string {
	return fmt.Sprintf("the token %s, from %s", who.Name, host(r.RemoteAddr))
}

// refuse says why a token lets nobody in, and has who guesses wait.
func (s *Server) refuse(r *http.Request, given string, who access.Info, cause error) error {
	address := host(r.RemoteAddr)
	s.refusals.warn("access to the admin API refused: no token or a wrong one", "address", address, "path", cut(r.URL.Path))
	reason := "a wrong token"
	switch {
	case errors.Is(cause, access.ErrExpired):
		reason = fmt.Sprintf("the token %s: %v", who.Name, cause)
	case given == "":
		reason = "no token"
	case errors.Is(cause, access.ErrUnavailable):
		reason = "a token that is none of those known, while a token file cannot be used"
	}
	s.o.Refusals.Add("token_refused", address, reason)
	if errors.Is(cause, access.ErrExpired) { // which is known to who had it
		return problem(CodeUnauthorized, "%v: 'daybook token create' makes another", cause)
	}
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
	if errors.Is(cause, access.ErrUnavailable) {
		s.troubles.warn("the admin API cannot use a token file, and lets nobody in by it", "error", cause)
		return problem(CodeNoToken, "the token is none of those that the server knows, and it cannot use one of its token files; its log says which and why")
	}
	return problem(CodeUnauthorized, "the token is wrong: it must be what the server's token file holds, or one that was created by 'daybook token create'")
}
