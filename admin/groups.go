package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"daybook/auth"
	"daybook/group"
)

// endLimit bounds the waiting for the connections of a deleted group.
const endLimit = 5 * time.Second

func (s *Server) listGroups(*http.Request) (int, any, error) {
	return http.StatusOK, GroupList{Groups: s.groups()}, nil
}

func (s *Server) showGroup(r *http.Request) (int, any, error) {
	info, view, err := s.find(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.group(info, view), nil
}

func (s *Server) createGroup(r *http.Request) (int, any, error) {
	req, err := decode[CreateRequest](r)
	if err != nil {
		return 0, nil, err
	}
	if !s.o.Tasks.Has(req.Task) {
		return 0, nil, problem(http.StatusNotFound, CodeUnknownTask, "there is no task %q", req.Task)
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	info, err := s.o.Accounts.Create(auth.Account{Account: req.Account, Group: req.Group, Topic: req.Task, Password: req.Password})
	if err != nil {
		return 0, nil, s.accountProblem(req.Group, err)
	}
	view, _ := s.o.Groups.View(info.Group) // what a group of that name has left is its own again
	return http.StatusCreated, s.group(info, view), nil
}

func (s *Server) setPassword(r *http.Request) (int, any, error) {
	req, err := decode[PasswordRequest](r)
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("id")
	if err := s.o.Accounts.SetPassword(id, req.Password, req.EndConnections); err != nil {
		return 0, nil, s.accountProblem(id, err)
	}
	return http.StatusNoContent, nil, nil
}

// deleteGroup deletes the checkpoints first: whatever a crash in between leaves
// still has its account, and is shown and can be deleted again. What consumers
// commit until the account is gone, and their connections with it, goes last.
func (s *Server) deleteGroup(r *http.Request) (int, any, error) {
	force, err := forced(r)
	if err != nil {
		return 0, nil, err
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	id := r.PathValue("id")
	info, view, err := s.find(id)
	if err != nil {
		return 0, nil, err
	}
	if info.Owner == auth.OwnerFile {
		return 0, nil, s.accountProblem(id, auth.ErrOwnedByFile)
	}
	if len(view.Consumers) > 0 && !force {
		return 0, nil, active(view, "stop them, or delete the group by force, which ends their connections")
	}
	if err := s.o.Groups.Delete(id); err != nil {
		return 0, nil, err
	}
	if info.Owner == ownerNone {
		return http.StatusNoContent, nil, nil
	}
	if err := s.o.Accounts.Delete(id); err != nil {
		return 0, nil, s.accountProblem(id, err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), endLimit)
	defer cancel()
	if err := s.o.AwaitEnd(ctx, id); err != nil {
		s.o.Logger.Warn("a deleted group still has connections", "group", id, "error", err)
	}
	if err := s.o.Groups.Delete(id); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

func forced(r *http.Request) (bool, error) {
	switch v := r.URL.Query().Get("force"); v {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, badRequest("force is true or false, not %q", v)
	}
}

func unknownGroup(id string) error {
	return problem(http.StatusNotFound, CodeUnknownGroup, "there is no group %q", id)
}

// active says who keeps a group from being changed, and what to do.
func active(view group.View, todo string) error {
	var who []string
	for _, c := range view.Consumers {
		who = append(who, fmt.Sprintf("%s at %s (%s)", c.ClientID, c.Host, c.Role))
	}
	return problem(http.StatusConflict, CodeActive, "group %s has consumers: %s: %s", view.Group, strings.Join(who, ", "), todo)
}

// accountProblem says what auth's sentinels mean to the client.
func (s *Server) accountProblem(id string, err error) error {
	switch {
	case errors.Is(err, auth.ErrExists):
		return problem(http.StatusConflict, CodeExists, "%v", err)
	case errors.Is(err, auth.ErrTooMany):
		return problem(http.StatusUnprocessableEntity, CodeTooMany, "%v", err)
	case errors.Is(err, auth.ErrInvalid):
		return problem(http.StatusUnprocessableEntity, CodeInvalid, "%v", err)
	case errors.Is(err, auth.ErrNotFound):
		return unknownGroup(id)
	case errors.Is(err, auth.ErrOwnedByFile):
		return problem(http.StatusConflict, CodeOwnedByFile, "group %q is declared in the configuration file %s: change it there and restart Daybook", id, s.o.ConfigFile)
	}
	return err
}
