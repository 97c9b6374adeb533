//go:build servers

package replay

// nameScripts are about names and labels in every way that they are written.
var nameScripts = []script{
	{name: "latin1 client", statements: []string{
		"SET NAMES latin1", "CREATE TABLE `caf\xe9` (`cl\xe9` INT PRIMARY KEY, `\xe9t\xe9` ENUM('\xe0','\xe9') COMMENT '\xe9', d VARCHAR(10) DEFAULT '\xe9') CHARSET utf8",
		"INSERT INTO `caf\xe9` (`cl\xe9`, `\xe9t\xe9`) VALUES (1, '\xe9')", "ALTER TABLE `caf\xe9` CHANGE `cl\xe9` `cl\xe8` BIGINT, ADD x VARCHAR(5) CHARSET latin1 DEFAULT '\x80'", "INSERT INTO `caf\xe9` (`cl\xe8`) VALUES (2)", "UPDATE `caf\xe9` SET d = 'z'", "SET NAMES utf8mb4",
	}},
	{name: "gbk client", statements: []string{
		"SET NAMES gbk", "CREATE TABLE `\xd6\xd0\x81\x5c` (`\xbc\xfc\x81\x60` INT PRIMARY KEY, e ENUM('\xd6\xd0','\x81\x5c','b') CHARSET gbk, v VARCHAR(10) DEFAULT '\x81\x5c') CHARSET gbk",
		"INSERT INTO `\xd6\xd0\x81\x5c` VALUES (1, '\x81\x5c', '\xd6\xd0')", "ALTER TABLE `\xd6\xd0\x81\x5c` ADD COLUMN `\x81\x5c` INT COMMENT '\x81\x5c', RENAME TO `\xd6\xd0`", "UPDATE `\xd6\xd0` SET `\x81\x5c` = 5", "SET NAMES utf8mb4",
	}},
	{name: "sjis client", statements: []string{
		"SET NAMES sjis", "CREATE TABLE `\x83\x5c\x95\x5c` (id INT PRIMARY KEY, `\x94\x5c` SET('\x83\x5c','\xb1') CHARSET utf8, v VARCHAR(10) DEFAULT '\x95\x5c') CHARSET sjis",
		"INSERT INTO `\x83\x5c\x95\x5c` VALUES (1, '\x83\x5c,\xb1', '\xb1\x94\x5c')", "ALTER TABLE `\x83\x5c\x95\x5c` ADD COLUMN `\x83\x5c2` INT COMMENT '\x83\x5c' AFTER id", "UPDATE `\x83\x5c\x95\x5c` SET `\x83\x5c2` = 5", "SET NAMES utf8mb4",
	}},
	{name: "cp1251 client", statements: []string{
		"SET NAMES cp1251", "CREATE TABLE `\xf2\xe0\xe1` (id INT PRIMARY KEY, `\xef\xee\xeb\xe5` ENUM('\xe4\xe0','\xed\xe5\xf2') DEFAULT '\xed\xe5\xf2', v VARCHAR(10)) CHARSET cp1251",
		"INSERT INTO `\xf2\xe0\xe1` (id, v) VALUES (1, '\xef\xee\xeb\xe5')", "RENAME TABLE `\xf2\xe0\xe1` TO `\xe4\xe0`", "UPDATE `\xe4\xe0` SET `\xef\xee\xeb\xe5` = '\xe4\xe0'", "SET NAMES utf8mb4",
	}},
	{name: "big5 and ujis clients", statements: []string{
		"SET NAMES big5", "CREATE TABLE b5 (id INT PRIMARY KEY, e ENUM('\xb3\x5c','a') CHARSET utf8)", "INSERT INTO b5 VALUES (1, '\xb3\x5c')",
		"SET NAMES ujis", "CREATE TABLE uj (id INT PRIMARY KEY, `\xb4\xc1` ENUM('\xb4\xc1','\x8e\xb1','\x8f\xa2\xb8') CHARSET utf8)", "INSERT INTO uj VALUES (1, '\x8e\xb1'), (2, '\xb4\xc1')", "SET NAMES utf8mb4",
	}},
	{name: "quoting", statements: []string{
		"CREATE TABLE `we``ird. table` (`select` INT PRIMARY KEY, `a b` INT, `x``y` INT, `ünï` INT, `:` INT)", "INSERT INTO `we``ird. table` VALUES (1, 2, 3, 4, 5)",
		"ALTER TABLE `{db}` . `we``ird. table` /* c */ ADD `1e5` INT -- x\n FIRST, RENAME AS `{db}`. `plain`", "UPDATE plain SET `1e5` = 6",
		"SET SESSION sql_mode = 'ANSI_QUOTES'", `CREATE TABLE "q""t" ("id" INT PRIMARY KEY, e ENUM('"', '''', ',', ')'))`, `INSERT INTO "q""t" VALUES (1, ')'), (2, '''')`,
		"SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'", `CREATE TABLE nb (id INT PRIMARY KEY, e ENUM('a\', 'b\''')) COMMENT 'x\'`, `INSERT INTO nb VALUES (1, 'a\')`,
		"SET SESSION sql_mode = DEFAULT", `CREATE TABLE e2 (id INT PRIMARY KEY, e ENUM('a\n', 'b\'', '\z', 0x6162))`, `INSERT INTO e2 VALUES (1, 'a\n'), (2, 'b\''), (3, 'z'), (4, 'ab')`,
	}},
	{name: "case", statements: []string{
		"CREATE TABLE MixedCase (Id INT PRIMARY KEY, N INT)", "INSERT INTO MixedCase VALUES (1, 1)", "ALTER TABLE MixedCase ADD COLUMN M INT, CHANGE n NN INT", "UPDATE MixedCase SET m = 2, nN = 3",
		"RENAME TABLE MixedCase TO Other_Case", "INSERT INTO Other_Case VALUES (2, 2, 2)", "CREATE TABLE LikeCase LIKE Other_Case", "INSERT INTO LikeCase SELECT * FROM Other_Case",
	}},
}
