package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Error is a fault of the configuration file. It holds no value of the file,
// which may be a secret in the wrong place; file, line and key show it.
type Error struct {
	File string
	Line int    // from 1; 0: the file as a whole
	Key  string // such as tasks[0].source.address; "" where the file is no YAML
	Msg  string
}

// Error returns "file:line: key: message".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	return b.String() + ": " + e.Msg
}

// LookupEnv finds an environment variable, as os.LookupEnv does.
type LookupEnv func(name string) (value string, ok bool)

// Rules are what names and passwords of groups must keep to, which package auth has, names and
// roles of tokens, which package access has, and the patterns of objects, which package objects has, and the checks that warn, which package task has. An error says what is wrong and holds
// nothing of the file. That of Patterns are one for each, nil where it is right.
type Rules struct {
	Account, Group, Password func(string) error
	Token, Role              func(string) error // of the admin API
	Patterns                 func([]string) []error
	Check                    func(string) error // of the precheck, whose warning may be skipped
}

// Load reads, checks and completes the file at path. Relative paths in it are
// relative to the file's own directory. Every fault is an *Error; all faults
// of meaning are told at once, joined.
func Load(path string, env LookupEnv, rules Rules) (*Config, error) {
	l := &loader{path: path, env: env, rules: rules}
	c, err := l.read()
	if err != nil {
		return nil, err
	}
	l.validate(c)
	if len(l.faults) > 0 {
		return nil, errors.Join(l.faults...)
	}
	return c, nil
}

// LoadAdmin reads the admin section alone: who calls a running Daybook needs
// none of its secrets. The rest of the file must still have the right keys.
func LoadAdmin(path string) (Admin, error) {
	l := &loader{path: path}
	c, err := l.read()
	if err != nil {
		return Admin{}, err
	}
	l.admin(&c.Admin)
	return c.Admin, errors.Join(l.faults...)
}

// LoadData reads where the data is and how long it is kept, and nothing else is to be
// relied on: who looks after the data of a stopped Daybook needs none of its secrets.
// The rest of the file must still have the right keys.
func LoadData(path string) (*Config, error) {
	l := &loader{path: path}
	c, err := l.read()
	if err != nil {
		return nil, err
	}
	l.data(c)
	return c, errors.Join(l.faults...)
}

// read reads the file, without judging the values in it.
func (l *loader) read() (*Config, error) {
	path := l.path
	src, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if l.file, err = parser.ParseBytes(src, 0); err != nil {
		return nil, l.yamlError(err)
	}
	c := defaults()
	if len(l.file.Docs) > 1 {
		return nil, &Error{File: path, Line: l.file.Docs[1].GetToken().Position.Line, Msg: "holds more than one YAML document"}
	}
	if len(l.file.Docs) == 0 || l.file.Docs[0].Body == nil {
		return nil, &Error{File: path, Msg: "is empty; config.example.yaml shows every key"}
	}
	if err := yaml.NodeToValue(l.file.Docs[0].Body, c, yaml.Strict()); err != nil {
		return nil, l.yamlError(err)
	}
	c.setDefaults()
	l.resolvePaths(c)
	return c, nil
}

// maxFile is far above any configuration, and bounds what is read of a device or a pipe.
const maxFile = 4 << 20

// readFile reads the configuration without the mark that some editors begin a file with.
func readFile(path string) ([]byte, error) {
	var src []byte
	f, err := os.Open(path)
	if err == nil {
		src, err = io.ReadAll(io.LimitReader(f, maxFile+1))
		_ = f.Close()
	}
	if err != nil {
		return nil, &Error{File: path, Msg: fmt.Sprintf("cannot read the configuration: %v", errors.Unwrap(err))}
	}
	if len(src) > maxFile {
		return nil, &Error{File: path, Msg: fmt.Sprintf("is no configuration: it has more than %d MiB", maxFile>>20)}
	}
	return bytes.TrimPrefix(src, []byte("\ufeff")), nil
}

// loader carries what the steps of one Load share.
type loader struct {
	path   string
	env    LookupEnv
	rules  Rules
	file   *ast.File
	faults []error
	given  bool // passwords are given, and not named
}

// faultf adds a fault of the given key.
func (l *loader) faultf(key, format string, args ...any) {
	l.faults = append(l.faults, &Error{File: l.path, Line: l.line(key), Key: key, Msg: fmt.Sprintf(format, args...)})
}

// line finds a key's line; for a key that is not in the file, that of the
// nearest one above it that is.
func (l *loader) line(key string) int {
	for key != "" {
		if p, err := yaml.PathString("$." + key); err == nil {
			if n, err := p.FilterFile(l.file); err == nil {
				return n.GetToken().Position.Line
			}
		}
		cut := strings.LastIndexAny(key, ".[")
		key = key[:max(cut, 0)]
	}
	return 1
}

