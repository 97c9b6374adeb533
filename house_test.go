package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the house's import table: a package of ours may import those
// listed, and no other of ours. docs/architecture.md gives the reasons.
var mayImport = map[string][]string{
	"":                   {"cli"},
	"cli":                {"config", "access", "admin", "broker", "task", "group", "auth", "store", "binlog", "format", "objects", "servertls", "seal", "journal"},
	"admin":              {"access", "task", "tail", "change", "group", "auth", "store", "servertls", "journal"},
	"access":             {"store", "secretfile"},
	"task":               {"binlog", "format", "recordbatch", "store", "change", "objects", "seal", "journal"},
	"tail":               {"recordbatch", "store", "change", "objects"},
	"broker":             {"group", "auth", "store", "recordbatch", "servertls"},
	"group":              {"store"},
	"auth":               {"store"},
	"store":              {"recordbatch"},
	"binlog":             {"binlog/dump", "binlog/charset", "binlog/cursor", "binlog/schema", "binlog/rowevent", "change", "objects"},
	"binlog/dump":        {"binlog/cursor", "binlog/schema"},
	"binlog/cursor":      {},
	"binlog/charset":     {"binlog/cursor"},
	"binlog/schema":      {"binlog/charset", "change", "objects"},
	"binlog/rowevent":    {"binlog/charset", "binlog/cursor", "change"},
	"format":             {"change"},
	"config":             {},
	"change":             {},
	"objects":            {},
	"recordbatch":        {},
	"servertls":          {},
	"seal":               {"secretfile"},
	"secretfile":         {},
	"journal":            {"store"},
	"memtest":            {}, // a test helper
	"servertls/certtest": {},
	"store/storetest":    {"store", "recordbatch"}, // a test helper that other packages' tests share
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportTable(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "daybook"), "/")
		if strings.HasPrefix(name, "e2e") || strings.HasPrefix(name, "bench") {
			continue // they test the whole from outside
		}
		seen++
		allowed, ok := mayImport[name]
		if !ok {
			t.Errorf("package %s has no row in the import table", p.ImportPath)
		}
		for _, i := range p.Imports {
			if dep, ours := strings.CutPrefix(i, "daybook/"); ours && !slices.Contains(allowed, dep) {
				t.Errorf("%s must not import %s", p.ImportPath, i)
			}
		}
	}
	if seen < 10 {
		t.Errorf("go list told only %d packages", seen)
	}
}

// TestOneDocCommentPerPackage wants the package comment in exactly one file.
func TestOneDocCommentPerPackage(t *testing.T) {
	docs := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == ".git" || e.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		dir := filepath.Dir(path)
		if _, ok := docs[dir]; !ok && !strings.HasSuffix(path, "_test.go") {
			docs[dir] = nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		if hasDoc(f) && !strings.HasSuffix(path, "_test.go") {
			docs[dir] = append(docs[dir], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, files := range docs {
		if len(files) != 1 {
			t.Errorf("package %s has %d doc comments, want one: %v", dir, len(files), files)
		}
	}
}

// TestNoThreadIsKept wants no goroutine of a test bound to its thread: one that
// ends so takes the thread with it, and Pdeathsig then kills every process that
// any other test started from that thread. Without such, Go ends no thread.
func TestNoThreadIsKept(t *testing.T) {
	out, err := exec.Command("grep", "-rl", "--include=*.go", "runtime[.]LockOSThread", ".").CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return // nothing found
	}
	t.Errorf("err %v: %s", err, out)
}

func hasDoc(f *ast.File) bool { return f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" }
