package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// Code names a kind of error for programs.
type Code string

// The codes. Each belongs to one HTTP status.
const (
	CodeBadRequest      Code = "bad_request"            // 400: not the JSON or the query that is wanted; the message says where
	CodeUnauthorized    Code = "unauthorized"           // 401: no token, a wrong one, or one that has expired
	CodeCrossOrigin     Code = "cross_origin"           // 403: a browser sent it for another page
	CodeRole            Code = "role_too_low"           // 403: the token's role does not allow it; the message says which does
	CodeNoSuchPath      Code = "no_such_path"           // 404: this version has no such path
	CodeUnknownGroup    Code = "unknown_group"          // 404
	CodeUnknownTask     Code = "unknown_task"           // 404
	CodeUnknownDatabase Code = "unknown_database"       // 404: the source shows no such database
	CodeUnknownToken    Code = "unknown_token"          // 404: there is no token of that name
	CodeMethod          Code = "method_not_allowed"     // 405
	CodeExists          Code = "exists"                 // 409: a group of that name is there
	CodeActive          Code = "active"                 // 409: consumers are connected; the message names them
	CodeOwnedByFile     Code = "owned_by_file"          // 409: only the configuration file can change it
	CodeNotAllowed      Code = "not_allowed"            // 409: the task's state does not allow it; the message says what it allows
	CodeRunning         Code = "running"                // 409: the task is not in Error; it is restarted by force only
	CodeNotSkippable    Code = "not_skippable"          // 409: the task's error is not one event group
	CodeNotReading      Code = "not_reading"            // 409: the task does not read its source, so nothing can be compared
	CodeChecking        Code = "checking"               // 409: a check of the definitions waits already
	CodeReplaced        Code = "replaced"               // 409: another command was given meanwhile
	CodeSource          Code = "source_failed"          // 422: the source cannot be looked at; the message says why
	CodeNotInLog        Code = "not_in_log"             // 422: the task's log does not have that place
	CodeTooManyReaders  Code = "too_many_readers"       // 429: as many read changes as may at a time
	CodeTooLarge        Code = "too_large"              // 413
	CodeMediaType       Code = "unsupported_media_type" // 415: Content-Type is not application/json
	CodeHostRefused     Code = "host_refused"           // 421: called by a name that is not the server's
	CodeInvalid         Code = "invalid"                // 422: a rule is broken; the message says which
	CodeRefused         Code = "refused"                // 422: the source does not have that place
	CodePrecheck        Code = "precheck_failed"        // 422: the message names the checks and their fixes
	CodeTooManyTasks    Code = "too_many_tasks"         // 422: there are as many as there may be
	CodeTooMany         Code = "too_many_groups"        // 422: the task has as many as it may have
	CodeTooManyTokens   Code = "too_many_tokens"        // 422: there are as many as there may be
	CodeSlowed          Code = "slowed"                 // 429: too many wrong tokens
	CodeInternal        Code = "internal"               // 500: the server's log says more
	CodeDiskFull        Code = "disk_full"              // 507: nothing can be written until there is space
	CodeNoToken         Code = "token_unavailable"      // 503: the server cannot read its token file
)

// kind is what is the same for all errors of a code.
type kind struct {
	status int
	title  string
}

