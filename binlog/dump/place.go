package dump

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
)

// placing decides how to go on at a position, on the server that now is at the
// source's address. What fits is followed, what does not is an error that names
// what differs; what cannot be known is an error too if a gap might be in it.
type placing struct {
	dial func(context.Context) (*Conn, error) // for short dumps beside c
	log  *slog.Logger
	c    *Conn
	s    *Status
	p    *Position
	// whole is the position with the domains that the server is not asked for; see askFor.
	whole *Position
	logs  []binaryLog
	read  Place       // where the group read last ends on another server; zero: not looked for
	had   BinlogState // what a MariaDB server had up to there
	lacks []string    // for Connection.Lacks
}

// decide returns what to ask for.
//
// A file that is there and has the same beginning and, before the position, the
// same event is the same binlog, whatever the server is called by now: it is
// followed by file and offset, which is exact. Where it is not there, GTIDs tell.
func (d *placing) decide(ctx context.Context) (From, error) {
	if d.s.Flavor != d.p.Flavor {
		return From{}, fmt.Errorf("%w: it was %s and is %s now", ErrOtherServer, d.p.Flavor, d.s.Flavor)
	}
	if d.p.File != "" && d.p.FileMade != 0 {
		from, ok, err := d.byFile(ctx)
		if ok || err != nil {
			return from, err
		}
	} else if !d.usesGTIDs() {
		return d.unidentified()
	}
	return d.byGTID(ctx)
}

// byFile compares the files. Not ok: the GTIDs have to tell.
func (d *placing) byFile(ctx context.Context) (from From, ok bool, err error) {
	listed := slices.IndexFunc(d.logs, func(l binaryLog) bool { return l.name == d.p.File })
	differs := ""
	if listed >= 0 {
		if d.logs[listed].gone() {
			return From{}, false, errNoFile
		}
		if differs, _, err = d.compare(ctx); err != nil {
			return From{}, false, err
		}
		unread := d.p.Last.Start == 0 && !d.sameServer()
		if differs == "" && unread && d.usesGTIDs() {
			return From{}, false, nil // two files of one second look alike before something of them was read
		}
		if differs == "" && unread && !d.sameNumbers() {
			differs = "nothing of " + d.p.File + " was read that tells the two apart"
		}
		if differs == "" {
			return d.sameFile(ctx)
		}
	} else {
		differs = d.notListed()
	}
	if listed < 0 && differs == "" && d.s.Flavor == MySQL && d.sameServer() && d.isNext(d.logs[0].name) {
		if from, ok, err := d.nextFile(ctx); ok || err != nil {
			return from, ok, err
		}
	}
	switch {
	case d.sameServer() && differs != "":
		return From{}, false, fmt.Errorf("%w: %s: its binlogs were reset, or it was restored from a backup, so what happened since the position %s is not known", ErrOtherServer, differs, d.p)
	case d.usesGTIDs():
		return From{}, false, nil
	case d.sameServer():
		return From{}, false, fmt.Errorf("%w: the source has %s to %s, and the position is %s; keep binlogs longer (binlog_expire_logs_seconds, expire_logs_days)",
			ErrPurged, d.logs[0].name, d.logs[len(d.logs)-1].name, d.p)
	}
	if differs == "" {
		differs = "it has no file " + d.p.File
	}
	return From{}, false, fmt.Errorf("%w: %s, and the position %s means nothing there (%s): %s", ErrOtherServer, d.otherName(), d.p, differs, d.noGTIDs())
}

// sameFile goes on in the position's own file. Not ok: what came later is not in this server's binlogs.
func (d *placing) sameFile(ctx context.Context) (from From, ok bool, err error) {
	if whole, err := d.logsAll(ctx); !whole || err != nil {
		return From{}, false, err
	}
	for _, sees := range []func(context.Context) error{d.nothingMissing, d.noneUnread} {
		if err := sees(ctx); err != nil {
			return From{}, false, err
		}
	}
	if d.p.overlaps() {
		from, err = d.setFrom(ctx)
		return from, true, err
	}
	return d.fileFrom(), true, nil
}

// setFrom goes on by GTID set in a binlog that may hold what was read behind what was not.
func (d *placing) setFrom(ctx context.Context) (From, error) {
	if !d.usesGTIDs() {
		return From{}, fmt.Errorf("%w: what follows %s is in part what was read already, which only GTIDs tell: set gtid_mode=ON again until the task has read up to %s",
			ErrGTIDMode, d.p, d.p.Overlap.End)
	}
	from := From{GTIDs: d.p.GTIDs}
	if len(d.p.Back) == 0 {
		return from, nil
	}
	return from, d.notAgain(ctx)
}

