//go:build servers

package rowevent_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/binlog/rowevent"
	"daybook/change"
)

var update = flag.Bool("update", false, "record the servers' events in testdata anew")

// TestRecord records a few rows of every type from each server with -update,
// and without it only compares them with SELECT.
func TestRecord(t *testing.T) {
	eachServer(t, func(s *server) {
		r := rand.New(rand.NewPCG(1, 1))
		var kinds []columnKind
		for _, k := range columnKinds() {
			// Long values and the less common charsets would make large files.
			if k.on(s) && !strings.Contains(k.ddl, "255)") && !strings.Contains(k.ddl, "300)") && !strings.Contains(k.ddl, "utf32") {
				k.values = strings.Join(shortFields(k.values), " ")
				kinds = append(kinds, k)
			}
		}
		for n := 0; len(kinds) > 0; n++ {
			size := min(len(kinds), 40)
			rec := s.record(r, fmt.Sprintf("r%d", n), kinds[:size])
			if *update {
				name := fmt.Sprintf("%s-%d.txt", strings.TrimPrefix(s.Name(), "TestRecord/"), n)
				if err := os.WriteFile(filepath.Join("testdata", name), []byte(rec.text()), 0o666); err != nil {
					s.Fatal(err)
				}
			}
			kinds = kinds[size:]
		}
	})
}

func (r *recording) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "server %s %d\n", r.options.Flavor, r.options.Version)
	table, _ := json.Marshal(r.table)
	fmt.Fprintf(&b, "table %s\n", table)
	for _, e := range r.events {
		fmt.Fprintf(&b, "event %d %x\n", e.kind, e.body)
	}
	for _, row := range r.rows {
		b.WriteString(row + "\n")
	}
	return b.String()
}

func shortFields(values string) []string {
	var short []string
	for _, v := range strings.Fields(values) {
		if !strings.Contains(v, "REPEAT") {
			short = append(short, v)
		}
	}
	return short
}

// record makes a table, inserts, updates and deletes three rows, compares the
// decoded rows with SELECT and returns the recording.
func (s *server) record(r *rand.Rand, name string, kinds []columnKind) *recording {
	var ddl strings.Builder
	fmt.Fprintf(&ddl, "CREATE TABLE %s (id INT NOT NULL PRIMARY KEY", name)
	for i, k := range kinds {
		fmt.Fprintf(&ddl, ", c%d %s", i, k.ddl)
	}
	s.Exec(ddl.String() + ") DEFAULT CHARACTER SET utf8mb4")
	rec := &recording{options: s.options, table: s.definition(name)}
	var want [2][][]string
	row := func(id int) string {
		values := []string{fmt.Sprint(id)}
		for i := range kinds {
			values = append(values, kinds[i].value(r))
		}
		return "(" + strings.Join(values, ",") + ")"
	}
	rec.events = s.events(func() {
		s.Exec("INSERT INTO " + name + " VALUES " + row(1) + "," + row(2) + "," + row(3))
		want[0] = s.selectRows(rec.table)
		var set []string
		for i := range kinds {
			set = append(set, fmt.Sprintf("c%d=%s", i, kinds[i].value(r)))
		}
		s.Exec("UPDATE " + name + " SET " + strings.Join(set, ",") + " WHERE id<3")
		want[1] = s.selectRows(rec.table)
		s.Exec("DELETE FROM " + name + " ORDER BY id")
	})
	rows := s.rows(rec.table, rec.events)
	for i, w := range want[0] {
		compareRow(s, ddl.String(), rec.table.Columns, rows[i].after, w)
	}
	for i, w := range want[1] {
		compareRow(s, ddl.String(), rec.table.Columns, rows[len(rows)-3+i].before, w)
	}
	var err error
	if rec.rows, err = rec.decode(); err != nil {
		s.Fatal(err)
	}
	return rec
}

