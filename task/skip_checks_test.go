package task

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestChecksThatWarn finds in the source which checks can warn: these, and no others, may be skipped.
func TestChecksThatWarn(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name != "Shown" && f.Name.Name != "tellWarnings" {
				warningsOf(f, found)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, ChecksThatWarn()) {
		t.Errorf("checks that warn are %q, those that may be skipped %q", got, ChecksThatWarn())
	}
}

// warningsOf adds the checks for which a function says Warn: by the text that stands beside it, or by the function's
// constant name.
func warningsOf(f *ast.FuncDecl, found map[string]bool) {
	name, warns := "", false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if n.Names[0].Name == "name" && len(n.Values) == 1 {
				if text, ok := n.Values[0].(*ast.BasicLit); ok {
					name, _ = strconv.Unquote(text.Value)
				}
			}
		case *ast.CallExpr:
			if len(n.Args) < 2 || !isWarn(n.Args[1]) {
				return true
			}
			if text, ok := n.Args[0].(*ast.BasicLit); ok {
				literal, _ := strconv.Unquote(text.Value)
				found[literal] = true
				return false
			}
		case *ast.Ident:
			warns = warns || isWarn(n)
		}
		return true
	})
	if warns && name != "" {
		found[name] = true
	}
}

func isWarn(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "Warn"
}

// TestShownChecks has warnings skipped, and nothing else.
func TestShownChecks(t *testing.T) {
	checks := []Check{{Name: "GTID", Status: Warn}, {Name: "binlog sync", Status: Warn}, {Name: "binlog filters", Status: Fail}, {Name: "engines", Status: Passed}}
	o := Options{SkipChecks: []string{"GTID", "binlog filters", "engines"}}
	var got []CheckStatus
	for _, c := range o.Shown(checks) {
		got = append(got, c.Status)
	}
	if want := []CheckStatus{Skipped, Warn, Fail, Passed}; !slices.Equal(got, want) || checks[0].Status != Warn {
		t.Errorf("shown are %v, want %v", got, want)
	}
	if Failed(o.Shown(checks)) == nil {
		t.Error("a failure is skipped")
	}
}
