package admin

import (
	"fmt"
	"net/http"
)

// Code names a kind of error for programs.
type Code string

// The codes. Each belongs to one HTTP status.
const (
	CodeBadRequest   Code = "bad_request"            // 400: not the JSON that is wanted; the message names the field
	CodeUnauthorized Code = "unauthorized"           // 401: no token or a wrong one
	CodeCrossOrigin  Code = "cross_origin"           // 403: a browser sent it for another page
	CodeNoSuchPath   Code = "no_such_path"           // 404: this version has no such path
	CodeUnknownGroup Code = "unknown_group"          // 404
	CodeUnknownTask  Code = "unknown_task"           // 404
	CodeMethod       Code = "method_not_allowed"     // 405
	CodeExists       Code = "exists"                 // 409: a group of that name is there
	CodeActive       Code = "active"                 // 409: consumers are connected; the message names them
	CodeOwnedByFile  Code = "owned_by_file"          // 409: only the configuration file can change it
	CodeRunning      Code = "running"                // 409: the task is not in Error; it is restarted by force only
	CodeNotSkippable Code = "not_skippable"          // 409: the task's error is not one event group
	CodeNotReading   Code = "not_reading"            // 409: the task does not read its source, so nothing can be compared
	CodeChecking     Code = "checking"               // 409: a check of the definitions waits already
	CodeReplaced     Code = "replaced"               // 409: another command was given meanwhile
	CodeTooLarge     Code = "too_large"              // 413
	CodeMediaType    Code = "unsupported_media_type" // 415: Content-Type is not application/json
	CodeHostRefused  Code = "host_refused"           // 421: called by a name that is not the server's
	CodeInvalid      Code = "invalid"                // 422: a rule is broken; the message says which
	CodeRefused      Code = "refused"                // 422: the source does not have that place
	CodeTooMany      Code = "too_many_groups"        // 422: the task has as many as it may have
	CodeSlowed       Code = "slowed"                 // 429: too many wrong tokens
	CodeInternal     Code = "internal"               // 500: the server's log says more
	CodeNoToken      Code = "token_unavailable"      // 503: the server cannot read its token file
)

// Error is an error that the server answered: {"error": {"code": …, "message": …}}.
type Error struct {
	Status  int    `json:"-"` // HTTP's
	Code    Code   `json:"code"`
	Message string `json:"message"` // for people
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// errorBody is how an Error stands in an answer.
type errorBody struct {
	Error *Error `json:"error"`
}

func problem(status int, code Code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *Error {
	return problem(http.StatusBadRequest, CodeBadRequest, format, args...)
}