// TestRecordMixedRows records the rows of the benchmarks.
func TestRecordMixedRows(t *testing.T) {
	eachServer(t, func(s *server) {
		if s.options.Version < 50604 {
			return // no DATETIME(3)
		}
		s.Exec(`CREATE TABLE mixed (id BIGINT PRIMARY KEY, n INT, name VARCHAR(60) CHARACTER SET utf8mb4, price DECIMAL(12,2),
			made DATETIME(3) DEFAULT NULL, seen TIMESTAMP NULL, note TEXT CHARACTER SET utf8mb4)`)
		rec := &recording{options: s.options, table: s.definition("mixed")}
		r := rand.New(rand.NewPCG(3, 3))
		var values []string
		for i := range 100 {
			values = append(values, fmt.Sprintf("(%d,%d,'customer %d of the shop',%d.%02d,'2024-05-%02d 12:34:56.%03d','2024-05-%02d 01:02:03',REPEAT('%s',%d))",
				1000000000000+i*1000003, r.Int32(), i, r.IntN(1e6), r.IntN(100), 1+r.IntN(30), r.IntN(1000), 1+r.IntN(30), [4]string{"note ", "a longer text ", "x", "straße "}[i%4], 1+r.IntN(12)))
		}
		rec.events = s.events(func() { s.Exec("INSERT INTO mixed VALUES " + strings.Join(values, ",")) })
		rows := s.rows(rec.table, rec.events)
		for i, want := range s.selectRows(rec.table) {
			compareRow(s, "mixed", rec.table.Columns, rows[i].after, want)
		}
		var err error
		if rec.rows, err = rec.decode(); err != nil {
			s.Fatal(err)
		}
		if *update && !s.mariadb() && s.options.Version > 80000 {
			if err := os.WriteFile(benchmarkRows, []byte(rec.text()), 0o666); err != nil {
				s.Fatal(err)
			}
		}
	})
}

// TestRowImages checks that columns that the row image leaves out are Absent,
// and the others right.
func TestRowImages(t *testing.T) {
	eachServer(t, func(s *server) {
		if s.options.Version < 50602 || s.mariadb() && s.options.Version < 100106 {
			return // these have no binlog_row_image
		}
		s.Exec("CREATE TABLE images (id INT PRIMARY KEY, a INT, b TEXT, c VARCHAR(10), d BLOB)")
		table := s.definition("images")
		for _, test := range []struct{ image, want string }{
			{"MINIMAL", `after int:1 int:2 string:"x" absent absent|before int:1 absent absent absent absent|after int:1 int:3 absent absent absent|before int:1 absent absent absent absent`},
			{"NOBLOB", `after int:1 int:2 string:"x" null absent|before int:1 int:2 absent null absent|after int:1 int:3 absent null absent|before int:1 int:3 absent null absent`},
			{"FULL", `after int:1 int:2 string:"x" null null|before int:1 int:2 string:"x" null null|after int:1 int:3 string:"x" null null|before int:1 int:3 string:"x" null null`},
		} {
			rec := recording{options: s.options, table: table}
			rec.events = s.events(func() {
				s.Exec("SET SESSION binlog_row_image="+test.image, "INSERT INTO images (id,a,b) VALUES (1,2,'x')",
					"UPDATE images SET a=3", "DELETE FROM images")
			})
			rows, err := rec.decode()
			if err != nil {
				s.Fatal(err)
			}
			if got := strings.Join(rows, "|"); got != test.want {
				s.Errorf("%s:\n got %s\nwant %s", test.image, got, test.want)
			}
		}
	})
}

// TestGeneratedColumns checks that stored and virtual columns are in the row
// image like all others.
func TestGeneratedColumns(t *testing.T) {
	eachServer(t, func(s *server) {
		if s.options.Version < 50706 {
			return // these have none
		}
		s.Exec("CREATE TABLE g (id INT PRIMARY KEY, v VARCHAR(20) AS (CONCAT('v',id)) VIRTUAL, p BIGINT AS (id*2) STORED, t TEXT AS (CONCAT('t',id)) VIRTUAL, n INT)")
		rec := recording{options: s.options, table: s.definition("g")}
		rec.events = s.events(func() { s.Exec("INSERT INTO g (id,n) VALUES (1,2)", "UPDATE g SET n=3", "DELETE FROM g") })
		rows, err := rec.decode()
		if err != nil {
			s.Fatal(err)
		}
		const with2, with3 = ` int:1 string:"v1" int:2 string:"t1" int:2`, ` int:1 string:"v1" int:2 string:"t1" int:3`
		if want := []string{"after" + with2, "before" + with2, "after" + with3, "before" + with3}; !slices.Equal(rows, want) {
			s.Errorf("got %q", rows)
		}
	})
}

