//go:build servers

package replay

import (
	"fmt"
	"testing"

	"daybook/e2e/servers"
)

// before are the tables that are there when a task starts, with what is read of
// them from information_schema.
var before = []string{
	"CREATE TABLE the_end (id INT PRIMARY KEY)",
	"CREATE TABLE `tä ß` (id INT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'ö€', e ENUM('ü','x','日') NOT NULL DEFAULT 'ü' COMMENT 'é', s SET('ä','b''c','''') CHARACTER SET latin1 DEFAULT 'ä,b''c'," +
		" c CHAR(5) CHARACTER SET latin1 DEFAULT 'é', v VARCHAR(300) CHARACTER SET sjis DEFAULT '表ソ', t MEDIUMTEXT, d DECIMAL(20,6) NOT NULL DEFAULT 1.5, f DOUBLE, r FLOAT(7,3), dt DATETIME DEFAULT '2001-02-03 04:05:06'," +
		" ts TIMESTAMP NULL, ti TIME, y YEAR, b BIT(12), bl BLOB, vb VARBINARY(9), i8 BIGINT UNSIGNED ZEROFILL, g POINT, UNIQUE KEY `ü` (e, id), KEY (d)) CHARSET utf8mb4 COMMENT 'ß'",
	"CREATE TABLE `keyless` (`ö` INT, `v` VARCHAR(20))",
	"CREATE VIEW `sicht ä` AS SELECT * FROM `tä ß`",
	"CREATE TRIGGER `auslöser` AFTER INSERT ON `tä ß` FOR EACH ROW INSERT INTO `keyless` VALUES (NEW.id, 'ä')",
	"INSERT INTO `keyless` VALUES (0, 'x')",
	"DELETE FROM `keyless`",
}

// rowStatements change rows of the tables that were there before, others in each
// round.
func rowStatements(round int) []string {
	id := 10 * round
	return []string{
		fmt.Sprintf("INSERT INTO `tä ß` (id, e, v, t, f, r, ts, ti, y, bl, i8) VALUES (%d, '日', '表能', 'é𝄞日', 1.5e10, 1234.567, '2001-02-03 04:05:06', '-12:34:56', 1999, 0x00FF41, 18446744073709551615)", id),
		fmt.Sprintf("INSERT INTO `tä ß` (id, g) VALUES (%d, NULL), (%d, NULL)", id+1, id+2),
		fmt.Sprintf("UPDATE `tä ß` SET e = 'ü', t = 'ß', c = 'ñ', d = d + 1 WHERE id = %d", id),
		fmt.Sprintf("UPDATE `tä ß` SET id = %d WHERE id = %d", id+3, id+1),
		fmt.Sprintf("DELETE FROM `tä ß` WHERE id = %d", id+2),
		fmt.Sprintf("INSERT INTO `keyless` VALUES (%d, 'ö')", id),
	}
}

// tableStatements change the definitions of tables, and rows of these.
var tableStatements = []string{
	"DROP TABLE IF EXISTS `neu ü`, `wie ä`, `aus ö`",
	"CREATE TABLE `neu ü` (id INT PRIMARY KEY AUTO_INCREMENT COMMENT 'ö', `ä` VARCHAR(20) DEFAULT 'é' COMMENT 'ß', e ENUM('ü','ß') DEFAULT 'ß', t1 TIMESTAMP, t2 TIMESTAMP NULL, x TEXT, n DECIMAL(5,2) NOT NULL DEFAULT 1.25)",
	"INSERT INTO `neu ü` (id, e, t1, t2, x) VALUES (1, 'ü', '2020-01-02 03:04:05', '2021-01-02 03:04:05', 'é')",
	"ALTER TABLE `neu ü` ADD COLUMN `ñ` INT UNSIGNED NOT NULL DEFAULT 7 AFTER id, ADD COLUMN k CHAR(3) COMMENT 'ö', COMMENT 'ä'",
	"INSERT INTO `neu ü` (id, `ä`, k, t1, t2) VALUES (2, 'ö', 'ü', '2020-01-02 03:04:05', '2021-01-02 03:04:05')",
	"CREATE TABLE `wie ä` LIKE `neu ü`",
	"INSERT INTO `wie ä` SELECT * FROM `neu ü`",
	"CREATE TABLE `aus ö` AS SELECT id, `ä`, e, n / 3 AS q, 'é' AS w FROM `neu ü`",
	"UPDATE `neu ü` SET x = 'ß', n = 2.5 WHERE id = 1",
	"CREATE INDEX i ON `wie ä` (e)",
	"ALTER TABLE `wie ä` CONVERT TO CHARACTER SET utf8mb4",
	"RENAME TABLE `wie ä` TO `anders ü`",
	"ALTER TABLE `anders ü` RENAME TO `wie ä` /*M!100300 , ALGORITHM=DEFAULT */", // MariaDB's COPY leaves the table of the old name there
	"CREATE TEMPORARY TABLE nur_hier (a INT)",
	"INSERT INTO nur_hier VALUES (1)",
	"DROP TEMPORARY TABLE nur_hier",
	"TRUNCATE TABLE `aus ö`",
	"INSERT INTO `aus ö` (id, w) VALUES (9, 'ü')",
	"DELETE FROM `neu ü` WHERE id = 1",
}

// texts are what must be read of the names, labels, comments and defaults of the
// tables that were there before.
var texts = map[string]string{
	"tä ß": "ß: id ö€ [] -|e é [ü x 日] ü|s  [ä b'c '] ä,b'c|c  [] é|v  [] 表ソ|t  [] -|d  [] 1.500000|f  [] -|r  [] -|dt  [] 2001-02-03 04:05:06|" +
		"ts  [] -|ti  [] -|y  [] -|b  [] -|bl  [] -|vb  [] -|i8  [] -|g  [] -|",
	"keyless": ": ö  [] -|v  [] -|",
}

// compareTexts compares the texts of the definitions that were read with those, or
// with what the server shows.
func (f *modelFollower) compareTexts(t *testing.T, db *servers.Conn) {
	t.Helper()
	for name, def := range f.defs {
		got, want := def.Comment+": ", texts[name]
		for _, c := range def.Columns {
			if want == "" {
				got += c.Name + " " + c.Comment + "|"
				continue
			}
			value := "-"
			if c.Default != nil {
				value = *c.Default
			}
			got += fmt.Sprintf("%s %s %s %s|", c.Name, c.Comment, c.Members, value)
		}
		if want == "" {
			where := " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '" + name + "'"
			for _, r := range db.Query("SELECT TABLE_COMMENT FROM information_schema.TABLES" + where) {
				want = r[0] + ": "
			}
			for _, r := range db.Query("SELECT COLUMN_NAME, COLUMN_COMMENT FROM information_schema.COLUMNS" + where + " ORDER BY ORDINAL_POSITION") {
				want += r[0] + " " + r[1] + "|"
			}
		}
		if want != "" && got != want {
			t.Errorf("table %s is told as\n%s\nand has\n%s", name, got, want)
		}
	}
}
