//go:build servers

package corpus

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// script runs one file as the test tool would, without what it expects.
type script struct {
	run     *run
	dirs    []string
	vars    map[string]string
	depth   int
	conns   map[string]*session
	current *session
	until   time.Time
}

// maxRounds bounds loops.
const maxRounds = 60

// over tells that the script has to end.
func (s *script) over() bool { return time.Now().After(s.until) || s.run.dead || s.run.blocked }

func (s *script) block(list []node, file string) (goOn bool) {
	for i := range list {
		if s.over() || !s.node(&list[i], file) {
			return false
		}
	}
	return true
}

func (s *script) node(n *node, file string) (goOn bool) {
	s.run.at(file, n.line)
	switch n.command {
	case "":
		s.current.execute(n.text)
	case "eval", "evalp", "send_eval":
		if sql := s.expand(n.text); !unknownVar.MatchString(sql) {
			s.current.execute(sql)
		}
	case "query", "send", "query_vertical", "query_horizontal":
		if n.text != "" {
			s.current.execute(s.expand(n.text))
		}
	case "let":
		s.let(n.text)
	case "inc", "dec":
		name := strings.Trim(n.text, "$; ")
		v, _ := strconv.Atoi(s.vars[name])
		if n.command == "inc" {
			v++
		} else {
			v--
		}
		s.vars[name] = strconv.Itoa(v)
	case "if":
		if s.holds(n.text) {
			return s.block(n.body, file)
		}
	case "while":
		for range maxRounds {
			if !s.holds(n.text) {
				break
			}
			if !s.block(n.body, file) {
				return false
			}
		}
	case "source":
		return s.source(strings.Trim(s.expand(n.text), "; "))
	case "connect":
		s.connect(n.text)
	case "connection":
		if c := s.conns[s.word(n.text)]; c != nil {
			s.current = c
		}
	case "disconnect", "dirty_close":
		name := s.word(n.text)
		if c := s.conns[name]; c != nil && name != "default" {
			c.close()
			delete(s.conns, name)
			if s.current == c {
				s.current = s.conns["default"]
			}
		}
	case "exit", "die":
		return false
	}
	return true
}

func (s *script) word(text string) string {
	return strings.ToLower(strings.Trim(s.expand(text), "; \t"))
}

var (
	connectArgs = regexp.MustCompile(`^\(?\s*(.*?)\s*\)?\s*;?\s*$`)
	unknownVar  = regexp.MustCompile(`\$\w`)
	varName     = regexp.MustCompile(`\$(\w+)`)
	letForm     = regexp.MustCompile(`(?s)^\$?(\w+)\s*=\s*(.*)$`)
	valueQuery  = regexp.MustCompile(`(?is)^query_get_value\s*\(\s*["']?(.*?)["']?\s*,\s*["']?\x60?([\w ]+)\x60?["']?\s*,\s*(\w+)\s*\)$`)
	condition   = regexp.MustCompile(`(?s)^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$`)
)

// connect opens a connection (name, host, user, password, database, …).
func (s *script) connect(text string) {
	args := strings.Split(connectArgs.FindStringSubmatch(s.expand(text))[1], ",")
	name, db := strings.ToLower(strings.TrimSpace(args[0])), database
	if len(args) > 4 {
		if d := strings.Trim(args[4], " \t\r\n'\""); d != "" && !strings.HasPrefix(d, "*") && !strings.Contains(d, "$") {
			db = d
		}
	}
	if old := s.conns[name]; old != nil {
		old.close()
	}
	if systemDatabase[strings.ToLower(db)] {
		db = database
	}
	c := s.run.connect(db)
	s.conns[name], s.current = c, c
}

// expand puts in the variables that are known.
func (s *script) expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	return varName.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := s.vars[v[1:]]; ok {
			return value
		}
		return v
	})
}

func (s *script) let(text string) {
	m := letForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return
	}
	s.vars[m[1]] = s.value(m[2])
}

// value evaluates the right side of a let.
func (s *script) value(text string) string {
	text = strings.TrimSpace(s.expand(text))
	if m := valueQuery.FindStringSubmatch(text); m != nil {
		row, _ := strconv.Atoi(m[3])
		return s.current.ask(m[1], m[2], row)
	}
	if len(text) > 1 && text[0] == '`' && text[len(text)-1] == '`' {
		return s.current.ask(text[1:len(text)-1], "", 1)
	}
	if len(text) > 1 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0] {
		return text[1 : len(text)-1]
	}
	return text
}

func (s *script) holds(text string) bool {
	text = strings.TrimSpace(text)
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text, "("), ")"))
	if m := condition.FindStringSubmatch(text); m != nil && !strings.HasPrefix(text, "`") {
		a, b := s.value(m[1]), s.value(m[3])
		x, errA := strconv.Atoi(a)
		y, errB := strconv.Atoi(b)
		c := strings.Compare(a, b)
		if errA == nil && errB == nil {
			c = x - y
		}
		switch m[2] {
		case "==":
			return c == 0
		case "!=":
			return c != 0
		case "<":
			return c < 0
		case ">":
			return c > 0
		case "<=":
			return c <= 0
		}
		return c >= 0
	}
	not := strings.HasPrefix(text, "!")
	v := s.value(strings.TrimPrefix(text, "!"))
	yes := v != "" && v != "0" && !strings.HasPrefix(v, "$")
	return yes != not
}

// leftOutSources are the files that wait for other servers or restart this one;
// a file with one of stops is not run any further.
var (
	leftOutSources = regexp.MustCompile(`(?:^|/)(?:have_|not_|count_|wait_|restart|kill_|shutdown|start_mysqld|search_pattern|analyze|expect_crash|check-|assert|sync_|show_|add_anonymous|delete_anonymous|force_|is_embedded|big_test|long_test|no_valgrind|default_|explain|save_|print_|grep_|write_result|ib_|galera|wsrep|innodb_page_size|linux|windows|maybe|write_var|binlog_parallel|diff_|test_outfile|system_db)[^/]*$`)
	stops          = regexp.MustCompile(`(?:^|/)(?:master-slave|rpl_|have_semisync|restart_|shutdown_|kill_mysqld|kill_and_restart|galera|wsrep|have_rocksdb|have_debug_sync\.inc$)`)
)

func (s *script) source(name string) (goOn bool) {
	if stops.MatchString(name) && !strings.Contains(name, "debug_sync") {
		s.run.count.replication++
		return false
	}
	if leftOutSources.MatchString(name) && !strings.Contains(name, "suite/") || s.depth > 8 {
		return true
	}
	for _, dir := range s.dirs {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		s.depth++
		defer func() { s.depth-- }()
		s.block(parse(data), name)
		return true
	}
	return true
}
