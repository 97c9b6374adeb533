//go:build servers

package replay

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/servers"
)

// link is a connection whose statements may fail, and that may end.
type link struct {
	conn *client.Conn
}

// dial connects as admin.
func dial(s *servers.Server, database string) (*link, error) {
	conn, err := client.Connect(s.Address, servers.Admin, servers.Admin, database)
	if err != nil {
		return nil, err
	}
	return &link{conn}, nil
}

func (l *link) close() { _ = l.conn.Close() }

func (l *link) exec(sql string) error {
	r, err := l.conn.Execute(sql)
	if err != nil {
		return fmt.Errorf("%.200s: %w", sql, err)
	}
	r.Close()
	return nil
}

func (l *link) query(sql string) ([][]gomysql.FieldValue, error) {
	r, err := l.conn.Execute(sql)
	if err != nil {
		return nil, fmt.Errorf("%.200s: %w", sql, err)
	}
	defer r.Close()
	rows := make([][]gomysql.FieldValue, len(r.Values))
	for i, row := range r.Values {
		for _, v := range row {
			if b, ok := v.Value().([]byte); ok { // it is the result's memory
				v = gomysql.NewFieldValue(gomysql.FieldValueTypeString, 0, append([]byte{}, b...))
			}
			rows[i] = append(rows[i], v)
		}
	}
	return rows, nil
}

// text returns the one value that sql selects.
func (l *link) text(sql string) (string, error) {
	rows, err := l.query(sql)
	if err != nil || len(rows) != 1 {
		return "", errors.Join(err, fmt.Errorf("%d rows", len(rows)))
	}
	return servers.Text(rows[0][0]), nil
}

// variable is one global variable of a server that can be set while it runs.
type variable struct {
	name    string
	session bool     // a session inherits it
	literal string   // of its value when the server started
	number  bool     // its values are numbers
	least   string   // number, if the server tells
	most    string   // number, if the server tells
	list    []string // its values or their parts, if the server tells
}

const (
	errGlobalOnly = 1238 // ER_INCORRECT_GLOBAL_LOCAL_VAR, also of what is read only
	errIsGlobal   = 1229 // ER_GLOBAL_VARIABLE
)

// variables returns what the server lists and lets be set; readOnly counts the others.
func variables(t *testing.T, l *link, maria bool) (all []*variable, readOnly int) {
	t.Helper()
	rows, err := l.query("SHOW GLOBAL VARIABLES")
	if err != nil {
		t.Fatal(err)
	}
	told := ranges(l, maria)
	for _, r := range rows {
		v := &variable{name: strings.ToLower(servers.Text(r[0]))}
		value, err := l.query("SELECT @@global." + v.name)
		if err != nil || len(value) != 1 {
			readOnly++ // listed, and not a variable by that name
			continue
		}
		switch n := value[0][0].Value().(type) {
		case nil:
			v.literal = "NULL"
		case []byte:
			v.literal = literal(string(n))
		default:
			v.literal, v.number = fmt.Sprint(n), true
		}
		if tell, ok := told[v.name]; ok {
			v.least, v.most, v.list = tell.least, tell.most, tell.list
		}
		var refused *gomysql.MyError
		if err := l.exec("SET GLOBAL " + v.name + " = " + v.literal); errors.As(err, &refused) && (refused.Code == errGlobalOnly || refused.Code == 1193) {
			readOnly++
			continue
		}
		_, err = l.query("SELECT @@session." + v.name)
		v.session = err == nil
		all = append(all, v)
	}
	return all, readOnly
}

// ranges are what newer servers tell of their variables' values.
func ranges(l *link, maria bool) map[string]*variable {
	all := map[string]*variable{}
	sql := "SELECT VARIABLE_NAME, MIN_VALUE, MAX_VALUE, NULL FROM performance_schema.variables_info"
	if maria {
		sql = "SELECT VARIABLE_NAME, NUMERIC_MIN_VALUE, NUMERIC_MAX_VALUE, ENUM_VALUE_LIST FROM information_schema.SYSTEM_VARIABLES"
	}
	rows, err := l.query(sql)
	if err != nil {
		return all // MySQL before 8.0
	}
	for _, r := range rows {
		v := &variable{}
		if least, most := servers.Text(r[1]), servers.Text(r[2]); least != "NULL" && most != "NULL" && most != "0" {
			v.least, v.most = least, most
		}
		if list := servers.Text(r[3]); list != "NULL" && list != "" {
			v.list = strings.Split(list, ",")
		}
		all[strings.ToLower(servers.Text(r[0]))] = v
	}
	return all
}

func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}

