package admin

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
)

// objectOperations are those by which people see what a source has, and choose.
func (a *api) objectOperations() {
	s, tags := a.s, []string{"tasks"}
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "list-databases", Method: http.MethodGet, Path: "/api/v1/tasks/{name}/objects", Tags: tags,
		Summary: "List the databases of a task's source", Description: "Those that the task's account may see, and whether tables of each may be selected.",
	}, fails: []Code{CodeUnknownTask, CodeSource}}, s.listDatabases)
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "list-tables", Method: http.MethodGet, Path: "/api/v1/tasks/{name}/objects/{database}", Tags: tags,
		Summary: "List the tables of a database of a task's source", Description: "With their sizes as the server estimates them, and whether each is selected.",
	}, fails: []Code{CodeUnknownTask, CodeUnknownDatabase, CodeSource, CodeInvalid}}, s.listTables)
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "preview-objects", Method: http.MethodPost, Path: "/api/v1/tasks/{name}/preview", Tags: tags,
		Summary: "Tell what patterns match", Description: "What patterns would select of the tables that the source has now; without any, those of the task.",
	}, fails: []Code{CodeUnknownTask, CodeSource}}, s.previewObjects)
}

// tablesInput asks for a page of a database's tables.
type tablesInput struct {
	Name     string `path:"name" doc:"The task's name." example:"shop"`
	Database string `path:"database" doc:"The database." example:"shop"`
	Limit    int    `query:"limit" default:"200" minimum:"1" maximum:"500" doc:"How many there may be on the page."`
	Cursor   string `query:"cursor" minLength:"1" doc:"next of the page before; without it the first page is answered."`
}

func (s *Server) listDatabases(ctx context.Context, in *taskPath) (*body[DatabaseList], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	found, err := t.Databases(ctx)
	if err != nil {
		return nil, taskProblem(err)
	}
	list := DatabaseList{Databases: []Database{}}
	for _, d := range found {
		list.Databases = append(list.Databases, Database{d.Name, d.System, d.Selected})
	}
	return &body[DatabaseList]{list}, nil
}

func (s *Server) listTables(ctx context.Context, in *tablesInput) (*body[TableList], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return nil, wrongAt(CodeBadRequest, "query.cursor", "cursor is not the next of a page")
	}
	found, err := t.Tables(ctx, in.Database, string(after), in.Limit)
	if err != nil {
		return nil, taskProblem(err)
	}
	list := TableList{Tables: []Table{}, Total: found.Total, Next: base64.RawURLEncoding.EncodeToString([]byte(found.Next))}
	for _, t := range found.Tables {
		list.Tables = append(list.Tables, Table{t.Name, t.View, t.Engine, estimate(t.Rows), estimate(t.Bytes), t.Selected})
	}
	return &body[TableList]{list}, nil
}

// estimate is nil for what a server does not tell.
func estimate(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// previewed is how many tables a preview names.
const previewed = 100

func (s *Server) previewObjects(ctx context.Context, in *taskInput[Objects]) (*body[ObjectsPreview], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	found, err := t.Preview(ctx, in.Body.Include, in.Body.Exclude, previewed)
	if err != nil {
		return nil, taskProblem(err)
	}
	answer := ObjectsPreview{Count: found.Count, Tables: []TableName{}, IdleInclude: found.IdleInclude, IdleExclude: found.IdleExclude, Unread: found.Unread}
	for _, n := range found.First {
		answer.Tables = append(answer.Tables, TableName{n.Database, n.Table})
	}
	return &body[ObjectsPreview]{answer}, nil
}
