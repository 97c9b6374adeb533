//go:build servers

package rowevent_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// columnKind is a column type as DDL with SQL expressions for values; random
// ones come from make, if there is one.
type columnKind struct {
	ddl    string
	values string // separated by spaces; @ in one is a space
	make   func(r *rand.Rand) string
	// since is the first version of MySQL and of MariaDB that has it; 0: all; -1: none.
	mysql, mariadb int
}

func (k *columnKind) value(r *rand.Rand) string {
	list := strings.Fields(k.values)
	if k.make != nil && (len(list) == 0 || r.IntN(2) == 0) {
		return k.make(r)
	}
	return strings.ReplaceAll(list[r.IntN(len(list))], "@", " ")
}

func (k *columnKind) on(s *server) bool {
	since := k.mysql
	if s.mariadb() {
		since = k.mariadb
	}
	return since >= 0 && s.options.Version >= since
}

func randomInt(r *rand.Rand) string {
	return fmt.Sprint(int64(r.Uint64()) >> r.IntN(64))
}

func randomDecimal(r *rand.Rand) string {
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		return b.String()
	}
	return [2]string{"", "-"}[r.IntN(2)] + digits(1+r.IntN(40)) + "." + digits(1+r.IntN(25))
}

func randomHex(limit int) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		b := make([]byte, r.IntN(limit))
		for i := range b {
			b[i] = byte(r.IntN(4) * r.IntN(86)) // many zeros
		}
		return fmt.Sprintf("x'%x'", b)
	}
}

var runes = []rune("abcXYZ 019'\\\"é߀ÿŽ漢字かな한글ЖЩ\u0001αβ中")

func randomText(limit int) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for range r.IntN(limit + 1) {
			b.WriteRune(runes[r.IntN(len(runes))])
		}
		return fmt.Sprintf("_utf8mb4 x'%x'", b.String())
	}
}

func randomTime(layout string) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		t := time.UnixMicro(r.Int64N(2147483647_000000)).UTC()
		return "'" + t.Format(layout) + "'"
	}
}

func randomDuration(r *rand.Rand) string {
	return fmt.Sprintf("'%s%d:%02d:%02d.%06d'", [2]string{"", "-"}[r.IntN(2)], r.IntN(838), r.IntN(60), r.IntN(60), r.IntN(1e6))
}

const stamp = "2006-01-02 15:04:05.000000"

