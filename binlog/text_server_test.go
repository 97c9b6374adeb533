//go:build servers

package binlog_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"daybook/e2e/servers"
)

// TestTextInEveryClientCharset writes statements in each character set that a client may
// speak: names, labels, defaults and comments of all its characters must be what
// the server makes of them.
func TestTextInEveryClientCharset(t *testing.T) {
	t.Parallel()
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		client := s.Connect(t, name)
		for _, set := range db.Query("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS ORDER BY 1") {
			if client.Try("SET NAMES "+set[0]) != nil || set[0] == "binary" {
				continue // no client speaks ucs2, utf16, utf32
			}
			for i, text := range clientTexts(db, set[0]) {
				table := fmt.Sprintf("%s_%d", set[0], i)
				short := firstCharacters(db, set[0], strings.ReplaceAll(text, "`", "@")) // MariaDB ends a name there, in the middle of a character
				// The bytes of a quote or backslash may be part of a character, so nothing is escaped; the texts have neither alone.
				client.Exec(fmt.Sprintf("CREATE TABLE %s (`%s` VARCHAR(200) CHARACTER SET %s COMMENT '%s', e ENUM('%s', 'x') CHARACTER SET %s)", table, short, set[0], text, short, set[0]))
				c := r.nextChange()
				got := c.DDL.Tables[0].Table
				rows := db.Query("SELECT COLUMN_NAME, COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + name + "' AND TABLE_NAME = '" + table + "' ORDER BY ORDINAL_POSITION")
				label := db.Query("SELECT COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + name + "' AND TABLE_NAME = '" + table + "' AND COLUMN_NAME = 'e'")[0][0]
				told := []string{got.Columns[0].Name, got.Columns[0].Comment, "enum('" + strings.Join(got.Columns[1].Members, "','") + "')"}
				if want := []string{rows[0][0], rows[0][1], label}; !slices.Equal(told, want) {
					t.Errorf("%s: %s", set[0], difference(told, want))
				}
				client.Exec("DROP TABLE " + table)
				r.next()
			}
		}
	}
	servers.Each(t, fn)
	for _, version := range []string{"mysql-5.5", "mysql-9", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version)) })
	}
}

// TestDefaultsOfBytes gives columns of bytes defaults that are not ASCII, from clients of several character sets: the bytes are those of
// the session's connection character set, or of the client where that is none, and are told as a row has them.
func TestDefaultsOfBytes(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, _ := s.Database(t)
			r := open(t, options(s, name))
			client, n := s.Connect(t, name), 0
			for _, set := range []struct{ client, connection, text string }{
				{"latin1", "", "caf\xe9"}, {"utf8", "", "café"}, {"utf8mb4", "", "a\U0001F600"}, {"cp1251", "", "\xe9\xff"}, {"sjis", "", "\x93\xfa"}, {"gbk", "", "\xc4\xe3"},
				{"latin1", "utf8_general_ci", "caf\xe9"}, {"utf8", "latin1_bin", "café"}, {"utf8", "sjis_bin", "日"}, {"binary", "", "caf\xe9"}, {"latin1", "binary", "caf\xe9"}, {"binary", "latin1_bin", "caf\xe9"},
			} {
				client.Exec("SET NAMES " + set.client)
				if set.connection != "" {
					client.Exec("SET collation_connection = " + set.connection)
				}
				n++
				table := fmt.Sprintf("t%d", n)
				client.Exec(fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, a VARBINARY(20) DEFAULT '%s', b VARBINARY(20))", table, set.text),
					fmt.Sprintf("ALTER TABLE %s ALTER b SET DEFAULT '%s', ADD c BINARY(8) DEFAULT '%[2]s'", table, set.text), "INSERT INTO "+table+" (id) VALUES (1)")
				r.nextChange()
				columns := r.nextChange().DDL.Tables[0].Table.Columns
				row := r.nextChange()
				for i, c := range columns[1:] {
					want := strings.ToValidUTF8(strings.TrimRight(string(row.After[i+1].Bytes), "\x00"), "\ufffd")
					if c.Default == nil || strings.TrimRight(*c.Default, "\x00") != want {
						t.Errorf("%v: the default of %s is told as %s, and a row has %+q", set, c.Name, ofDefault(c.Default), want)
					}
				}
			}
		})
	}
}

