//go:build servers

// Package corpus runs the statements of the servers' own regression suites on real
// servers whose binlog a Reader follows, and compares what it tells with what is
// there: statements that somebody else thought of.
//
// Each file begins in an empty database. Of the test tool's language what decides
// about statements is obeyed (variables, loops, conditions, includes, connections,
// delimiters); what is expected is not, so statements may fail. Left out are those that
// concern the server and not a session's tables: replication, restarts, plugins,
// accounts, global settings, locks of everything; and what docs/operations.md asks of
// sessions (ROW format, full row images, no sql_log_bin=0). Tables versioned by
// transaction ID are left out as well: MariaDB logs their changes as statements.
//
// So are PI() as a default, a label
// that is no text, of which MySQL 8 and 9 show nothing, comments that are none, of which MySQL
// before 8.0 shows the beginning, as it does of defaults, generated columns of type SERIAL, which information_schema of MySQL 5.7 has
// without AUTO_INCREMENT, and the labels that two columns in ucs2, utf16 or utf32 share,
// of which it cuts half off; and what servers do not log though they keep it:
// an update of a column that MySQL 8.0.31 added instantly to a REDUNDANT table, which it logs and loses,
// rows of a partitioning whose expression fails, of a view WITH CHECK OPTION whose
// condition fails (MySQL 8.0 and 9), and of a function in a CREATE … SELECT that fails,
// and a prepared XA transaction that the end of a session with a temporary table commits; and
// polygons that functions turn round before they are logged (both MySQL 5.7).
//
// So are sessions whose collation_connection is of ucs2, utf16 or utf32: MySQL before 8.0 cuts
// labels with character set binary at a byte of zero.
//
// Before and after each DDL, and at the file's end, all changes are read. Definitions
// must equal those that a snapshot of information_schema gives. Rows are kept as the
// changes tell them, strictly: one that is updated or deleted must be there, as the change says;
// and must equal what SELECT gives, byte by byte (text that is not valid in its character set as
// one mark). After a DDL a table's rows are taken from the source, as a DDL may move them.
// Rows that a foreign key's action or a MERGE table changes are not in the binlog, and not
// compared; nor are virtual columns whose values go by settings of the session, and the
// defaults of TIMESTAMP columns, which are in the session's time zone.
//
//	go test -tags servers -run TestCorpus ./e2e/corpus
//	go test -tags servers,soak -run TestSoakCorpus/mariadb-11.8 ./e2e/corpus -seed 7 -files 200
//	go test -tags servers,soak -run TestSoakCorpus/mariadb-11.8 ./e2e/corpus -seed 7 -skip 200
//	go test -tags servers,soak -run TestSoakCorpus/mariadb-11.8 ./e2e/corpus -list /tmp/left
//	go test -tags servers,soak -run TestSoakCorpus/mysql-8.0 ./e2e/corpus -only 'main/alter_table' -show
package corpus

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybook/e2e/servers"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "seed of which files are run, and in which order; 0: always the same in TestCorpus, a random one in soak")
	filesFlag = flag.Int("files", 0, "how many files; 0: as the test says")
	skipFlag  = flag.Int("skip", 0, "how many files to pass over before: with the same seed, and the same files left out, a run goes on where another one ended")
	onlyFlag  = flag.String("only", "", "a regular expression of the files")
	listFlag  = flag.String("list", "", "run the files that this file lists, each a line: the suite, a blank, the path; in its order; each is taken out when it has been run")
	showFlag  = flag.Bool("show", false, "print each statement")
	foundFlag = flag.String("found", "", "append what is found to this file")
	eachFlag  = flag.Duration("each", 0, "how long one file may take; 0: as the test says")
)

// database is the one that each file begins in.
const database = "test"

// suites are the folders of the files.
var suites = regexp.MustCompile(`^(?:main|t|suite/(?:innodb|json|versioning|period|parts|sql_sequence|binlog|compat|gcol|vcol|engines|innodb_gis|innodb_fts|heap|jp|maria|csv|handler|funcs_1|funcs_2|innodb_zip|atomic|gis|collations|x_json|opt_trace|secondary))/|^plugin/(?:type_\w+)/`)

// TestCorpus runs some files, and not always others: what a new one meets is for a
// developer to see.
func TestCorpus(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			runFiles(t, version, []string{"mariadb"}, 7, 60, 2*time.Second)
		})
	}
}

// options are those of the servers. Locks are not waited for, as each file is run by
// one goroutine.
func options(version string) []string {
	o := []string{"--innodb-lock-wait-timeout=1", "--lock-wait-timeout=1", "--event-scheduler=OFF", "--log-bin-trust-function-creators=1", "--max-binlog-size=1G"}
	switch version {
	case "mysql-5.7", "mysql-8.0":
		o = append(o, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF") // which would refuse much
	}
	return o
}

// file is one of a suite.
type file struct{ root, path string }

// runFiles runs n of the files of these suites, each for some time at most.
func runFiles(t *testing.T, version string, from []string, seed uint64, n int, each time.Duration) {
	if *seedFlag > 0 {
		seed = *seedFlag
	}
	if *filesFlag > 0 {
		n = *filesFlag
	}
	if *eachFlag > 0 {
		each = *eachFlag
	}
	var files []file
	for _, suite := range from {
		files = append(files, listed(t, suite)...)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	if *listFlag != "" {
		files = listedIn(t, *listFlag)
	}
	all := len(files)
	files = files[min(*skipFlag, len(files)):]
	files = files[:min(n, len(files))]
	t.Logf("go test -tags servers,soak -run '%s' ./e2e/corpus -seed %d -files %d -each %s", t.Name(), seed, n, each)
	server := servers.Start(t, version, options(version)...)
	r := newRun(t, server)
	begun := time.Now()
	for i, f := range files {
		r.file(f, each)
		if *listFlag != "" {
			takeOut(t, *listFlag)
		}
		if r.dead {
			t.Logf("%s: the server died", f.path)
			server.Kill(t) // if it only hangs
			server.Restart(t)
			r.revive()
		}
		if i%50 == 49 {
			t.Logf("%d files in %s: %+v", i+1, time.Since(begun).Round(time.Second), r.count)
		}
	}
	r.close()
	t.Logf("%d of %d files in %s: %+v", len(files), all, time.Since(begun).Round(time.Second), r.count)
}

// listedIn returns the files that a list names.
func listedIn(t *testing.T, list string) []file {
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var files []file
	roots := map[string]string{}
	for line := range strings.Lines(string(data)) {
		suite, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if roots[suite] == "" {
			roots[suite] = suiteRoot(t, suite)
		}
		files = append(files, file{roots[suite], path})
	}
	return files
}

// takeOut takes the first file out of a list.
func takeOut(t *testing.T, list string) {
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(data, []byte("\n"))
	if err := os.WriteFile(list+".new", rest, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(list+".new", list); err != nil {
		t.Fatal(err)
	}
}

// suiteRoot gets a suite, and returns its folder.
func suiteRoot(t *testing.T, name string) string {
	t.Helper()
	cmd := exec.Command("../../scripts/suites.sh", name)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("scripts/suites.sh %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// listed returns the files of a suite, in order.
func listed(t *testing.T, suite string) []file {
	var list []file
	root := suiteRoot(t, suite)
	only := regexp.MustCompile(*onlyFlag)
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if leftOutFiles.MatchString(rel) {
			return err
		}
		if strings.HasSuffix(rel, ".test") && suites.MatchString(rel) && only.MatchString(rel) {
			list = append(list, file{root, rel})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 && *onlyFlag == "" {
		t.Fatalf("no file in %s", root)
	}
	return list
}
