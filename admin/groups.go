package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/auth"
	"daybook/group"
)

// endLimit bounds the waiting for the connections of a deleted group.
const endLimit = 5 * time.Second

// groupPath names a group.
type groupPath struct {
	ID string `path:"id" doc:"The group ID." example:"cache"`
}

// groupInput is a request about a group with a body.
type groupInput[B any] struct {
	ID   string `path:"id" doc:"The group ID." example:"cache"`
	Body B
}

type createInput struct{ Body CreateRequest }

type deleteInput struct {
	ID    string `path:"id" doc:"The group ID." example:"cache"`
	Force bool   `query:"force" doc:"Deletes a group that has consumers, and ends their connections."`
}

func (a *api) groupOperations() {
	s, tags := a.s, []string{"groups"}
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "list-groups", Method: http.MethodGet, Path: "/api/v1/groups", Tags: tags,
		Summary: "List the consumer groups", Description: "All groups: those that have an account, and those of which only a checkpoint or a consumer is left.",
	}, fails: []Code{CodeInvalid}}, s.listGroups)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "create-group", Method: http.MethodPost, Path: "/api/v1/groups", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Create a consumer group", Description: "Creates a group with its account. If a group of that name left a checkpoint, it goes on there.",
	}, fails: []Code{CodeUnknownTask, CodeExists, CodeTooMany},
		leads: links("id", "$response.body#/group", "get-group", "set-group-password", "reset-group", "delete-group")}, s.createGroup)
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "get-group", Method: http.MethodGet, Path: "/api/v1/groups/{id}", Tags: tags,
		Summary: "Show a consumer group", Description: "Its account, its consumers, its checkpoint and its lag.",
	}, fails: []Code{CodeUnknownGroup}}, s.showGroup)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "delete-group", Method: http.MethodDelete, Path: "/api/v1/groups/{id}", Tags: tags,
		Summary: "Delete a consumer group", Description: "Deletes the group, its account and its checkpoint. A group with consumers is deleted by force only.",
	}, fails: []Code{CodeUnknownGroup, CodeActive, CodeOwnedByFile}}, s.deleteGroup)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "set-group-password", Method: http.MethodPut, Path: "/api/v1/groups/{id}/password", Tags: tags,
		Summary: "Set the password of a group's account", Description: "Logins are by the new password from then on.",
	}, fails: []Code{CodeUnknownGroup, CodeOwnedByFile}}, s.setPassword)
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "reset-group", Method: http.MethodPost, Path: "/api/v1/groups/{id}/reset", Tags: tags,
		Summary: "Move the checkpoint of a group", Description: "Moves it while no consumer is connected: who is, goes on from where he stands, and would commit over it.",
		RequestBody: examples(map[string]any{
			"earliest": ResetRequest{ToEarliest: true, DryRun: true}, "offset": map[string]any{"to_offset": 17}, "time": map[string]any{"to_time": "2026-01-31T12:00:00Z"},
			"shift": map[string]any{"shift_by": -100, "dry_run": true},
		}),
	}, fails: []Code{CodeUnknownGroup, CodeUnknownTask, CodeActive}}, s.resetGroup)
}

func (s *Server) listGroups(_ context.Context, in *listInput) (*body[GroupList], error) {
	found, next, err := page(s.known(), known.key, in)
	if err != nil {
		return nil, err
	}
	return &body[GroupList]{GroupList{Groups: s.views(found), Next: next}}, nil
}

func (s *Server) showGroup(_ context.Context, in *groupPath) (*body[Group], error) {
	info, view, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Group]{s.group(info, view)}, nil
}

func (s *Server) createGroup(ctx context.Context, in *createInput) (*body[Group], error) {
	req := in.Body
	if !s.o.Tasks.Has(req.Task) {
		return nil, unknownTask(req.Task)
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	info, err := s.o.Accounts.Create(auth.Account{Account: req.Account, Group: req.Group, Topic: req.Task, Password: req.Password})
	if err != nil {
		return nil, s.accountProblem(req.Group, err)
	}
	s.happened(ctx, "group-create", info.Topic, fmt.Sprintf("the group %s of the account %s was created", info.Group, info.Account))
	view, _ := s.o.Groups.View(info.Group) // what a group of that name has left is its own again
	return &body[Group]{s.group(info, view)}, nil
}

func (s *Server) setPassword(ctx context.Context, in *groupInput[PasswordRequest]) (*struct{}, error) {
	if err := s.o.Accounts.SetPassword(in.ID, in.Body.Password, in.Body.EndConnections); err != nil {
		return nil, s.accountProblem(in.ID, err)
	}
	info, _ := s.o.Accounts.Info(in.ID)
	s.happened(ctx, "group-password", info.Topic, fmt.Sprintf("the password of the group %s was changed", in.ID))
	return nil, nil
}

// deleteGroup deletes the checkpoints first: whatever a crash in between leaves
// still has its account, and is shown and can be deleted again. What consumers
// commit until the account is gone, and their connections with it, goes last.
func (s *Server) deleteGroup(ctx context.Context, in *deleteInput) (*struct{}, error) {
	s.changes.Lock()
	defer s.changes.Unlock()
	info, view, err := s.find(in.ID)
	if err != nil {
		return nil, err
	}
	if info.Owner == auth.OwnerFile {
		return nil, s.accountProblem(in.ID, auth.ErrOwnedByFile)
	}
	if len(view.Consumers) > 0 && !in.Force {
		return nil, active(view, "stop them, or delete the group by force, which ends their connections")
	}
	if err := s.o.Groups.Delete(in.ID); err != nil {
		return nil, err
	}
	deleted := func() {
		s.happened(ctx, "group-delete", info.Topic, fmt.Sprintf("the group %s was deleted", in.ID))
	}
	if info.Owner == ownerNone {
		deleted()
		return nil, nil
	}
	if err := s.o.Accounts.Delete(in.ID); err != nil {
		return nil, s.accountProblem(in.ID, err)
	}
	deleted()
	waiting, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	if err := s.o.AwaitEnd(waiting, in.ID); err != nil {
		s.o.Logger.Warn("a deleted group still has connections", "group", in.ID, "error", err)
	}
	return nil, s.o.Groups.Delete(in.ID)
}

func unknownGroup(id string) error {
	return problem(CodeUnknownGroup, "there is no group %q", id)
}

// active says who keeps a group from being changed, and what to do.
func active(view group.View, todo string) error {
	var who []string
	for _, c := range view.Consumers {
		who = append(who, fmt.Sprintf("%s at %s (%s)", c.ClientID, c.Host, c.Role))
	}
	return problem(CodeActive, "group %s has consumers: %s: %s", view.Group, strings.Join(who, ", "), todo)
}

// accountProblem says what auth's sentinels mean to the client.
func (s *Server) accountProblem(id string, err error) error {
	switch {
	case errors.Is(err, auth.ErrExists):
		return problem(CodeExists, "%v", err)
	case errors.Is(err, auth.ErrTooMany):
		return problem(CodeTooMany, "%v", err)
	case errors.Is(err, auth.ErrInvalid):
		return problem(CodeInvalid, "%v", err)
	case errors.Is(err, auth.ErrNotFound):
		return unknownGroup(id)
	case errors.Is(err, auth.ErrOwnedByFile):
		return problem(CodeOwnedByFile, "group %q is declared in the configuration file %s: change it there and restart Daybook", id, s.o.ConfigFile)
	}
	return err
}