// candidates are literals of values that a variable may take. What the server
// refuses, or takes for the value that is there, is no setting.
func (v *variable) candidates(lists *valueLists) []string {
	value := strings.Trim(v.literal, "'")
	switch {
	case v.name == "init_connect":
		return initConnects
	case strings.HasPrefix(v.name, "character_set"):
		return lists.charsets
	case strings.HasPrefix(v.name, "collation"), v.name == "default_collation_for_utf8mb4":
		return lists.collations
	case strings.HasSuffix(v.name, "storage_engine"), v.name == "disabled_storage_engines":
		return lists.engines
	case v.name == "time_zone":
		return []string{"'-11:30'", "'+13:00'"}
	case v.name == "lc_messages", v.name == "lc_time_names":
		return []string{"'de_DE'", "'ja_JP'", "'ru_RU'"}
	case v.name == "system_versioning_asof":
		return []string{"'2001-02-03 04:05:06'"}
	case v.name == "character_set_collations":
		return []string{"'utf8mb4=utf8mb4_bin,latin1=latin1_german1_ci,utf8mb3=utf8mb3_bin'"}
	case v.name == "protocol_compression_algorithms":
		return []string{"'zlib'", "'zstd'"}
	case strings.Contains(value, "=on") || strings.Contains(value, "=off"):
		return flipped(value)
	case v.number:
		return v.numbers()
	case len(v.list) > 0:
		return append(v.parts(), "''")
	case v.name == "sql_mode":
		return bits(33)
	}
	return []string{"0", "1", "2", "3", "4", "5", "6"} // what is no enumeration refuses numbers
}

// parts are the values of a list, each alone.
func (v *variable) parts() []string {
	all := make([]string, len(v.list))
	for i, p := range v.list {
		all[i] = literal(p)
	}
	return all
}

// flipped are a list of switches with each the other way: all of them, and a half.
func flipped(value string) []string {
	var all, even []string
	for i, s := range strings.Split(value, ",") {
		name, is, _ := strings.Cut(s, "=")
		other := name + "=" + map[string]string{"on": "off", "off": "on"}[is]
		if is != "on" && is != "off" {
			continue
		}
		all = append(all, other)
		if i%2 == 0 {
			even = append(even, other)
		}
	}
	return []string{literal(strings.Join(all, ",")), literal(strings.Join(even, ","))}
}

// bits are the numbers by which a set of n names may be given.
func bits(n int) []string {
	all := make([]string, n)
	for i := range n {
		all[i] = strconv.FormatUint(1<<i, 10)
	}
	return all
}

const (
	// mostMemory bounds what is asked of a variable that may cost so many bytes.
	mostMemory = 64 << 20
	// mostSpins bounds how long a thread is to go round in circles: at 2^32 a statement
	// of MySQL 5.7 takes minutes.
	mostSpins = "1000"
)

// numbers are the ends of the range. Servers take the nearest that they have, and
// those that tell no range are given numbers that are beyond it.
func (v *variable) numbers() []string {
	most := cmp.Or(v.most, "4294967295")
	for _, word := range []string{"size", "buffer", "cache", "memory", "mem_", "packet", "capacity", "alloc", "space", "instances", "threads"} {
		if n, err := strconv.ParseFloat(most, 64); strings.Contains(v.name, word) && (err != nil || n > mostMemory) {
			most = strconv.Itoa(mostMemory)
		}
	}
	if strings.Contains(v.name, "spin_") {
		most = mostSpins
	}
	return []string{cmp.Or(v.least, "0"), "1", most}
}

// valueLists are what a server has for variables that name such things.
type valueLists struct{ charsets, collations, engines []string }

func listsOf(t *testing.T, l *link) *valueLists {
	t.Helper()
	var lists valueLists
	for sql, to := range map[string]*[]string{"SHOW CHARACTER SET": &lists.charsets, "SHOW COLLATION": &lists.collations, "SHOW ENGINES": &lists.engines} {
		rows, err := l.query(sql)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if name := servers.Text(r[0]); name != "BLACKHOLE" { // which keeps no rows to compare
				*to = append(*to, literal(name))
			}
		}
	}
	return &lists
}

// initConnects are what a source may have each session of a replication account run.
var initConnects = []string{
	literal("SET NAMES latin1"), literal("SET NAMES sjis; SET sql_mode = 'ANSI_QUOTES'"), literal("SET sql_select_limit = 0"), literal("SET autocommit = 0"),
	literal("SET character_set_results = 'utf16'"), literal("SELECT 1"), literal("SELECT * FROM information_schema.COLUMNS"), literal("SET SESSION wait_timeout = 1"),
	literal("SET SESSION TRANSACTION READ ONLY"), literal("USE information_schema"), literal("SET @a = 1, SESSION sql_big_selects = 0"), literal("no statement"),
	literal("SET time_zone = 'nowhere'"), literal("SET SESSION max_sort_length = 4"), literal("CALL nothing()"),
}