func (d *placing) fileFrom() From {
	from := From{File: d.p.File, Pos: d.p.Pos}
	if from.Pos > math.MaxUint32 {
		// The command has room for 32 bits; what is before is stepped over.
		from.Pos = 4
	}
	return from
}

// unidentified goes on by file and offset at a position of which nothing but
// the server is known.
func (d *placing) unidentified() (From, error) {
	if d.sameServer() && d.p.File != "" {
		return d.fileFrom(), nil
	}
	return From{}, fmt.Errorf("%w: %s, and the position %s means nothing there: %s", ErrOtherServer, d.otherName(), d.p, d.noGTIDs())
}

// noGTIDs says why they do not tell the position.
func (d *placing) noGTIDs() string {
	switch {
	case !d.sameNumbers():
		return d.noSameNumbers()
	case d.s.UsesGTID():
		return "what was read last had no GTID"
	case d.p.GTIDs != nil && strings.HasSuffix(d.s.GTIDMode, "PERMISSIVE"):
		return "gtid_mode is " + d.s.GTIDMode + " there, and only with ON does a server send what follows a GTID set: SET GLOBAL gtid_mode=ON, unless it has transactions without GTIDs that were not read"
	}
	return "there are no GTIDs (gtid_mode=ON on both)"
}

func (d *placing) otherName() string {
	if d.s.Node.Name != d.p.Node.Name {
		return fmt.Sprintf("it is %s in place of %s", d.s.who(), (&Status{Node: d.p.Node, ServerID: d.p.ServerID}).who())
	}
	if d.s.ServerUUID == "" && d.p.ServerUUID == "" {
		return fmt.Sprintf("it has server_id %d in place of %d", d.s.ServerID, d.p.ServerID)
	}
	return fmt.Sprintf("it has server_uuid %q and server_id %d in place of %q and %d", d.s.ServerUUID, d.s.ServerID, d.p.ServerUUID, d.p.ServerID)
}

func (d *placing) sameServer() bool {
	if d.s.ServerUUID != "" && d.p.ServerUUID != "" {
		return d.s.ServerUUID == d.p.ServerUUID
	}
	return d.s.ServerID == d.p.ServerID && (d.s.Node.Name == d.p.Node.Name || d.p.Node.Name == "")
}

// usesGTIDs tells whether the server can be asked for what comes after a GTID
// set, and the set is known.
func (d *placing) usesGTIDs() bool {
	return d.p.GTIDs != nil && d.s.UsesGTID() && (d.s.Flavor == MySQL || !d.p.GTIDs.IsEmpty()) && d.sameNumbers()
}

// notListed tells what speaks against the position's file having been purged.
func (d *placing) notListed() string {
	first, last := d.logs[0].name, d.logs[len(d.logs)-1].name
	base, number := splitName(d.p.File)
	lastBase, newest := splitName(last)
	_, oldest := splitName(first)
	switch {
	case base != lastBase: // log_bin was changed
		return ""
	case number > newest:
		return fmt.Sprintf("its newest binlog is %s, and %s, made %s, was being read", last, d.p.File, seconds(d.p.FileMade))
	case number >= oldest:
		return fmt.Sprintf("its binlogs %s to %s lack %s", first, last, d.p.File)
	}
	return ""
}

// Follows tells whether a binlog file may be the one that a server began after
// another: the next number, or another name, as log_bin was changed.
func Follows(before, file string) bool {
	base, number := splitName(before)
	nextBase, next := splitName(file)
	return base != nextBase || next == number+1
}

// splitName splits the number off a binlog file's name.
func splitName(file string) (base string, number uint64) {
	dot := strings.LastIndexByte(file, '.')
	number, _ = strconv.ParseUint(file[dot+1:], 10, 64)
	return file[:dot+1], number
}

// logsAll tells whether a server that has the position's file also has all that
// came later in its binlogs. A copy of the source that became its replica and
// logs its own changes only (log_slave_updates=OFF) has not.
func (d *placing) logsAll(ctx context.Context) (bool, error) {
	if d.p.IsOf(d.s) {
		return true, nil
	}
	if d.s.Flavor == MySQL && d.usesGTIDs() {
		purged, err := d.set(ctx, "@@GLOBAL.gtid_purged")
		return err == nil && d.p.GTIDs.ContainsSet(purged), err
	}
	if d.s.Flavor == MariaDB {
		lacks, err := d.lacksReplicated(ctx)
		if err != nil || !lacks {
			return err == nil, err
		}
		return false, d.mayLack()
	}
	if d.s.LogsReplicated() {
		return true, nil
	}
	if d.s.ServerUUID != "" && (d.s.ServerUUID == d.p.ServerUUID || d.s.ServerID == d.p.ServerID) {
		return true, nil // a replica must differ in both
	}
	return false, d.mayLack()
}

