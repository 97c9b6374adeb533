package task

import (
	"errors"
	"fmt"

	"daybook/binlog"
	"daybook/store"
)

// withWayOn adds the command that leads on to an error that does not end by
// itself, with the task's name.
func withWayOn(name string, err error) error {
	way := wayOn(name, err)
	if way == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, way)
}

// wayOn returns what to do about an error; "" where its message says it, or
// where waiting helps.
func wayOn(name string, err error) string {
	restart := func(from, what string) string {
		return fmt.Sprintf("'daybook task restart %s --from %s' %s", name, from, what)
	}
	var missing *binlog.MissingError
	switch {
	case errors.Is(err, store.ErrStateLost):
		return restart("now", "goes on with the source as it is, after a gap record; an earlier file:offset or GTID set passes over less")
	case errors.Is(err, store.ErrCorrupt):
		return "'daybook store check' tells what is damaged, 'daybook store repair' mends what can be mended while Daybook is stopped"
	case skippable(err) != nil && errors.Is(err, binlog.ErrSchema):
		return skip(name) + "; where many follow, " + restart("now", "takes the definition as it is now")
	case skippable(err) != nil && errors.Is(err, binlog.ErrPartialImage):
		return "partial_images: accept in the task's configuration takes such rows as they are (restart Daybook); " + skip(name) + "; where many follow, " +
			restart("now", "passes over all of them")
	case skippable(err) != nil && errors.Is(err, binlog.ErrUnseen):
		group := skippable(err)
		return "when it may see that (GRANT SELECT, TRIGGER, SHOW VIEW ON *.*), " + restart(fmt.Sprintf("%s:%d", group.File, group.Pos), "looks again, and passes over nothing") + "; " + skip(name)
	case skippable(err) != nil:
		return skip(name)
	case errors.As(err, &missing):
		return restart(missing.From(), "goes on behind what is missing, after a gap record")
	case errors.Is(err, binlog.ErrPurged):
		return restart("earliest", "goes on with what the source still has, after a gap record if something was read before")
	case errors.Is(err, binlog.ErrBehind):
		return "only if they are lost for good, " + restart("earliest", "reads this server from its oldest binlog on (now: from here on), after a gap record")
	case errors.Is(err, binlog.ErrOtherServer), errors.Is(err, binlog.ErrPosition):
		return restart("earliest", "reads this server from its oldest binlog on (now: from here on), after a gap record")
	case errors.Is(err, binlog.ErrSaved):
		return restart("now", "goes on with the source as it is, after a gap record")
	case errors.Is(err, binlog.ErrSchema), errors.Is(err, binlog.ErrStatement), errors.Is(err, binlog.ErrEvent), errors.Is(err, binlog.ErrChecksum):
		return restart("now", "passes over what cannot be read, after a gap record; a later file:offset or GTID set passes over less")
	}
	return ""
}

func skip(name string) string {
	return fmt.Sprintf("'daybook task skip %s' passes over this event group and leaves a gap record in its place", name)
}

// skippable returns the event group that cannot be read, if that is the error
// and the group is to blame for it.
func skippable(err error) *binlog.GroupPlace {
	var group *binlog.GroupError
	var missing *binlog.MissingError // the source cannot read the group to its end
	if !errors.As(err, &group) || errors.As(err, &missing) {
		return nil
	}
	for _, other := range []error{store.ErrCorrupt, store.ErrFailed, store.ErrClosed, binlog.ErrOtherServer} {
		if errors.Is(err, other) {
			return nil
		}
	}
	place := group.Place()
	return &place
}
