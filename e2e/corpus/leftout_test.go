//go:build servers

package corpus

import (
	"regexp"
	"strings"
)

// systemDatabase are those that the files must not change.
var systemDatabase = map[string]bool{"mysql": true, "information_schema": true, "performance_schema": true, "sys": true, "mtr": true, "corpus_mark": true}

// leftOutFiles are about characters of ujis that the server itself cannot convert, full of
// prepared transactions that are committed with ONE PHASE, which MySQL does not log, about inserts in
// bulk whose rows MariaDB logs and does not keep, or the other way round, with a
// statement in UTF-8 from a client of latin1 that looks like MySQL 5.7's own, with
// one that crashes MySQL 8.0.31, with comments that are no text, with labels in
// ucs2, utf16 and utf32 that two columns share, with polygons that are turned round, and with
// an XA transaction of a session with a temporary table.
var leftOutFiles = regexp.MustCompile(`/(?:ctype_ujis|xa_applier_shutdown|insert_into_empty|mysqldump-header|fk_cascade_virtual_index_rollback|invalid_comment|alter_spatial_index|undo_log_temp_table_debug|instant_ddl_import_charset_drop_enum_\w+)\.test$`)

// leftOut are statements that belong to the server and not to a session's
// tables, that would end the run, or that wait.
var leftOut = regexp.MustCompile(`(?is)^\s*(?:` +
	`change\s+(?:master|replication)|(?:start|stop)\s+(?:all\s+)?(?:slave|replica|group_replication)|reset|purge|kill|shutdown|restart\b|(?:un)?install|clone|binlog\s|` +
	`lock\s+(?:tables?|instance|binlog)|unlock|backup|flush\s+.*(?:read\s+lock|export|privileges|hosts|user_resources|ssl)|` +
	`use\s+["\x60]?(?:mysql|information_schema|performance_schema|sys|mtr)\b|` +
	`set\s+(?:password|default\s+role|persist|resource)|alter\s+(?:user|instance|server)|rename\s+user|revoke|create\s+server|drop\s+server|` +
	`(?:drop|create)\s+user.*(?:admin|repl)\b|grant\s+proxy|alter\s+(?:database|schema)\b.*read\s+only|` +
	`(?:drop|alter|create)\s+(?:database|schema)\s+(?:if\s+(?:not\s+)?exists\s+)?["\x60]?(?:mysql|sys|corpus_mark|information_schema|performance_schema)\b|` +
	`(?:create|alter|drop)\s+(?:undo\s+)?tablespace|(?:create|drop|alter)\s+(?:or\s+replace\s+)?(?:resource|logfile)|` +
	`(?:insert|replace|update|delete|create|drop|alter|truncate|rename|load|optimize|repair|analyze|check)\b[^('"]*\b["\x60]?(?:mysql|sys|performance_schema|information_schema|mtr)["\x60]?\s*\.\s*\w` +
	`)`)

// leftOutAnywhere are words for which a statement is left out wherever they stand.
var leftOutAnywhere = regexp.MustCompile(`(?is)\bset\s+global\b|\bset\s+persist|@@global\s*\.\s*\w+\s*:?=[^=]|,\s*global\s+\w+\s*=|sql_log_bin|binlog_format|binlog_row_image|pseudo_|\bserver_id\s*=|gtid_\w+\s*=|` +
	`\bget_lock\s*\(|\bbenchmark\s*\(|\bsleep\s*\(|master_pos_wait|master_gtid_wait|wait_for_executed|(?:discard|import)\s+(?:partition\s+.*)?tablespace|secondary_engine|skip_replication|` +
	`\breset\s+(?:master|binary)|create\s+table\s+t1_fail\s|varchar\(25\)\s+default\s+null,\s*algorithm\s*=\s*instant|\buse_frm\b|default\s*\(*pi\(|comment\s+'a\x{FFFD}'|\bserial\s+as\s*\(|history\s+enum\s*\('a','a'\)|enum\s*\(0x(?:FFFF|E4)\b|linear\s+hash\s*\(\s*c1\s+div\s+-\s*c1|f1\s*=\s*(?:'x'|cast\(''\s+as\s+decimal\))\s+with\s+check\s+option|` +
	`source_pos_wait|max_allowed_packet|0xA3A0|0xC84|\x{FFFD}@|collation_connection\s*=\s*(?:utf16|utf32|ucs2)|\b(?:insert|replace)\b[^;]{0,40}\bdelayed\b|flush\s+[^;]*read\s+lock|bigint[^,]*as\s+row\s+start|debug_sync|wait_until_sql_thread|innodb_table_stats|innodb_index_stats`)

// defines tells the statements that change tables' definitions, which end a
// transaction.
var defines = regexp.MustCompile(`(?is)^\s*(?:/\*!?\d*\s*)?(?:set\s+statement\b.*?\bfor\s+)?(?:create|alter|drop|rename|truncate)\b`)

// definesNoTable tells those of them that do not.
var definesNoTable = regexp.MustCompile(`(?is)^\s*(?:create|alter|drop)\b[^(]{0,80}?\b(?:temporary|view|procedure|function|trigger|event|user|role|package|definer)\b`)

// readsOnly are statements after which there is nothing to compare.
var readsOnly = regexp.MustCompile(`(?is)^\s*(?:select|show|explain|describe|desc|set|use|help|check|prepare|deallocate|declare|fetch|with|values)\b`)

var local = regexp.MustCompile(`(?is)^(\s*load\s+(?:data|xml)\s+(?:low_priority\s+|concurrent\s+)?)local\s+`)

func isDefinition(sql string) bool {
	head := sql
	if len(head) > 300 {
		head = head[:300]
	}
	return defines.MatchString(head) && !definesNoTable.MatchString(head)
}

func withoutLocal(sql string) string { return local.ReplaceAllString(sql, "$1") }

func isLeftOut(sql string) bool {
	head := strings.TrimLeft(sql, " \t\r\n(")
	if strings.HasPrefix(head, "/*!") {
		head = strings.TrimLeft(head[3:], "0123456789 M")
	}
	return leftOut.MatchString(head) || leftOutAnywhere.MatchString(sql)
}
