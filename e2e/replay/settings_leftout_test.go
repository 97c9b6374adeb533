//go:build servers

package replay

import (
	"errors"
	"regexp"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
)

// stopsAll are variables that may keep everybody from working, and are set alone,
// with the reason.
var stopsAll = map[string]string{
	"super_read_only":                 "nobody writes",
	"offline_mode":                    "nobody but administrators connects",
	"max_connections":                 "nobody connects",
	"max_user_connections":            "few connect",
	"require_secure_transport":        "who speaks no TLS does not connect",
	"protocol_compression_algorithms": "who does not compress does not connect",
	"binlog_row_image":                "the precheck refuses it",
	"binlog_format":                   "the precheck refuses it",
	"init_connect":                    "it may end each connection",
	"sql_log_bin":                     "the precheck refuses it",
	"wsrep_forced_binlog_format":      "the precheck refuses it",
	"max_session_mem_used":            "the least of it lets nobody connect",
	"myisam_data_pointer_size":        "temporary tables hold nothing",
}

// leftOut are the variables that are not set, with the reason.
var leftOut = []struct {
	names  *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`^innodb_monitor_|_now$|^innodb_buffer_pool_load_abort$|_aux_table$`), "a command, not a setting"},
	{regexp.MustCompile(`^wsrep_(?:cluster|node|provider|sst|start|dbug|notify|patch|slave|trx|desync|on$)`), "for a cluster, which is not there"},
	{regexp.MustCompile(`^debug`), "for those who debug a server"},
	{regexp.MustCompile(`^gtid_(purged|binlog_state|slave_pos|executed)$|^sql_(slave|replica)_skip_counter$`), "a place in the binlog, not a setting"},
	{regexp.MustCompile(`_file$|_path$|_dir$|^ssl_|_ssl_|^tls_|_tls_|^admin_tls|_file_path$`), "names of files"},
}

func leftOutReason(name string) string {
	for _, l := range leftOut {
		if l.names.MatchString(name) {
			return l.reason
		}
	}
	return ""
}

// ended tells whether an error is that of a connection that has ended.
func ended(err error) bool {
	var refused *gomysql.MyError
	return err != nil && (!errors.As(err, &refused) || refused.Code == 1927 || refused.Code == 1317)
}
