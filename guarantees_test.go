package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGuaranteesNameRealTests wants each test that guarantees.md names to be
// there, and at least one for each guarantee.
func TestGuaranteesNameRealTests(t *testing.T) {
	text, err := os.ReadFile("docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	guarantees := strings.Split(string(text), "\n## ")[1:]
	if len(guarantees) != 8 {
		t.Errorf("%d guarantees, want 8", len(guarantees))
	}
	for _, g := range guarantees {
		title, body, _ := strings.Cut(g, "\n")
		tests := named.FindAllStringSubmatch(body, -1)
		if len(tests) == 0 {
			t.Errorf("%q names no test", title)
		}
		for _, m := range tests {
			if folder, name := m[1], m[2]; !declared(t, folder, name) {
				t.Errorf("%q names %s, which %s does not have", title, name, folder)
			}
		}
	}
}

// TestTrackRecordNamesRealTests wants each fault in track-record.md to name how
// it was found, a test that is there, and the commit that mended it.
func TestTrackRecordNamesRealTests(t *testing.T) {
	text, err := os.ReadFile("docs/track-record.md")
	if err != nil {
		t.Fatal(err)
	}
	faults := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what it was") {
			continue
		}
		faults++
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 || slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) == "" }) {
			t.Errorf("%q has %d cells, want 4, none empty", line, len(cells))
			continue
		}
		tests := named.FindAllStringSubmatch(cells[2], -1)
		if len(tests) == 0 {
			t.Errorf("%q names no test", cells[0])
		}
		for _, m := range tests {
			if folder, name := m[1], m[2]; !declared(t, folder, name) {
				t.Errorf("%q names %s, which %s does not have", cells[0], name, folder)
			}
		}
	}
	if faults < 18 {
		t.Errorf("%d faults, want those that were there, and more", faults)
	}
}

var named = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)\\w+)`")

func declared(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
