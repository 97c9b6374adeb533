package task

import (
	"context"
	"errors"
	"fmt"

	"daybook/objects"
)

// ErrSource is wrapped by the error of a source that cannot be looked at.
var ErrSource = errors.New("the source cannot be looked at")

// Databases lists the databases of the task's source, as [ListDatabases] does.
func (t *Task) Databases(ctx context.Context) ([]Database, error) {
	if err := t.unusable(); err != nil {
		return nil, lookError(err)
	}
	list, err := ListDatabases(ctx, t.options())
	return list, lookError(err)
}

// Tables lists tables of a database of the task's source, as [ListTables] does.
func (t *Task) Tables(ctx context.Context, database, after string, most int) (TablePage, error) {
	if err := t.unusable(); err != nil {
		return TablePage{}, lookError(err)
	}
	page, err := ListTables(ctx, t.options(), database, after, most)
	return page, lookError(err)
}

// Preview tells what patterns would select of the task's source, as [PreviewObjects] does; without any, the
// task's own.
func (t *Task) Preview(ctx context.Context, include, exclude []string, most int) (*Preview, error) {
	if err := t.unusable(); err != nil {
		return nil, lookError(err)
	}
	o := t.options()
	if len(include)+len(exclude) > 0 {
		o.Include, o.Exclude = include, exclude
	}
	p, err := PreviewObjects(ctx, o, most)
	return p, lookError(err)
}

func lookError(err error) error {
	var pattern *objects.Error
	switch {
	case err == nil, errors.Is(err, ErrNoDatabase):
		return err
	case errors.As(err, &pattern):
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w", ErrSource, err)
}
