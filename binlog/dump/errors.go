package dump

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// The decisions that a caller may take. The errors that wrap them say what
// happened, where in the binlog, and what to do.
var (
	ErrUnreachable = errors.New("the source cannot be reached")
	ErrTLS         = errors.New("no TLS connection to the source")
	ErrAuth        = errors.New("the source refuses the login")
	ErrSecret      = errors.New("the source's password cannot be had")
	ErrPrivilege   = errors.New("the account lacks a privilege on the source")
	ErrAnswer      = errors.New("the source gives an answer that cannot be used")
	ErrNoBinlog    = errors.New("the source writes no binlog")
	ErrPurged      = errors.New("the position is no longer in the source's binlogs")
	ErrPosition    = errors.New("the position is not in the source's binlogs")
	ErrGTIDMode    = errors.New("the source's gtid_mode keeps it from sending what was not read yet")
	ErrOtherServer = errors.New("the source is another server than before")
	ErrProxy       = errors.New("what answers at the source's address passes no replication on")
	ErrNotReady    = errors.New("the source is a node without its Galera cluster")
	ErrBehind      = errors.New("the source lacks transactions that were already read")
	ErrNotLogged   = errors.New("the source is a replica that does not log what it replicates")
	ErrServerID    = errors.New("the server ID is used by another replica of the source")
	ErrEvent       = errors.New("an event of the binlog cannot be read")
	ErrChecksum    = errors.New("an event's CRC32 checksum is wrong")
	ErrSaved       = errors.New("a saved position cannot be read")
)

// transientError is a failure that a new connection may heal.
type transientError struct{ err error }

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// Transient marks a failure that a new connection may heal.
func Transient(err error) error { return &transientError{err} }

// IsTransient tells a failure that a new connection may heal.
func IsTransient(err error) bool {
	var t *transientError
	return errors.As(err, &t)
}

// lastingError is a transient one that does not pass.
type lastingError struct{ text string }

func (e *lastingError) Error() string        { return e.text }
func (e *lastingError) Is(target error) bool { return target == ErrUnreachable }

// lasting makes an end of a transient error that has lasted so long.
func lasting(err error, long time.Duration) error {
	text := fmt.Sprintf("%v; so it has been for %s", err, long)
	if !errors.Is(err, ErrUnreachable) {
		text = fmt.Sprintf("%v: %s", ErrUnreachable, text)
	}
	return &lastingError{text}
}

// classify turns an error of a connection or of the server into one of the
// sentinels, or into a transient error. doing says what was tried.
func classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	my := serverError(err)
	if my == nil {
		return Transient(fmt.Errorf("%s: %w", doing, err))
	}
	if strings.Contains(my.Message, initConnect) {
		return Transient(fmt.Errorf("%s: %w; the source has every session run init_connect: mend its statements, which may need a privilege, or set it to ''", doing, my))
	}
	switch my.Code {
	case mysql.ER_ACCESS_DENIED_ERROR, mysql.ER_DBACCESS_DENIED_ERROR, 1251, 1275, 1698, 3118, 1862, 1820:
		return fmt.Errorf("%w: %s: %s; check user and password", ErrAuth, doing, my.Message)
	case 1130:
		return fmt.Errorf("%w: %s: %s; allow the account to log in from this host", ErrAuth, doing, my.Message)
	case mysql.ER_SPECIFIC_ACCESS_DENIED_ERROR, mysql.ER_TABLEACCESS_DENIED_ERROR, mysql.ER_COLUMNACCESS_DENIED_ERROR:
		return fmt.Errorf("%w: %s: %s; GRANT %s ON *.* to it", ErrPrivilege, doing, my.Message, lacking(my.Message))
	case mysql.ER_UNKNOWN_COM_ERROR:
		if strings.Contains(my.Message, "WSREP") {
			return Transient(fmt.Errorf("%w: %s: %s; it takes and has nothing new until it is back in the primary component (SHOW STATUS LIKE 'wsrep%%' there): then the task goes on by itself, as it does at another node that numbers alike", ErrNotReady, doing, my.Message))
		}
		return fmt.Errorf("%w: %s: %s; it is a proxy: use the server's own address (ProxySQL: or set mysql_users.fast_forward=1 for the account; MaxScale: or a binlogrouter)", ErrProxy, doing, my.Message)
	case mysql.ER_NO_BINARY_LOGGING:
		return fmt.Errorf("%w: %s: %s; start the source with log_bin", ErrNoBinlog, doing, my.Message)
	case errFileNotFound: // MariaDB opens a binlog before it says more
		return fmt.Errorf("%w: %s: %w", errNoFile, doing, my)
	case mysql.ER_MASTER_FATAL_ERROR_READING_BINLOG:
		return classifyDump(doing, my.Message)
	case 1053, 1077, 1078, 1079, 1152, 1153, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1205, 1213, 1290, 1317, 1927, 2006, 2013, 3169, 4031:
		return Transient(fmt.Errorf("%s: %w", doing, my))
	}
	if todo := limits[my.Code]; todo != "" {
		return Transient(fmt.Errorf("%s: %w; %s", doing, my, todo))
	}
	return fmt.Errorf("%s: %w", doing, my)
}