// kinds has a row for each code.
var kinds = map[Code]kind{
	CodeBadRequest:      {http.StatusBadRequest, "The request is not of the form that is wanted"},
	CodeUnauthorized:    {http.StatusUnauthorized, "The token is missing or wrong"},
	CodeCrossOrigin:     {http.StatusForbidden, "A page of another origin sent it"},
	CodeRole:            {http.StatusForbidden, "The token's role does not allow it"},
	CodeNoSuchPath:      {http.StatusNotFound, "There is no such path"},
	CodeUnknownGroup:    {http.StatusNotFound, "There is no such group"},
	CodeUnknownTask:     {http.StatusNotFound, "There is no such task"},
	CodeUnknownDatabase: {http.StatusNotFound, "The source shows no such database"},
	CodeUnknownToken:    {http.StatusNotFound, "There is no such token"},
	CodeTooManyTokens:   {http.StatusUnprocessableEntity, "There are as many tokens as there may be"},
	CodeSource:          {http.StatusUnprocessableEntity, "The source cannot be looked at"},
	CodeMethod:          {http.StatusMethodNotAllowed, "The path has no such method"},
	CodeExists:          {http.StatusConflict, "It exists already"},
	CodeActive:          {http.StatusConflict, "The group has consumers"},
	CodeOwnedByFile:     {http.StatusConflict, "The configuration file owns it"},
	CodeNotAllowed:      {http.StatusConflict, "The task's state does not allow it"},
	CodePrecheck:        {http.StatusUnprocessableEntity, "The precheck failed"},
	CodeTooManyTasks:    {http.StatusUnprocessableEntity, "There are as many tasks as there may be"},
	CodeRunning:         {http.StatusConflict, "The task is not in Error"},
	CodeNotSkippable:    {http.StatusConflict, "The task's error is not one event group"},
	CodeNotReading:      {http.StatusConflict, "The task does not read its source"},
	CodeChecking:        {http.StatusConflict, "A check waits already"},
	CodeReplaced:        {http.StatusConflict, "Another command was given meanwhile"},
	CodeNotInLog:        {http.StatusUnprocessableEntity, "The task's log does not have the place"},
	CodeTooManyReaders:  {http.StatusTooManyRequests, "As many read changes as may at a time"},
	CodeTooLarge:        {http.StatusRequestEntityTooLarge, "The request is too large"},
	CodeMediaType:       {http.StatusUnsupportedMediaType, "The body is not JSON"},
	CodeHostRefused:     {http.StatusMisdirectedRequest, "The name is not one of this server's"},
	CodeInvalid:         {http.StatusUnprocessableEntity, "A rule is broken"},
	CodeRefused:         {http.StatusUnprocessableEntity, "The source does not have the place"},
	CodeTooMany:         {http.StatusUnprocessableEntity, "The task has as many groups as it may have"},
	CodeSlowed:          {http.StatusTooManyRequests, "There were too many wrong tokens"},
	CodeInternal:        {http.StatusInternalServerError, "It failed; the server's log says more"},
	CodeDiskFull:        {http.StatusInsufficientStorage, "The disk is full"},
	CodeNoToken:         {http.StatusServiceUnavailable, "The server cannot use its token file"},
}

// typePrefix makes a URI of a code. Nothing is to be had there: the codes are
// explained in the description.
const typePrefix = "urn:daybook:error:"

// contentProblem is the media type of errors (RFC 9457).
const contentProblem = "application/problem+json"

// Error is an error that the server answered: problem details as of RFC 9457.
type Error struct {
	Type   string       `json:"type" format:"uri" doc:"urn:daybook:error: and the code." example:"urn:daybook:error:unknown_group"`
	Title  string       `json:"title" doc:"The same for all errors of the code." example:"There is no such group"`
	Status int          `json:"status" doc:"HTTP's." example:"404"`
	Code   Code         `json:"code" doc:"The kind of error, for programs." example:"unknown_group"`
	Detail string       `json:"detail" doc:"What is wrong and what to do, for people." example:"there is no group \"cache\""`
	Errors []FieldError `json:"errors,omitempty" nullable:"false" doc:"What is wrong with the request, and where."`
}

// FieldError is one thing that is wrong with a request. It repeats no value.
type FieldError struct {
	Location string `json:"location" doc:"Where: in body, query or path." example:"body.tables[0]"`
	Message  string `json:"message" doc:"What is wanted there." example:"must be database.table"`
}

// TransformSchema implements huma.SchemaTransformer.
func (Error) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, code := range slices.Sorted(maps.Keys(kinds)) {
		s.Properties["code"].Enum = append(s.Properties["code"].Enum, string(code))
	}
	return describe(s, "Problem details (RFC 9457). Each code belongs to one status.")
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// GetStatus implements huma.StatusError.
func (e *Error) GetStatus() int { return e.Status }

// ContentType implements huma.ContentTypeFilter.
func (e *Error) ContentType(string) string { return contentProblem }

func problem(code Code, format string, args ...any) *Error {
	return &Error{Type: typePrefix + string(code), Title: kinds[code].title, Status: kinds[code].status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// wrongAt is a problem of one place in a request.
func wrongAt(code Code, location, format string, args ...any) *Error {
	e := problem(code, format, args...)
	e.Errors = []FieldError{{location, e.Detail}}
	return e
}
