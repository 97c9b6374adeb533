package binlog

import (
	"errors"

	"daybook/binlog/dump"
)

// The decisions that a caller may take. The errors that wrap them say what
// happened, where in the binlog, and what to do.
var (
	ErrUnreachable = dump.ErrUnreachable
	ErrTLS         = dump.ErrTLS
	ErrAuth        = dump.ErrAuth
	ErrSecret      = dump.ErrSecret
	ErrPrivilege   = dump.ErrPrivilege
	ErrNoBinlog    = dump.ErrNoBinlog
	ErrPurged      = dump.ErrPurged
	ErrPosition    = dump.ErrPosition
	ErrGTIDMode    = dump.ErrGTIDMode
	ErrOtherServer = dump.ErrOtherServer
	ErrProxy       = dump.ErrProxy
	ErrNotReady    = dump.ErrNotReady
	ErrBehind      = dump.ErrBehind
	ErrNotLogged   = dump.ErrNotLogged
	ErrServerID    = dump.ErrServerID
	ErrEvent       = dump.ErrEvent
	ErrChecksum    = dump.ErrChecksum
	ErrSaved       = dump.ErrSaved

	ErrNotRow    = errors.New("the source's binlog is not in ROW format")
	ErrLeftOut   = errors.New("the source leaves selected databases out of its binlog")
	ErrUnseen    = errors.New("the account's privileges do not show whether it was")
	ErrStatement = errors.New("a selected table was changed by a statement-format event")
	ErrSchema    = errors.New("a selected table cannot be read by what is known of its definition")
	// ErrPartialImage: see Options.StopAtPartialImages.
	ErrPartialImage = errors.New("a session leaves columns out of the rows of a selected table")
	ErrClosed       = errors.New("the reader is closed")
)

// IsTransient tells a failure that another try may not meet.
func IsTransient(err error) bool { return dump.IsTransient(err) }