func (d *placing) mayLack() error {
	return fmt.Errorf("%w: %s, has the same binlogs up to the position %s, and log_slave_updates=OFF, or had it: if it was a replica of the former one, they lack what it replicated",
		ErrOtherServer, d.otherName(), d.p)
}

// lacksReplicated tells whether a MariaDB server has replicated something that is not in its
// binlogs: of each domain and server they list what came last.
func (d *placing) lacksReplicated(ctx context.Context) (bool, error) {
	replicated, err := d.c.Replicated(ctx, d.s)
	if err != nil {
		return false, err
	}
	logged, err := d.c.BinlogState(ctx)
	return !logged.Has(replicated), err
}

// set selects a GTID set.
func (d *placing) set(ctx context.Context, variable string) (*GTIDSet, error) {
	return d.c.gtidSet(ctx, d.s, variable)
}

func (c *Conn) gtidSet(ctx context.Context, s *Status, variable string) (*GTIDSet, error) {
	text, err := c.value(ctx, "SELECT "+variable)
	if err != nil {
		return nil, err
	}
	return ParseGTIDSet(s.Flavor, text)
}

// Executed returns the GTID set that the server's binlogs hold, purged ones
// included.
func (c *Conn) Executed(ctx context.Context, s *Status) (*GTIDSet, error) {
	if s.Flavor == MariaDB {
		return c.gtidSet(ctx, s, "@@GLOBAL.gtid_binlog_pos")
	}
	return c.gtidSet(ctx, s, "@@GLOBAL.gtid_executed")
}

// byGTID goes on after the GTID set, if the server has executed all of it and
// the group read last is the same one there.
func (d *placing) byGTID(ctx context.Context) (From, error) {
	executed, err := d.executed(ctx)
	if err != nil {
		return From{}, err
	}
	if gone := executed.lacksDomains(d.p.GTIDs); len(gone) > 0 && d.sameServer() {
		return From{}, fmt.Errorf("%w: %s is purged, and the source knows the GTID domains %v no more (DELETE_DOMAIN_ID): what they had after %q is not known", ErrPurged, d.p.File, gone, d.p.GTIDs.Brief())
	}
	if err := d.noneUnread(ctx); err != nil {
		return From{}, err
	}
	if !executed.ContainsSet(d.p.GTIDs) {
		return From{}, d.mayCatchUp(d.lacking(executed))
	}
	for _, sees := range []func(context.Context) error{d.nonePurged, d.noneDeleted, d.noneSkipped, d.noneHidden, d.noneLost, d.sameGroup, d.begunBehind, d.notAgain, d.sameHistory, d.noneAnonymous} {
		if err := sees(ctx); err != nil {
			return From{}, err
		}
	}
	return From{GTIDs: d.p.GTIDs}, nil
}

// mayCatchUp makes a failure of one that passes, unless it is that of the server
// that the position is from, which will not get back what it has lost.
func (d *placing) mayCatchUp(err error) error {
	if d.sameServer() {
		return err
	}
	return Transient(err)
}

// lacking tells of a server that has not executed all that was read: it may be a
// replica that will have it soon, or it is lost.
func (d *placing) lacking(executed *GTIDSet) error {
	which := ""
	if d.s.Flavor == MySQL {
		which = fmt.Sprintf(" %q", d.p.GTIDs.minus(executed).Brief())
	}
	if d.sameServer() {
		return fmt.Errorf("%w: it lacks transactions%s that were already read: it has %q, read was %q; its binlogs were reset, or it lost them in a crash",
			ErrOtherServer, which, executed.Brief(), d.p.GTIDs.Brief())
	}
	if which != "" {
		which = "it lacks" + which + ": "
	}
	return fmt.Errorf("%w: %w: %sit has %q, read was %q; it may be a replica that is only behind, and the task goes on by itself as soon as it has caught up; or the failover lost them",
		ErrOtherServer, ErrBehind, which, executed.Brief(), d.p.GTIDs.Brief())
}

// unlogged adds to what is said of a server that lacks what was read, or has not in its binlogs what
// follows, that it does not log what it replicates.
func (d *placing) unlogged(err error) error {
	if !errors.Is(err, ErrPurged) && !errors.Is(err, ErrBehind) || d.sameServer() || d.s.LogsReplicated() {
		return err
	}
	name := d.s.logVariable()
	text := "%w; it has " + name + "=OFF: what it replicated is in none of its binlogs (set " + name + "=ON in its my.cnf and restart it, before a failover leads to it)"
	if IsTransient(err) {
		return Transient(fmt.Errorf(text, errors.Unwrap(err)))
	}
	return fmt.Errorf(text, err)
}

// look makes a short dump over a connection of its own.
func (d *placing) look(ctx context.Context, from From, visit func(seen) error) error {
	c, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return purgedMeanwhile(c.look(ctx, d.s, from, visit))
}
