package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// definitionRoot begins the keys of a definition in errors.
const definitionRoot = "task"

// ParseDefinition reads the definition of a task that is created at run time, which is JSON with the keys of a
// task of the file, as strictly as the file. Its
// source.password, or else the given one, is the source's. Every fault is told at once, by its key and
// without a value.
func ParseDefinition(definition []byte, password string, rules Rules) (*Task, error) {
	text, given, err := takePassword(definition)
	if err != nil {
		return nil, err
	}
	l := &loader{path: definitionRoot, given: true, rules: rules}
	if l.file, err = parser.ParseBytes(text, 0); err != nil {
		return nil, errors.New("it cannot be read") // JSON that is no YAML
	}
	var d Task
	if err := yaml.NodeToValue(l.file.Docs[0].Body, &d, yaml.Strict()); err != nil {
		return nil, withoutPlace(l.yamlError(err))
	}
	d.setDefaults(false)
	if d.Source.EnvPassword = password; given != nil {
		d.Source.EnvPassword = *given
	}
	l.definition(&d)
	if len(l.faults) == 0 {
		return &d, nil
	}
	for i, fault := range l.faults {
		l.faults[i] = withoutPlace(fault)
	}
	return nil, errors.Join(l.faults...)
}

// takePassword returns the definition without source.password, and that.
func takePassword(definition []byte) (text []byte, password *string, err error) {
	var task, source map[string]json.RawMessage
	if err := json.Unmarshal(definition, &task); err != nil || task == nil {
		return nil, nil, errors.New("it is no JSON object")
	}
	if err := json.Unmarshal(task["source"], &source); err == nil && source["password"] != nil {
		if err := json.Unmarshal(source["password"], &password); err != nil {
			return nil, nil, errors.New("source.password: wants a text")
		}
		delete(source, "password")
		if task["source"], err = encode(source); err != nil {
			return nil, nil, err
		}
	}
	text, err = encode(task)
	return text, password, err
}

// encode writes JSON that is YAML too, which knows no pairs of surrogates.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// withoutPlace leaves out of a fault of a definition what only a file has.
func withoutPlace(fault error) error {
	var e *Error
	if !errors.As(fault, &e) {
		return fault
	}
	switch key := strings.TrimPrefix(strings.TrimPrefix(e.Key, definitionRoot), "."); key {
	case "":
		return errors.New(e.Msg)
	default:
		return fmt.Errorf("%s: %s", key, e.Msg)
	}
}

// definition checks what is wrong with one, and what only the file may say: what names
// programs, variables and files of the host is for who may write there.
func (l *loader) definition(d *Task) {
	key := definitionRoot
	l.taskName(key, d.Name)
	s := &d.Source
	if s.PasswordEnv != "" || s.PasswordFile != "" || len(s.PasswordCommand) > 0 {
		l.faultf(key+".source", "password_env, password_file and password_command are for tasks of the configuration file: give password")
	} else if s.EnvPassword == "" {
		l.faultf(key+".source.password", "is missing")
	}
	if len(d.Groups) > 0 {
		l.faultf(key+".groups", "are for tasks of the configuration file: 'daybook group create' makes one for this task")
	}
	for name, file := range map[string]string{"tls.ca_file": s.TLS.CAFile, "tls.cert_file": s.TLS.CertFile, "tls.key_file": s.TLS.KeyFile, "server_public_key_file": s.PublicKeyFile} {
		if file != "" && !filepath.IsAbs(file) {
			l.faultf(key+".source."+name, "is no absolute path")
		}
	}
	l.tracks(key, d)
}

// JSON returns the task's definition with every key that holds for it, and without secrets.
func (t *Task) JSON() (json.RawMessage, error) {
	d := *t
	d.Groups = nil // which are of auth
	return asJSON(reflect.ValueOf(d))
}