// TestDefaultsOfBytesInStatementsOfTheServer has servers write columns of bytes themselves, with defaults that are the text of no
// charset, beside names that are not ASCII: the definition is right, and so is one that a consumer makes by the statement.
func TestDefaultsOfBytesInStatementsOfTheServer(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			copies, consumer := s.Database(t)
			db.Exec("CREATE TABLE w (`α` INT, g VARBINARY(9) DEFAULT X'39E2E1', h BINARY(5) DEFAULT X'FF275C0A0D', i VARBINARY(9) DEFAULT 'é') CHARACTER SET utf8")
			r := open(t, options(s, name))
			for _, set := range []string{"cp852", "latin1", "utf8", "sjis"} {
				client := s.Connect(t, name)
				client.Exec("SET NAMES "+set, "CREATE TEMPORARY TABLE x LIKE w")
				for _, statement := range []string{"_a AS SELECT * FROM w", "_l LIKE x"} {
					if client.Try("CREATE TABLE "+set+statement) != nil { // as enforce_gtid_consistency has it
						continue
					}
					ddl := r.nextChange().DDL
					def := ddl.Tables[0].Table
					consumer.Exec("SET sql_mode = ''", ddl.SQL, "INSERT INTO `"+def.Name+"` (`α`) VALUES (1)")
					db.Exec("INSERT INTO " + def.Name + " (`α`) VALUES (1)")
					row := r.nextChange()
					for i, c := range def.Columns[1:] {
						want := strings.ToValidUTF8(string(row.After[i+1].Bytes), "\ufffd")
						if garbled := strings.Contains(ddl.SQL, "'9??'"); def.Columns[0].Name != "α" || c.Default == nil || *c.Default != want && !(garbled && version == "mariadb-10.11") {
							t.Errorf("%s: the default of %s beside %s is told as %s, and a row has %+q", def.Name, c.Name, def.Columns[0].Name, ofDefault(c.Default), want)
						}
					}
					rows := "SELECT HEX(g), HEX(h), HEX(i) FROM %s.%s"
					if got, want := consumer.Query(fmt.Sprintf(rows, copies, def.Name)), db.Query(fmt.Sprintf(rows, name, def.Name)); !slices.Equal(got[0], want[0]) && version != "mariadb-10.11" { // which writes question marks for the bytes
						t.Errorf("%s: a consumer's row is %v, want %v; the statement is %q", def.Name, got, want, ddl.SQL)
					}
				}
			}
		})
	}
}

func ofDefault(s *string) string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("%+q", *s)
}

// difference shows where two lists of texts part.
func difference(got, want []string) string {
	for i := range got {
		g, w := []rune(got[i]), []rune(want[i])
		at := 0
		for at < len(g) && at < len(w) && g[at] == w[at] {
			at++
		}
		if at < len(g) || at < len(w) {
			return fmt.Sprintf("text %d, of %d and %d characters, from character %d on: got %+q, want %+q", i, len(g), len(w), at, string(g[at:min(len(g), at+4)]), string(w[at:min(len(w), at+4)]))
		}
	}
	return ""
}

// clientTexts returns texts of a charset's characters that the server can
// convert, in the charset's own bytes.
func clientTexts(db *servers.Conn, set string) []string {
	leads := []string{""}
	if n := db.Query("SELECT MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = '" + set + "'")[0][0]; n != "1" && !strings.HasPrefix(set, "utf8") {
		for lead := 0x81; lead < 0xff; lead += 3 { // every third, as there are many
			leads = append(leads, fmt.Sprintf("%02X", lead))
		}
	}
	var texts []string
	text, n := "", 0
	for _, lead := range leads {
		var exprs, codes []string
		for i := range 256 {
			code := fmt.Sprintf("%s%02X", lead, i)
			if lead == "" && i < 0x80 || strings.HasPrefix(set, "utf8") {
				continue
			}
			x := "CONVERT(x'" + code + "' USING " + set + ")"
			codes = append(codes, code)
			exprs = append(exprs, fmt.Sprintf("IF(CHAR_LENGTH(%[1]s) = 1 AND HEX(CONVERT(CONVERT(%[1]s USING utf8) USING %[2]s)) = '%[3]s', HEX(CONVERT(%[1]s USING utf8)), '')", x, set, code))
		}
		if len(exprs) == 0 {
			continue
		}
		for i, utf := range db.Query("SELECT " + strings.Join(exprs, ", "))[0] {
			b, _ := hex.DecodeString(utf)
			if len(b) == 0 || string(b) == "?" || !utf8.Valid(b) {
				continue
			}
			raw, _ := hex.DecodeString(codes[i])
			text += string(raw)
			if n++; n%200 == 0 {
				texts, text = append(texts, text), ""
			}
		}
	}
	switch {
	case strings.HasPrefix(set, "utf8"):
		text = "äЖ〜語"
	case set == "swe7":
		text = "@[]^{|}~"
	}
	if text == "" && len(texts) == 0 {
		text = "plain"
	}
	if text != "" {
		texts = append(texts, text)
	}
	return texts
}

// firstCharacters returns the first few characters of a text.
func firstCharacters(db *servers.Conn, set, text string) string {
	cut := db.Query(fmt.Sprintf("SELECT HEX(LEFT(CONVERT(x'%x' USING %s), 16))", text, set))[0][0]
	b, _ := hex.DecodeString(cut)
	return string(b)
}