// TestPartialJSON makes random partial updates and compares the documents with
// what SELECT gives.
func TestPartialJSON(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	eachServer(t, func(s *server) {
		if s.mariadb() || s.options.Version < 80003 {
			return // these have no binlog_row_value_options
		}
		r := rand.New(rand.NewPCG(seed, 2))
		s.Exec("CREATE TABLE p (id INT PRIMARY KEY, j JSON, n INT, k JSON)")
		pad := fmt.Sprintf(`"pad":"%s"`, strings.Repeat("x", 3000))
		s.Exec(`INSERT INTO p VALUES (1,'{`+pad+`,"a":1,"b":[1,2,{"x":[]}],"c d":{"x":"é","y":null}}',0,'[]')`, "SET SESSION binlog_row_value_options=PARTIAL_JSON")
		table := s.definition("p")
		paths := []string{"$.a", "$.b", "$.b[0]", "$.b[1]", "$.b[2].x", "$.b[2].x[0]", "$.b[9]", `$."c d"`, `$."c d".x`, `$."c d"."a\\"é"`, "$.é", "$.zz", "$.b[2].x[1]"}
		values := []string{"1", "NULL", "'text'", "1.5", "JSON_OBJECT('k',JSON_ARRAY(1,2))", "JSON_ARRAY()", "CAST('2020-01-01' AS DATE)", "TRUE"}
		partial := 0
		for range 200 {
			path := paths[r.IntN(len(paths))]
			sql := fmt.Sprintf("JSON_SET(j,'%s',%s)", path, values[r.IntN(len(values))])
			switch r.IntN(3) {
			case 0:
				sql = fmt.Sprintf("JSON_REMOVE(%s,'%s')", sql, paths[r.IntN(len(paths))])
			case 1:
				sql = fmt.Sprintf("JSON_REPLACE(%s,'%s',%s)", sql, paths[r.IntN(len(paths))], values[r.IntN(len(values))])
			}
			events := s.events(func() { s.Exec("UPDATE p SET n=n+1, j=" + sql) })
			if events[1].kind == byte(rowevent.PartialUpdateRows) {
				partial++
			}
			rows := s.rows(table, events)
			compareRow(s, sql, table.Columns, rows[0].after, s.selectRows(table)[0])
		}
		if partial < 20 {
			s.Errorf("only %d of 200 updates were partial", partial)
		}
	})
}

// TestDefinitionFromMetadata compares the definition that full row metadata
// gives with that of information_schema.
func TestDefinitionFromMetadata(t *testing.T) {
	eachServer(t, func(s *server) {
		full := s.Query("SHOW GLOBAL VARIABLES LIKE 'binlog_row_metadata'")
		if len(full) == 0 || full[0][1] != "FULL" {
			return
		}
		var kinds []columnKind
		var wants []*change.Table
		for _, k := range columnKinds() {
			if k.on(s) {
				name := fmt.Sprintf("d%d", len(kinds))
				s.Exec(fmt.Sprintf("CREATE TABLE %s (a INT UNSIGNED, c %s, e ENUM('x','é') CHARACTER SET latin1, y YEAR, z BIGINT UNSIGNED NOT NULL, id INT, PRIMARY KEY (id, a))", name, k.ddl))
				kinds, wants = append(kinds, k), append(wants, s.definition(name))
			}
		}
		events := s.events(func() {
			for i := range kinds {
				s.Exec(fmt.Sprintf("INSERT INTO d%d (a,id,z) VALUES (1,1,1)", i))
			}
		})
		n := 0
		for i, k := range kinds {
			want := wants[i]
			m, err := rowevent.ParseTableMap(events[2*i].body, 6)
			if err != nil {
				s.Fatal(err)
			}
			got, ok := m.Definition(s.options)
			if !ok {
				continue
			}
			n++
			want.PrimaryKey = []int{5, 0}
			for i := range want.Columns {
				c := &want.Columns[i]
				if c.Charset == "utf8" {
					c.Charset = "utf8mb3" // its name before MySQL 8.0.30 and MariaDB 10.6
				}
				switch {
				case c.Type.IsInteger() || c.Type == change.Year || c.Type == change.Float || c.Type == change.Double:
					c.Length, c.Scale = -1, -1 // display widths are not told
				case c.Type == change.JSON:
					c.Charset = ""
				}
			}
			if !reflect.DeepEqual(got, want) {
				s.Fatalf("%s:\n got %+v\nwant %+v", k.ddl, got, want)
			}
		}
		// Before 8.0.31 it is open whether the YEAR column has a sign.
		if open := !s.mariadb() && s.options.Version < 80031; n < 50 && !open {
			s.Errorf("only %d definitions", n)
		}
	})
}
