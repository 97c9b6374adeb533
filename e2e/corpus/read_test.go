//go:build servers

package corpus

import (
	"bytes"
	"regexp"
	"strings"
)

// node is a statement, a command of the test tool, or a block of them.
type node struct {
	line    int
	command string // in lower case; "": an SQL statement
	text    string // the statement, or what follows the command
	body    []node // of while and if
}

// commands are the test tool's words; a statement may begin with them without
// the two dashes. Those that the interpreter does not act on are passed over.
var commands = words(`append_file cat_file change_user character_set chmod connect connection copy_file copy_files_wildcard
	dec delimiter die diff_files dirty_close disconnect echo error eval evalp exec exec_in_background execw exit expr
	file_exists force_cpdir force_rmdir horizontal_results if inc let list_files list_files_append_file list_files_write_file
	lowercase_result mkdir move_file optimizer_trace output partially_sorted_result perl ping query query_attributes query_attrs_add
	query_horizontal query_vertical query_get_value real_sleep reap reap_threads remove_file remove_files_wildcard replace_column
	replace_numeric_round replace_regex replace_result require reset_connection result result_format rmdir save_master_pos send
	send_eval send_quit send_shutdown set_binlog_format shutdown_server skip skip_if_hypergraph sleep sorted_result source start_timer
	end_timer sync_slave_with_master sync_with_master system vertical_results wait_for_slave_to_stop while write_file write_line`)

// switches are what disable_ and enable_ are put before.
var switches = words(`abort_on_error async_client connect_log cursor_protocol info metadata non_blocking_api prepare_warnings ps2_protocol
	ps_protocol ps_warnings query_log reconnect result_log rpl_parse service_connection session_track_info testcase view_protocol warnings`)

func words(list string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		all[word] = true
	}
	return all
}

func isCommand(word string) bool {
	on, isOn := strings.CutPrefix(word, "enable_")
	off, isOff := strings.CutPrefix(word, "disable_")
	return commands[word] || isOn && switches[on] || isOff && switches[off]
}

// parser reads the test tool's language.
type parser struct {
	data      []byte
	pos, line int
	delimiter string
	twoBytes  bool // the file is in a character set whose second bytes may be quotes
	kana      bool // which has characters of one byte among the first ones
}

func parse(data []byte) []node {
	p := &parser{data: data, line: 1, delimiter: ";"}
	return p.block()
}

// block reads until the end or a closing brace.
func (p *parser) block() []node {
	var list []node
	for {
		p.blank()
		if p.pos >= len(p.data) {
			return list
		}
		rest := p.data[p.pos:]
		switch {
		case rest[0] == '#':
			p.rest()
		case rest[0] == '}':
			p.pos++
			return list
		case bytes.HasPrefix(rest, []byte(p.delimiter)):
			p.pos += len(p.delimiter)
		case bytes.HasPrefix(rest, []byte("--")):
			n := node{line: p.line}
			n.command, n.text = splitCommand(string(p.rest()[2:]))
			list = p.add(list, n)
		default:
			n := node{line: p.line, text: string(p.statement())}
			if word, after := splitCommand(n.text); isCommand(word) {
				n.command, n.text = word, after
			}
			list = p.add(list, n)
		}
	}
}

// add adds a node that the interpreter acts on.
func (p *parser) add(list []node, n node) []node {
	switch n.command {
	case "":
		if n.text == "" {
			return list
		}
	case "delimiter":
		if d := strings.TrimSpace(n.text); d != "" {
			p.delimiter = d
		}
		return list
	case "character_set":
		charset := strings.Trim(n.text, "; \t")
		p.kana = charset == "sjis" || charset == "cp932"
		p.twoBytes = p.kana || charset == "gbk" || charset == "big5"
		return list
	case "perl", "write_file", "append_file":
		p.skipTo(n)
		return list
	case "while", "if":
		p.blank()
		if p.pos < len(p.data) && p.data[p.pos] == '{' {
			p.pos++
		}
		n.body = p.block()
	}
	if n.command != "" && !isCommand(n.command) {
		return list // a comment
	}
	return append(list, n)
}

var marker = regexp.MustCompile(`\b([A-Z_]+)\s*$`)

// skipTo skips the lines that belong to a command, up to its marker.
func (p *parser) skipTo(n node) {
	end := "EOF"
	if m := marker.FindStringSubmatch(strings.TrimRight(n.text, "; \t")); m != nil {
		end = m[1]
	}
	p.rest()
	for p.pos < len(p.data) {
		if strings.TrimRight(strings.TrimSpace(string(p.rest())), ";") == end {
			return
		}
	}
}

func splitCommand(text string) (word, rest string) {
	text = strings.TrimSpace(text)
	i := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	if i < 0 {
		i = len(text)
	}
	return strings.ToLower(text[:i]), strings.TrimSpace(text[i:])
}

func (p *parser) blank() {
	for p.pos < len(p.data) && strings.IndexByte(" \t\r\n", p.data[p.pos]) >= 0 {
		if p.data[p.pos] == '\n' {
			p.line++
		}
		p.pos++
	}
}

// rest returns what is left of the line, and goes behind it.
func (p *parser) rest() []byte {
	begin := p.pos
	i := bytes.IndexByte(p.data[begin:], '\n')
	if i < 0 {
		p.pos = len(p.data)
		return p.data[begin:]
	}
	p.pos += i + 1
	p.line++
	return p.data[begin : begin+i]
}

var blockHead = regexp.MustCompile(`(?i)^(?:if|while)\s*\(`)

// statement reads up to the delimiter that is in no quotes, or up to the brace
// that opens a block.
func (p *parser) statement() []byte {
	begin := p.pos
	head := blockHead.Match(p.data[begin:])
	quote, lineStart := byte(0), false
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		switch {
		case c == '\n':
			p.line++
			lineStart = true
			p.pos++
			continue
		case lineStart && (c == ' ' || c == '\t' || c == '\r'):
			p.pos++
			continue
		case p.twoBytes && c > 0x80 && (p.kana && (c < 0xA0 || c > 0xDF) || !p.kana):
			p.pos++ // and its second byte
		case quote != 0 && c == '\\' && quote != '`':
			p.pos++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case lineStart && (c == '#' || bytes.HasPrefix(p.data[p.pos:], []byte("-- "))):
			p.rest()
			continue
		case bytes.HasPrefix(p.data[p.pos:], []byte(p.delimiter)):
			text := p.data[begin:p.pos]
			p.pos += len(p.delimiter)
			return bytes.TrimSpace(text)
		case head && c == '{':
			return bytes.TrimSpace(p.data[begin:p.pos])
		case c == '\'' || c == '"' || c == '`':
			quote = c
		}
		lineStart = false
		p.pos++
	}
	p.pos = min(p.pos, len(p.data))
	return bytes.TrimSpace(p.data[begin:])
}
