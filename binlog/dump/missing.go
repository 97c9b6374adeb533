package dump

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// MissingError tells of transactions that were not read and are in none of the
// source's binlogs: a binlog between two others is gone, is another one by now, or
// cannot be read, or what it held counts as purged. The position is before the gap,
// and what follows can be started at.
type MissingError struct {
	Next Place // the first place behind the gap
	// Behind has what follows the gap begin behind a GTID set, and not at a place; nil: at Next.
	Behind *GTIDSet
	Text   string
	Kind   error // a sentinel; nil: ErrPurged
}

// Error says what is missing.
func (e *MissingError) Error() string {
	if e.Behind != nil {
		return fmt.Sprintf("%v: %s", e.Unwrap(), e.Text)
	}
	return fmt.Sprintf("%v: %s; the first place behind it is %s", e.Unwrap(), e.Text, e.Next)
}

// From is where reading can begin behind the gap: file:offset, or a GTID set.
func (e *MissingError) From() string {
	if e.Behind != nil {
		return e.Behind.String()
	}
	return e.Next.String()
}

// Unwrap returns the sentinel.
func (e *MissingError) Unwrap() error { return cmp.Or(e.Kind, ErrPurged) }

// String gives file and offset.
func (p Place) String() string { return p.File + ":" + strconv.FormatUint(p.Pos, 10) }

// errNoFile is the answer of a server that cannot open a binlog file that it
// lists.
var errNoFile = errors.New("the source cannot open one of its binlogs")

// gone tells a file that is listed and cannot be opened: whoever lost it or
// deleted it by hand left it in the index.
func (l binaryLog) gone() bool { return l.size == 0 }

// unreadableError is what a server says of a binlog that it cannot read to its end.
type unreadableError struct {
	file string
	err  error
}

func (e *unreadableError) Error() string { return e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }

// behind makes of it what can be started at: the next file.
func (e *unreadableError) behind(logs []binaryLog) error {
	i := slices.IndexFunc(logs, func(l binaryLog) bool { return l.name == e.file })
	if i < 0 {
		return e.err
	}
	next := slices.IndexFunc(logs[i+1:], func(l binaryLog) bool { return !l.gone() })
	if next < 0 {
		return fmt.Errorf("%w; FLUSH BINARY LOGS at the source begins another file, which can be gone on with", e.err)
	}
	return &MissingError{Next: Place{logs[i+1+next].name, 4}, Text: fmt.Sprintf("%s cannot be read to its end: %v", e.file, e.err), Kind: ErrEvent}
}

// missingFile makes of errNoFile what is known of the file: the first one that
// is gone, from the position's file on; and of one that cannot be read, what follows.
func missingFile(err error, logs []binaryLog, p *Position) error {
	var unreadable *unreadableError
	if errors.As(err, &unreadable) {
		return unreadable.behind(logs)
	}
	if !errors.Is(err, errNoFile) {
		return err
	}
	from := max(0, slices.IndexFunc(logs, func(l binaryLog) bool { return l.name == p.File }))
	lost := slices.IndexFunc(logs[from:], binaryLog.gone)
	if lost < 0 {
		return fmt.Errorf("%w: %w; FLUSH BINARY LOGS at the source begins another file if it is the one that it writes", ErrPurged, err)
	}
	lost += from
	next := slices.IndexFunc(logs[lost:], func(l binaryLog) bool { return !l.gone() })
	if next < 0 {
		return fmt.Errorf("%w: %w: %s is in its index and not on its disk; FLUSH BINARY LOGS at the source begins another file", ErrPurged, err, logs[lost].name)
	}
	return &MissingError{Next: Place{logs[lost+next].name, 4}, Text: fmt.Sprintf("%v: %s is in its index and not on its disk", errNoFile, logs[lost].name)}
}

// nothingMissing sees that all that a MySQL server counts as purged was read. It
// may count more where it wrote for a while under another log_bin name: what it
// wrote then is in no binlog that it still knows. The server itself refuses a
// replica by the same rule that asks for what follows a GTID set.
func (d *placing) nothingMissing(ctx context.Context) error {
	missing, err := d.unreadPurged(ctx)
	if err != nil || missing == nil {
		return err
	}
	if missing.of(d.s.ServerUUID).IsEmpty() && !d.s.LogsReplicated() {
		return d.noneReplicated(missing)
	}
	return &MissingError{Next: Place{d.p.File, d.p.Pos}, Text: fmt.Sprintf("the source counts the transactions %q as purged (gtid_purged), and they were not read: "+
		"it wrote them under another log_bin name, or was told to count them as executed", missing.Brief())}
}

// noneReplicated sees of a server that logs only its own changes, and so counts all others as purged, that it has
// not replicated anything since it was first read that was not read elsewhere.
func (d *placing) noneReplicated(purged *GTIDSet) error {
	if d.p.Had == nil || !d.sameServer() {
		return nil
	}
	if purged = purged.minus(d.p.Had); purged.IsEmpty() {
		return nil
	}
	return &MissingError{Next: Place{d.p.File, d.p.Pos}, Text: fmt.Sprintf("the source has replicated the transactions %q, which were not read, and does not log what it replicates (%s=OFF): they are in none of its binlogs",
		purged.Brief(), d.s.logVariable())}
}

// nonePurged names what a MySQL server has purged and was not read. It refuses a replica that lacks some
// of it, and does not always say of what.
func (d *placing) nonePurged(ctx context.Context) error {
	missing, err := d.unreadPurged(ctx)
	if err != nil || missing == nil {
		return err
	}
	text := fmt.Sprintf("it counts the transactions %q as purged (gtid_purged), which were not read; keep binlogs longer (binlog_expire_logs_seconds, expire_logs_days)", missing.Brief())
	if d.s.LogsReplicated() {
		return fmt.Errorf("%w: %s", ErrPurged, text)
	}
	behind := d.p.GTIDs.Clone() // its oldest binlog has what was read of it before
	behind.AddSet(missing)
	return &MissingError{Behind: behind, Text: text}
}

// unreadPurged returns what a MySQL server counts as purged and was not read; nil: nothing.
func (d *placing) unreadPurged(ctx context.Context) (*GTIDSet, error) {
	if d.p.GTIDs == nil || !d.s.countsPurged() {
		return nil, nil
	}
	purged, err := d.set(ctx, "@@GLOBAL.gtid_purged")
	if err != nil {
		return nil, err
	}
	if missing := purged.minus(d.p.GTIDs); !missing.IsEmpty() {
		return missing, nil
	}
	return nil, nil
}

// countsPurged tells whether gtid_purged means something.
func (s *Status) countsPurged() bool {
	return s.Flavor == MySQL && s.GTIDMode != "" && s.GTIDMode != "OFF"
}

// inOrder sees that the source lists its binlogs as it wrote them.
func inOrder(logs []binaryLog) error {
	for i := 1; i < len(logs); i++ {
		base, number := splitName(logs[i-1].name)
		next, follows := splitName(logs[i].name)
		if base == next && follows <= number {
			return Transient(fmt.Errorf("its index of binlogs lists %s before %s: stop it, put the lines of the index file (log_bin_index) in order, and start it; the task then goes on by itself",
				logs[i-1].name, logs[i].name))
		}
	}
	return nil
}
