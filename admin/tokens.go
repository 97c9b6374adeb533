package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
)

// Token is a token of this API, which itself is not shown.
type Token struct {
	Name    string    `json:"name" doc:"What it is called in events and in the log." example:"ops"`
	Role    string    `json:"role" enum:"viewer,operator,admin" doc:"What it may do: each role all that those before it may, and more."`
	Owner   string    `json:"owner" enum:"file,store" doc:"file: the configuration names its file; store: it was created by this API."`
	Created time.Time `json:"created,omitzero" doc:"Absent where the file owns it."`
	Expires time.Time `json:"expires,omitzero" doc:"When it lets nobody in any more; absent: never."`
	Used    time.Time `json:"used,omitzero" doc:"When it was used last; absent: not known to have been."`
	Problem string    `json:"problem,omitempty" doc:"Why its file lets nobody in; absent: it does."`
}

// TokenList is a page of the tokens, in the order of their names.
type TokenList struct {
	Tokens []Token `json:"tokens" nullable:"false" doc:"In the order of their names."`
	Next   string  `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// TokenRequest asks for a token; the answer is a [NewToken].
type TokenRequest struct {
	Name    string     `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" patternDescription:"a token's name: 1–64 letters, digits, '.', '_' and '-'" doc:"1–64 letters, digits, '.', '_' and '-', and neither \".\" nor \"..\"." example:"ops"`
	Role    string     `json:"role" enum:"viewer,operator,admin" doc:"What it may do." example:"operator"`
	Expires *time.Time `json:"expires,omitempty" doc:"When it lets nobody in any more; absent: never." example:"2100-01-31T12:00:00Z"`
}

// NewToken is a token that was just created.
type NewToken struct {
	Token
	Secret string `json:"token" doc:"What Authorization: Bearer takes. It is not kept, and not shown again."`
}

// tokenPath names a token.
type tokenPath struct {
	Name string `path:"name" doc:"The token's name." example:"ops"`
}

type tokenInput struct{ Body TokenRequest }

func (a *api) tokenOperations() {
	s, tags := a.s, []string{"server"}
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "list-tokens", Method: http.MethodGet, Path: "/api/v1/tokens", Tags: tags,
		Summary: "List the tokens of this API", Description: "Names, roles and when each was used; not the tokens.",
	}, fails: []Code{CodeInvalid}}, s.listTokens)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "create-token", Method: http.MethodPost, Path: "/api/v1/tokens", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Create a token", Description: "The answer is the only place where it is told.",
	}, fails: []Code{CodeExists, CodeTooManyTokens}, leads: links("name", "$response.body#/name", "delete-token")}, s.createToken)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "delete-token", Method: http.MethodDelete, Path: "/api/v1/tokens/{name}", Tags: tags,
		Summary: "Delete a token", Description: "It lets nobody in from then on.",
	}, fails: []Code{CodeUnknownToken, CodeOwnedByFile}}, s.deleteToken)
}

func (s *Server) listTokens(_ context.Context, in *listInput) (*body[TokenList], error) {
	found, next, err := page(s.o.Tokens.List(), func(i access.Info) string { return i.Name }, in)
	if err != nil {
		return nil, err
	}
	list := TokenList{Tokens: []Token{}, Next: next}
	for _, i := range found {
		list.Tokens = append(list.Tokens, token(i))
	}
	return &body[TokenList]{list}, nil
}

func token(i access.Info) Token {
	return Token{Name: i.Name, Role: string(i.Role), Owner: string(i.Owner), Created: i.Created, Expires: i.Expires, Used: i.Used, Problem: i.Problem}
}

func (s *Server) createToken(ctx context.Context, in *tokenInput) (*body[NewToken], error) {
	req := in.Body
	var expires time.Time
	if req.Expires != nil {
		if expires = *req.Expires; expires.IsZero() { // which would mean never
			expires = expires.Add(time.Nanosecond)
		}
	}
	secret, info, err := s.o.Tokens.Create(req.Name, access.Role(req.Role), expires)
	if err != nil {
		return nil, tokenProblem(err)
	}
	text := fmt.Sprintf("the token %s of the role %s was created", info.Name, info.Role)
	if !info.Expires.IsZero() {
		text += ", until " + info.Expires.Format(time.RFC3339)
	}
	s.happened(ctx, "token-create", "", text)
	return &body[NewToken]{NewToken{token(info), secret}}, nil
}

func (s *Server) deleteToken(ctx context.Context, in *tokenPath) (*struct{}, error) {
	if err := s.o.Tokens.Delete(in.Name); err != nil {
		return nil, tokenProblem(err)
	}
	s.happened(ctx, "token-delete", "", fmt.Sprintf("the token %s was deleted", in.Name))
	return nil, nil
}

// tokenProblem says what access's sentinels mean to the client.
func tokenProblem(err error) error {
	switch {
	case errors.Is(err, access.ErrInvalid):
		return problem(CodeInvalid, "%v", err)
	case errors.Is(err, access.ErrExists):
		return problem(CodeExists, "%v", err)
	case errors.Is(err, access.ErrTooMany):
		return problem(CodeTooManyTokens, "%v", err)
	case errors.Is(err, access.ErrNotFound):
		return problem(CodeUnknownToken, "%v", err)
	case errors.Is(err, access.ErrOwnedByFile):
		return problem(CodeOwnedByFile, "%v", err)
	}
	return err
}
