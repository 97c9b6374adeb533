package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// yamlOf returns a JSON text as YAML in block style, with the keys in the same order. Texts that might be
// read as something else are quoted as in JSON, which YAML reads: the YAML library leaves a tab plain, for example.
func yamlOf(text []byte) ([]byte, error) {
	y := &yamlWriter{from: json.NewDecoder(bytes.NewReader(text))}
	y.from.UseNumber()
	if err := y.value("\n", ""); err != nil {
		return nil, fmt.Errorf("write as YAML: %w", err)
	}
	return append(bytes.TrimLeft(y.to.Bytes(), " \n"), '\n'), nil
}

type yamlWriter struct {
	from *json.Decoder
	to   bytes.Buffer
}

// value writes the next value. What a mapping begins with is first, and what its further lines begin
// with is a line's end and indent.
func (y *yamlWriter) value(first, indent string) error {
	token, err := y.from.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return y.entries(first, indent, " {}", func() error {
			key, err := y.from.Token()
			if err != nil {
				return err
			}
			fmt.Fprintf(&y.to, "%s:", scalar(key))
			return y.value("\n"+indent+"  ", indent+"  ")
		})
	case json.Delim('['):
		return y.entries("\n"+indent, indent, " []", func() error {
			y.to.WriteByte('-')
			return y.value(" ", indent+"  ")
		})
	}
	fmt.Fprintf(&y.to, " %s", scalar(token))
	return nil
}

// entries writes those of a mapping or a list, each on a line of its own.
func (y *yamlWriter) entries(first, indent, none string, entry func() error) error {
	if !y.from.More() {
		y.to.WriteString(none)
	}
	for lead := first; y.from.More(); lead = "\n" + indent {
		y.to.WriteString(lead)
		if err := entry(); err != nil {
			return err
		}
	}
	_, err := y.from.Token() // the end
	return err
}

var (
	// plain is a text that YAML reads as such without quotes.
	plain = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./+@=,;()' -]*(:[A-Za-z0-9_./+-]+)*$`)
	// words are read as something else.
	words = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)

func scalar(token json.Token) string {
	text, ok := token.(string)
	switch {
	case token == nil:
		return "null"
	case !ok:
		return fmt.Sprint(token)
	case plain.MatchString(text) && !strings.HasSuffix(text, " ") && !slices.Contains(words, strings.ToLower(text)):
		return text
	}
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text cannot fail
	return strings.TrimSpace(quoted.String())
}