// nodeError is a fault that one of our own UnmarshalYAML found.
type nodeError struct {
	token *token.Token
	msg   string
}

func (e *nodeError) Error() string { return e.msg }

func nodeErrorf(n ast.Node, format string, args ...any) error {
	return &nodeError{token: n.GetToken(), msg: fmt.Sprintf(format, args...)}
}

// yamlError turns the YAML library's error into one that names the key.
func (l *loader) yamlError(err error) error {
	e := &Error{File: l.path, Msg: err.Error()}
	var (
		at *token.Token
		ye yaml.Error
		te *yaml.TypeError
		ne *nodeError
	)
	switch {
	case errors.As(err, &ne):
		at = ne.token
	case errors.As(err, &te):
		at, e.Msg = te.Token, fmt.Sprintf("wants %s, not %s", kindName(te.DstType), kindName(te.SrcType))
	case errors.As(err, &ye):
		at, e.Msg = ye.GetToken(), withoutValues(ye.GetMessage())
	default:
		e.Msg = "is no configuration"
	}
	if at != nil {
		e.Line = at.Position.Line
		if l.file != nil {
			e.Key = knownForm(keyOf(l.file, at))
		}
	}
	return e
}

var (
	quoted  = regexp.MustCompile(`(?s) ?".*"`)
	segment = regexp.MustCompile(`^[a-z_]+(\[\d+\])*$`) // of a path: what our keys look like, and few passwords do
)

// withoutValues takes out of the YAML library's message what it quotes from the
// file, unless it can only be a key.
func withoutValues(msg string) string {
	return quoted.ReplaceAllStringFunc(msg, func(q string) string {
		if segment.MatchString(strings.Trim(q, ` "`)) {
			return q
		}
		return ""
	})
}

// knownForm returns the path of a key up to what does not look like one.
func knownForm(path string) string {
	segments := strings.Split(path, ".")
	for i, s := range segments {
		if !segment.MatchString(s) {
			return strings.Join(segments[:i], ".")
		}
	}
	return path
}

// kindName says in YAML's words what a Go type holds.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a fraction"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	default:
		return "a mapping"
	}
}

// keyOf returns the path of the innermost key whose value begins at t.
func keyOf(file *ast.File, t *token.Token) string {
	v := &keyFinder{at: t}
	for _, d := range file.Docs {
		ast.Walk(v, d.Body)
	}
	return strings.TrimPrefix(v.path, "$.")
}

type keyFinder struct {
	at   *token.Token
	path string
}

// Visit implements ast.Visitor.
func (f *keyFinder) Visit(n ast.Node) ast.Visitor {
	if t := n.GetToken(); t != nil && t.Position != nil && t.Position.Offset == f.at.Position.Offset && t.Position.Line == f.at.Position.Line {
		if p := n.GetPath(); len(p) > len(f.path) {
			f.path = p
		}
	}
	return f
}

// resolvePaths makes the file's relative paths relative to the file.
func (l *loader) resolvePaths(c *Config) {
	dir := filepath.Dir(l.path)
	fix := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	fix(&c.DataDir)
	fix(&c.Admin.TokenFile)
	if c.Admin.TokenFile == "" {
		c.Admin.TokenFile = filepath.Join(c.DataDir, "admin.token")
	}
	fix(&c.Admin.SecretKeyFile)
	if c.Admin.SecretKeyFile == "" {
		c.Admin.SecretKeyFile = filepath.Join(filepath.Dir(c.Admin.TokenFile), "secret.key")
	}
	for i := range c.Admin.Tokens {
		fix(&c.Admin.Tokens[i].File)
	}
	if t := c.Admin.TLS; t != nil {
		fix(&t.CertFile)
		fix(&t.KeyFile)
	}
	for _, l := range c.Kafka.Listeners {
		if t := l.TLS; t != nil {
			fix(&t.CertFile)
			fix(&t.KeyFile)
			fix(&t.ClientCAFile)
		}
	}
	for i := range c.Tasks {
		t := &c.Tasks[i]
		for _, p := range []*string{&t.Source.PasswordFile, &t.Source.PublicKeyFile, &t.Source.TLS.CAFile, &t.Source.TLS.CertFile, &t.Source.TLS.KeyFile} {
			fix(p)
		}
		if c := t.Source.PasswordCommand; len(c) > 0 && strings.ContainsRune(c[0], filepath.Separator) { // else it is looked for in PATH
			fix(&c[0])
		}
		for j := range t.Groups {
			fix(&t.Groups[j].PasswordFile)
		}
	}
}

// unreadable says why a file cannot be read, without its name.
func unreadable(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%w (a relative path begins where the configuration is)", err)
}