func columnKinds() []columnKind {
	const ints = "0 1 -1 127 128 255 256 -128 -129 32767 32768 65535 8388607 8388608 16777215 2147483647 2147483648 4294967295 -9223372036854775808 9223372036854775807 9223372036854775808 18446744073709551615 NULL"
	const dates = "'0000-00-00' '1000-01-01' '9999-12-31' '2020-00-00' '2020-02-00' '1970-01-01' NULL"
	const moments = "'0000-00-00' '1000-01-01' '9999-12-31T23:59:59' '2020-00-00' '1970-01-01T00:00:01' '2038-01-19T03:14:07' NULL"
	const durations = "0 '00:00:00' '-00:00:00.1' '-00:00:01' '-838:59:59' '838:59:59' '-00:00:00.000001' '-12:34:56.99' NULL"
	var kinds []columnKind
	for _, t := range []string{"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"} {
		kinds = append(kinds, columnKind{ddl: t, values: ints, make: randomInt}, columnKind{ddl: t + " UNSIGNED", values: ints, make: randomInt})
	}
	for _, p := range []string{"1,0", "1,1", "5,2", "9,0", "9,9", "10,3", "18,9", "20,0", "19,1", "30,30", "65,0", "65,30", "64,15", "38,10"} {
		kinds = append(kinds, columnKind{ddl: "DECIMAL(" + p + ")", values: "0 -0 0.001 -0.001 1 -1 0.5 -0.05 99999999999999999999 NULL", make: randomDecimal})
	}
	for _, p := range []string{"38,38", "65,38", "40,31"} { // MySQL has 30 at most
		kinds = append(kinds, columnKind{ddl: "DECIMAL(" + p + ")", values: "0 0.00000000000000000000000000000000000001 -1 NULL", make: randomDecimal, mysql: -1})
	}
	for _, n := range []int{1, 7, 8, 9, 17, 33, 63, 64} {
		kinds = append(kinds, columnKind{ddl: fmt.Sprintf("BIT(%d)", n), values: "0 1 NULL", make: func(r *rand.Rand) string { return fmt.Sprint(r.Uint64() >> (64 - n)) }})
	}
	for _, f := range []string{"", "(1)", "(2)", "(3)", "(4)", "(5)", "(6)"} {
		since := 0
		if f != "" {
			since = 50604
		}
		kinds = append(kinds,
			columnKind{ddl: "TIME" + f, values: durations, make: randomDuration, mysql: since},
			columnKind{ddl: "DATETIME" + f, values: moments, make: randomTime(stamp), mysql: since},
			columnKind{ddl: "TIMESTAMP" + f + " NULL", values: moments, make: randomTime(stamp), mysql: since})
	}
	kinds = append(kinds,
		columnKind{ddl: "FLOAT", values: "0 -0e0 1.5 -3.4e38 1e-38 0.1 NULL"},
		columnKind{ddl: "FLOAT UNSIGNED", values: "0 1.5 3.4e38 NULL"},
		columnKind{ddl: "FLOAT(7,3)", values: "0 1.5 -1.123 NULL"},
		columnKind{ddl: "DOUBLE", values: "0 1.5 -1.7e308 2.3e-308 0.1 NULL"},
		columnKind{ddl: "YEAR", values: "0 1901 2155 1999 NULL"},
		columnKind{ddl: "DATE", values: dates, make: randomTime("2006-01-02")},
		columnKind{ddl: "BINARY(10)", values: "'' 'a' x'00' x'6100' x'610062' x'20' x'612020' x'00000000000000000000' NULL", make: randomHex(11)},
		columnKind{ddl: "BINARY(255)", values: "'' 'a' NULL", make: randomHex(255)},
		columnKind{ddl: "VARBINARY(10)", values: "'' 'a' x'00' x'6100' NULL", make: randomHex(11)},
		columnKind{ddl: "VARBINARY(300)", values: "'' 'a' x'00' x'6100' NULL", make: randomHex(300)},
		columnKind{ddl: "TINYBLOB", values: "'' x'00' NULL", make: randomHex(255)},
		columnKind{ddl: "BLOB", values: "'' x'00' REPEAT('a',65535) NULL", make: randomHex(400)},
		columnKind{ddl: "MEDIUMBLOB", values: "'' x'00' REPEAT('a',70000) NULL", make: randomHex(400)},
		columnKind{ddl: "LONGBLOB", values: "'' x'00' NULL", make: randomHex(400)},
		columnKind{ddl: "ENUM('a','é','c''d','','x,y')", values: "1 2 3 4 5 'a' 'nope' NULL"},
		columnKind{ddl: "SET('a','é','c''d','long label')", values: "0 1 2 3 4 7 8 15 NULL"},
		columnKind{ddl: "SET('','a','b')", values: "0 1 2 3 5 6 7"},
		columnKind{ddl: "SET('a','','b')", values: "1 2 3 6 7"},
		columnKind{ddl: bigLabels("ENUM", 300), values: "1 255 256 257 300 NULL"},
		columnKind{ddl: bigLabels("SET", 64), values: "0 1 18446744073709551615 9223372036854775808 NULL", make: randomInt},
		columnKind{ddl: bigLabels("SET", 20), values: "0 1 1048575 524288 NULL"},
		columnKind{ddl: bigLabels("SET", 33), values: "0 1 4294967296 NULL"},
		columnKind{ddl: "GEOMETRY", values: "POINT(1,2) POLYGON(LINESTRING(POINT(0,0),POINT(1,0),POINT(1,1),POINT(0,0))) NULL"},
		columnKind{ddl: "POINT", values: "POINT(1.5,-2) NULL"},
	)
	for _, cs := range []string{"utf8mb4", "utf8", "ascii", "latin1", "gbk", "sjis", "utf16", "ucs2", "utf32"} {
		kinds = append(kinds,
			columnKind{ddl: "CHAR(10) CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(10)},
			columnKind{ddl: "CHAR(255) CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(255)},
			columnKind{ddl: "VARCHAR(20) CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(20)},
			columnKind{ddl: "VARCHAR(300) CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(300)},
			columnKind{ddl: "TINYTEXT CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(50)},
			columnKind{ddl: "TEXT CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(100)},
			columnKind{ddl: "MEDIUMTEXT CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(100)},
			columnKind{ddl: "LONGTEXT CHARACTER SET " + cs, values: "'' 'a' NULL", make: randomText(100)})
	}
	return append(kinds, moreKinds()...)
}

func moreKinds() []columnKind {
	kinds := []columnKind{{ddl: "JSON", mysql: 50708, mariadb: -1, make: randomJSON, values: strings.Join([]string{
		"'null'", "'true'", "'[]'", "'{}'", "'0'", "'-1'", "'1.0'", "'1e15'", "'1e14'", "'123456789012345678901234567890'", "'-1.5e-7'", "'1e-15'", "'1e-16'", "'1e300'", "'5e-324'",
		"'18446744073709551615'", "'-9223372036854775808'", "'4294967295'", "'-2147483649'", "'65536'", "NULL",
		"CAST(CAST('2015-01-15@23:24:25.12'AS@DATETIME(3))AS@JSON)", "CAST(CAST('2015-01-15'AS@DATE)AS@JSON)", "CAST(CAST('-23:24:25.12'AS@TIME(3))AS@JSON)",
		"CAST(CAST(12.50AS@DECIMAL(10,4))AS@JSON)", "CAST(-0.0001AS@JSON)", "CAST(x'00ff'AS@JSON)", "JSON_ARRAY(b'101',x'',REPEAT('ab',3000))",
		"JSON_OBJECT('a',1,'bb',JSON_ARRAY(1,2.5e0,NULL,TRUE,FALSE,'x'),'é\"',65535)", "JSON_ARRAY(REPEAT('x',70000),70000,-70000,1,100000,3e0,JSON_OBJECT('k',REPEAT('y',200)))",
		"JSON_QUOTE(_utf8mb4@x'0001020304050607080a0b0c0d1f7f22')"}, " ")},
		{ddl: "JSON", mysql: 50708, mariadb: -1, values: strings.Join([]string{
			"CAST(" + nines(66, 0) + "@AS@JSON)", "CAST(-" + nines(81, 0) + "@AS@JSON)", "CAST(" + nines(0, 81) + "@AS@JSON)", "CAST(-" + nines(11, 63) + "@AS@JSON)",
			"JSON_ARRAY(0." + strings.Repeat("0", 71) + "1," + nines(72, 9) + ")"}, " ")},
		// Older servers break lines in base64 without an escape, which is no JSON.
		{ddl: "JSON", mysql: 80030, mariadb: -1, values: "JSON_ARRAY(CAST(REPEAT('x',500)AS@BINARY),CAST(REPEAT('x',57)AS@BINARY)) NULL"},
		{ddl: "VECTOR(3)", mysql: 90000, mariadb: 110701, values: "x'0000803f0000803f0000803f' NULL"},
		{ddl: "CHAR(10) CHARACTER SET filename", mysql: -1, values: "'' 'a' NULL", make: randomText(10)},
		{ddl: "VARCHAR(80) CHARACTER SET filename", mysql: -1, values: "'' '@' NULL", make: randomText(80)},
		{ddl: "TEXT CHARACTER SET filename", mysql: -1, values: "'' '@' NULL", make: randomText(100)},
		{ddl: "UUID", mysql: -1, mariadb: 100700, make: randomUUID, values: "'00000000-0000-0000-0000-000000000000' NULL"},
		{ddl: "INET6", mysql: -1, mariadb: 100500, make: randomInet6, values: "'::' '::1' '::1:2' '::1.2.3.4' '::ffff:1.2.3.4' '2001:db8::1:0:0:1' '1::' '0:0:1::' NULL"},
		{ddl: "INET4", mysql: -1, mariadb: 101000, values: "'0.0.0.0' '1.2.3.4' '255.255.255.255' NULL"},
	}
	for _, ddl := range []string{"VARCHAR(20) COMPRESSED CHARACTER SET latin1", "VARCHAR(63) COMPRESSED CHARACTER SET utf8mb4", "TEXT COMPRESSED CHARACTER SET utf8mb4", "LONGTEXT COMPRESSED CHARACTER SET utf8mb4", "TINYTEXT COMPRESSED CHARACTER SET latin1"} {
		kinds = append(kinds, columnKind{ddl: ddl, mysql: -1, mariadb: 100302, make: randomText(20), values: "'' REPEAT('é',18) REPEAT('abc',6) NULL"})
	}
	for _, ddl := range []string{"VARBINARY(300) COMPRESSED", "BLOB COMPRESSED", "MEDIUMBLOB COMPRESSED"} {
		kinds = append(kinds, columnKind{ddl: ddl, mysql: -1, mariadb: 100302, make: randomHex(300), values: "'' REPEAT('x',300) NULL"})
	}
	return kinds
}

// nines is a decimal literal, which may have more digits than a column can.
func nines(whole, decimals int) string {
	s := strings.Repeat("9", whole)
	if decimals > 0 {
		s += "." + strings.Repeat("9", decimals)
	}
	return s
}

func randomUUID(r *rand.Rand) string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return fmt.Sprintf("'%x-%x-%x-%x-%x'", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomInet6(r *rand.Rand) string {
	var a [16]byte
	for i := range 8 {
		if r.IntN(2) == 0 {
			a[2*i], a[2*i+1] = byte(r.IntN(3)), byte(r.IntN(30))
		}
	}
	return "'" + netip.AddrFrom16(a).String() + "'"
}

// randomJSON returns a random document as a literal.
func randomJSON(r *rand.Rand) string {
	var doc func(depth int) any
	doc = func(depth int) any {
		n := r.IntN(9)
		if depth > 5 {
			n %= 6
		}
		switch n {
		case 0:
			return nil
		case 1:
			return r.IntN(2) == 0
		case 2:
			return int64(r.Uint64()) >> r.IntN(64)
		case 3:
			return math.Ldexp(r.NormFloat64(), r.IntN(200)-100)
		case 4:
			return float64(r.IntN(1000)) / 8
		case 5:
			s := make([]rune, r.IntN(20))
			for i := range s {
				s[i] = runes[r.IntN(len(runes))]
			}
			return string(s)
		case 6:
			o := map[string]any{}
			for range r.IntN(8) {
				o[strings.Repeat("k", r.IntN(4))+string(runes[r.IntN(len(runes))])] = doc(depth + 1)
			}
			return o
		}
		a := make([]any, r.IntN(8))
		for i := range a {
			a[i] = doc(depth + 1)
		}
		return a
	}
	b, err := json.Marshal(doc(0))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("_utf8mb4 x'%x'", b)
}

func bigLabels(kind string, n int) string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = fmt.Sprintf("'l%d'", i+1)
	}
	return kind + "(" + strings.Join(labels, ",") + ")"
}

// TestTypesAgainstSelect makes random tables of all column types with random
// rows, changes them, and compares every decoded value with what SELECT gives.
func TestTypesAgainstSelect(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	eachServer(t, func(s *server) {
		r := rand.New(rand.NewPCG(seed, 1))
		var kinds []columnKind
		for _, k := range columnKinds() {
			if k.on(s) {
				kinds = append(kinds, k)
			}
		}
		r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for n := 0; len(kinds) > 0; n++ {
			size := min(len(kinds), 1+r.IntN(24))
			testTable(s, r, fmt.Sprintf("t%d", n), kinds[:size])
			kinds = kinds[size:]
		}
	})
}

func testTable(s *server, r *rand.Rand, name string, kinds []columnKind) {
	var ddl strings.Builder
	fmt.Fprintf(&ddl, "CREATE TABLE %s (id CHAR(4) CHARACTER SET ascii NOT NULL PRIMARY KEY", name)
	for i, k := range kinds {
		fmt.Fprintf(&ddl, ", c%d %s", i, k.ddl)
	}
	s.Exec(ddl.String() + ") DEFAULT CHARACTER SET utf8mb4")
	table := s.definition(name)
	var inserted, updated [][]string
	events := s.events(func() {
		for i := range 20 {
			values := []string{fmt.Sprintf("'%04d'", i)}
			for _, k := range kinds {
				values = append(values, k.value(r))
			}
			s.Exec("INSERT INTO " + name + " VALUES (" + strings.Join(values, ",") + ")")
		}
		inserted = s.selectRows(table)
		for i := range 20 {
			c := r.IntN(len(kinds))
			s.Exec(fmt.Sprintf("UPDATE %s SET c%d=%s WHERE id='%04d'", name, c, kinds[c].value(r), i))
			// A row of its own marks updates that change nothing, which are not logged.
			s.Exec(fmt.Sprintf("UPDATE %s SET id='%04d' WHERE id='%04d'", name, i+1000, i))
		}
		updated = s.selectRows(table)
		s.Exec("DELETE FROM " + name + " ORDER BY id")
	})
	rows := s.rows(table, events)
	var last [][]string // the row images after the last update of each row
	ins, del := 0, 0
	for _, row := range rows {
		switch {
		case row.before == nil:
			compareRow(s, ddl.String(), table.Columns, row.after, inserted[ins])
			ins++
		case row.after == nil:
			compareRow(s, ddl.String(), table.Columns, row.before, updated[del])
			del++
		default:
			last = append(last, nil)
			if i := strings.TrimSpace(string(row.before[0].Bytes)); i < "1000" && string(row.after[0].Bytes) >= "1000" {
				var n int
				fmt.Sscan(strings.TrimLeft(i, "0")+" ", &n)
				compareRow(s, ddl.String(), table.Columns, row.after, updated[n])
			}
		}
	}
	if ins != 20 || del != 20 || len(last) < 20 {
		s.Fatalf("%d inserts, %d updates, %d deletes in the binlog of %s", ins, len(last), del, ddl.String())
	}
}
