package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The forms that commands print what they found in, by -o.
const (
	asTable = "table"
	asJSON  = "json"
	asYAML  = "yaml"
)

func outputs() []string { return []string{asTable, asJSON, asYAML} }

// outputFlag adds -o.
func outputFlag(cmd *cobra.Command, output *string, persistent bool) {
	flags := cmd.Flags()
	if persistent {
		flags = cmd.PersistentFlags()
	}
	flags.StringVarP(output, "output", "o", asTable, strings.Join(outputs()[:2], ", ")+" or "+asYAML)
}

// checkOutput wants -o to be one that there is.
func checkOutput(output string) error {
	if !slices.Contains(outputs(), output) {
		return &usageError{fmt.Errorf("-o %q is not one of %s", output, strings.Join(outputs(), ", "))}
	}
	return nil
}

// encode writes v as JSON, or as YAML with the same keys in the same order.
func encode(w io.Writer, output string, v any) error {
	if output == asYAML {
		text, err := json.Marshal(v)
		if err == nil {
			text, err = yamlOf(text)
		}
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// encodeOne writes one of many that may go on for ever: a line of JSON, or a document of YAML.
func encodeOne(w io.Writer, output string, v any) error {
	if output == asYAML {
		if _, err := io.WriteString(w, "---\n"); err != nil {
			return err
		}
		return encode(w, output, v)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