// TestStatementsThatTheServerWrites has servers log statements of their own
// making, which are not in the client's character set.
func TestStatementsThatTheServerWrites(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			db := s.Connect(t, "")
			for i, mode := range []string{"", "ANSI_QUOTES"} {
				name := fmt.Sprintf("dü%d", i)
				db.Exec("CREATE DATABASE "+name, "USE "+name)
				r := open(t, options(s, name))
				client := s.Connect(t, "")
				client.Exec("SET NAMES latin1", "SET sql_mode = '"+mode+"'", latin1("USE `"+name+"`"))
				ownStatements(t, r, db, client, name)
				if s.MariaDB() || !strings.HasPrefix(version, "mysql-5") {
					clientsStatement(t, r, db, client, name)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
			r := open(t, options(s, "dü0"))
			s.Restart(t)
			client := s.Connect(t, "")
			client.Exec("SET NAMES latin1", latin1("USE `dü0`"), latin1("SELECT * FROM `mé`"), latin1("INSERT INTO `sé` VALUES ('b')"))
			if got := r.take(2); !strings.Contains(got[0], "mé") || got[1] != "insert sé b" {
				t.Errorf("after a restart: %q", got)
			}
		})
	}
}

// ownStatements runs statements of which servers log others, if they take them.
func ownStatements(t *testing.T, r *reading, db, client *servers.Conn, database string) {
	t.Helper()
	for _, sql := range []string{
		"CREATE TABLE `sé` (`é` ENUM('ä','b') COMMENT 'ö') COMMENT 'ü'", "CREATE TABLE `cé` AS SELECT * FROM `sé`", "CREATE TABLE IF NOT EXISTS `dé` (`ï` INT) AS SELECT * FROM `sé`",
		"CREATE OR REPLACE TABLE `cé` AS SELECT 'ä' AS `ö`", "CREATE TEMPORARY TABLE `té` LIKE `sé`", "CREATE TABLE `lé` LIKE `té`", "CREATE VIEW `vé` AS SELECT * FROM `sé`",
		"CREATE TABLE `ié` ENGINE=MyISAM SELECT * FROM `sé` WHERE `é` = 'no'", "CREATE TABLE `eé` SELECT * FROM `sé` WHERE `é` = 'no'", "CREATE TABLE `oé` ENGINE=MEMORY SELECT * FROM `sé`",
		"DROP TABLE IF EXISTS `lé`, `nö`", "DROP TABLE `té`", "CREATE TABLE `mé` (`ä` INT) ENGINE=MEMORY",
		"SET SESSION sql_generate_invisible_primary_key = 1", "CREATE TABLE `gé` (`é` ENUM('ä','b') COMMENT 'ö')", "SET SESSION sql_generate_invisible_primary_key = 0",
	} {
		if client.Try(latin1(sql)) != nil || !strings.Contains(sql, " TABLE") || strings.Contains(sql, "TEMPORARY") || strings.Contains(sql, "`té`") && strings.HasPrefix(sql, "DROP") {
			continue
		}
		c := r.nextChange()
		for c.DDL == nil { // a row of a query
			c = r.nextChange()
		}
		if strings.HasPrefix(sql, "DROP") && (len(c.DDL.Tables) != 1 || c.DDL.Tables[0].Name != "lé") {
			t.Errorf("%s: %+v; logged %q", sql, c.DDL.Tables, c.DDL.SQL)
		}
		for _, change := range c.DDL.Tables {
			if change.Table == nil {
				continue
			}
			var got, want []string
			for _, column := range change.Table.Columns {
				got = append(got, column.Name+" "+column.Comment+" "+strings.Join(column.Members, ","))
			}
			for _, row := range db.Query("SELECT COLUMN_NAME, COLUMN_COMMENT, COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + database + "' AND TABLE_NAME = '" + change.Name + "' ORDER BY ORDINAL_POSITION") {
				labels := strings.NewReplacer("enum(", "", ")", "", "'", "").Replace(row[2])
				if !strings.HasPrefix(row[2], "enum") {
					labels = ""
				}
				want = append(want, row[0]+" "+row[1]+" "+labels)
			}
			if !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("%s: got %q, want %q; logged %q", sql, got, want, c.DDL.SQL)
			}
		}
	}
	db.Exec("INSERT INTO mé VALUES (1)", "INSERT INTO sé VALUES ('ä')")
	got := r.next()
	for !strings.HasPrefix(got, "insert mé") {
		got = r.next()
	}
	equal(t, append([]string{got}, r.take(1)...), []string{"insert mé 1", "insert sé ä"})
}

// clientsStatement has a client write CREATE TABLE as the server does, with bytes that
// are text in UTF-8 too.
func clientsStatement(t *testing.T, r *reading, db, client *servers.Conn, database string) {
	t.Helper()
	client.Exec("CREATE TABLE `xé` (\n  `é` enum('ä','b') DEFAULT NULL\n) ENGINE=InnoDB DEFAULT CHARSET=latin1")
	c := r.nextChange()
	if c.DDL == nil || len(c.DDL.Tables) != 1 || c.DDL.Session.Database != database {
		t.Fatalf("got %+v", c)
	}
	def := c.DDL.Tables[0].Table
	got := [][]string{{def.Name, def.Columns[0].Name, strings.Join(def.Columns[0].Members, ",")}}
	want := db.Query("SELECT TABLE_NAME, COLUMN_NAME, 'Ã¤,b' FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + database + "' AND TABLE_NAME LIKE 'x%'")
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// latin1 returns text in latin1.
func latin1(text string) string {
	var b []byte
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}