var needed = regexp.MustCompile(`at least one of\) the (.+) privilege\(s\)`)

// lacking returns the privileges that an account is to be granted: what every task needs, or what the server asks
// for beside that.
func lacking(message string) string {
	const all = "REPLICATION SLAVE, REPLICATION CLIENT, SELECT"
	m := needed.FindStringSubmatch(message)
	if m == nil {
		return all
	}
	list := strings.Split(m[1], ", ")
	for _, p := range list {
		if strings.Contains(all, p) || p == "BINLOG MONITOR" || p == "REPLICATION REPLICA" {
			return all
		}
	}
	return list[len(list)-1]
}

// limits are the answers of a source whose global variables do not let it do what
// it is asked for, with the variables and what to do. They may be changed while it runs.
var limits = map[uint16]string{
	1040: connectionLimits, 1203: connectionLimits, 1226: connectionLimits,
	1114: "its temporary tables are too small or its disk is full: raise tmp_disk_table_size or myisam_data_pointer_size, or make room in tmpdir",
	3032: "SET GLOBAL offline_mode = OFF ends that",
	3159: "the source has require_secure_transport = ON: give it a certificate, and the task no tls.mode of disabled",
	3922: "add uncompressed to protocol_compression_algorithms",
}

const connectionLimits = "raise max_connections, max_user_connections or the account's limits: Daybook keeps one connection and needs some more for moments"

// initConnect is what a server says to an account for which its init_connect fails.
const initConnect = "init_connect command failed"

// errNotListed is the answer of a server that does not list the binlog file that it is asked for, or that it had chosen for
// a GTID set.
var errNotListed = fmt.Errorf("%w", ErrPurged)

// purgedMeanwhile makes one that passes of it, where the file was listed right before: who connects anew is told whether
// something is missing.
func purgedMeanwhile(err error) error {
	if !errors.Is(err, errNotListed) {
		return err
	}
	return Transient(errors.New("binlogs of the source were purged when they were asked for"))
}

// dumpErrors maps what the server says with error 1236 to sentinels. The texts
// differ between versions (master and source), so parts of them are looked for.
var dumpErrors = []struct {
	part string
	err  error
	todo string
}{
	{"could not open log file", errNoFile, "it is in its index and not on its disk, or may not be read"},
	{"purged", ErrPurged, "keep binlogs longer (binlog_expire_logs_seconds, expire_logs_days)"},
	{"find first log file", errNotListed, "keep binlogs longer (binlog_expire_logs_seconds, expire_logs_days)"},
	{"has connected to the", ErrServerID, "give each replica its own server_id"},
	{"anonymous transaction when", ErrGTIDMode, "transactions without GTIDs were not read yet when gtid_mode became ON: SET GLOBAL gtid_mode=ON_PERMISSIVE on the source until they are"},
	{"gtid-transaction when", ErrGTIDMode, "transactions with GTIDs were not read yet when gtid_mode became OFF: SET GLOBAL gtid_mode=OFF_PERMISSIVE on the source until they are"},
	{"more gtids than", ErrOtherServer, "the source has lost transactions that were already read: a failover without them, or its binlogs were reset"},
	{"not in the master's binlog", ErrOtherServer, "the source has lost transactions that were already read, or its binlogs were reset"},
	{"does not exist in the", ErrOtherServer, "the source has lost transactions that were already read, or its binlogs were reset"},
	{"> file size", ErrPosition, "the source's binlog is shorter than what was already read: it has lost data in a crash (sync_binlog=0), or was reset"},
	{"impossible position", ErrPosition, "the source's binlog is shorter than what was already read: it has lost data in a crash (sync_binlog=0), or was reset"},
	{"binary log is not open", ErrNoBinlog, "start the source with log_bin"},
	{"misconfigured master", errNoServerID, giveServerID},
	{"misconfigured source", errNoServerID, giveServerID},
}

func classifyDump(doing, message string) error {
	lower := strings.ToLower(message)
	if strings.Contains(lower, "find next log") {
		// Its binlogs were reset or edited under the dump: who connects anew is
		// told what differs.
		return Transient(fmt.Errorf("%s: the source says %q", doing, message))
	}
	for _, d := range dumpErrors {
		if strings.Contains(lower, d.part) {
			return fmt.Errorf("%w: %s: the source says %q; %s", d.err, doing, message, d.todo)
		}
	}
	err := fmt.Errorf("%w: %s: the source says %q", ErrEvent, doing, message)
	if _, rest, ok := strings.Cut(message, "last event read from '"); ok {
		file, _, _ := strings.Cut(rest, "'")
		return &unreadableError{path.Base(file), err}
	}
	return err
}

// errNoServerID is the answer of a server that was given no number, and sends its binlog to nobody.
var errNoServerID = errors.New("the source has server_id 0")

const giveServerID = "SET GLOBAL server_id to a number that no server or replica of its topology has, and set it in my.cnf"

const errFileNotFound = 29 // EE_FILENOTFOUND

func serverError(err error) *mysql.MyError {
	var my *mysql.MyError
	if errors.As(err, &my) {
		return my
	}
	return nil
}
