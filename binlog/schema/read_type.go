package schema

import "strings"

// dataType reads a column's data type with its length, members, sign and
// charset words; synonyms come out as the type's first name.
func (r *reader) dataType() typeSpec {
	t := typeSpec{length: -1, scale: -1}
	if r.peek(0).kind != tokWord {
		r.fail("expected a data type")
		return t
	}
	if r.isWord(0, "MARIADB_SCHEMA", "ORACLE_SCHEMA", "MAXDB_SCHEMA") && r.isOp(1, ".") {
		t.schema = strings.ToUpper(r.take().text)
		r.take()
	}
	t.word = r.typeWord()
	if r.acceptOp("(") {
		switch {
		case t.word == "ENUM" || t.word == "SET":
			t.members = r.members()
		case r.peek(0).kind == tokNumber:
			t.length = r.number()
			if r.acceptAny("BYTE", "CHAR") { // Oracle mode
				break
			}
			if r.acceptOp(",") {
				t.scale = r.number()
			}
		}
		r.skipToClose()
	}
	for {
		switch {
		case r.acceptAny("UNSIGNED"):
			t.unsigned = true
		case r.acceptAny("SIGNED"):
		case r.acceptAny("ZEROFILL"):
			t.unsigned, t.zero = true, true
		default:
			return t
		}
	}
}

// members reads the labels of ENUM and SET, without the closing parenthesis.
func (r *reader) members() []label {
	var labels []label
	introduced := ""
	for {
		switch t := r.peek(0); {
		case t.kind == tokString:
			labels = append(labels, label{text: t.text})
		case t.kind == tokHex:
			labels = append(labels, label{hexText(t.text), true, introduced})
		case t.kind == tokBits:
			labels = append(labels, label{bitsText(t.text), true, introduced})
		case t.kind == tokWord && strings.HasPrefix(t.text, "_"):
			introduced = r.introducer()
			continue
		default:
			r.fail("expected a label")
			return labels
		}
		r.take()
		introduced = ""
		if !r.acceptOp(",") {
			return labels
		}
	}
}

// synonyms gives the first name of types that have several.
var synonyms = map[string]string{
	"INT1": "TINYINT", "INT2": "SMALLINT", "INT3": "MEDIUMINT", "MIDDLEINT": "MEDIUMINT", "INT4": "INT", "INTEGER": "INT",
	"INT8": "BIGINT", "FLOAT4": "FLOAT", "FLOAT8": "DOUBLE", "DEC": "DECIMAL", "NUMERIC": "DECIMAL", "FIXED": "DECIMAL",
	"BOOL": "BOOLEAN", "CHARACTER": "CHAR", "VARCHARACTER": "VARCHAR", "VARCHAR2": "VARCHAR",
	"RAW": "VARBINARY", "CLOB": "LONGTEXT", "GEOMCOLLECTION": "GEOMETRYCOLLECTION", "SQL_TSI_YEAR": "YEAR",
}

// typeWord takes the words of a type's name.
func (r *reader) typeWord() string {
	word := strings.ToUpper(r.take().text)
	if s, ok := synonyms[word]; ok {
		word = s
	}
	switch word {
	case "DOUBLE":
		r.acceptAny("PRECISION")
	case "CHAR":
		if r.acceptAny("VARYING") {
			return "VARCHAR"
		}
	case "NATIONAL", "NCHAR":
		varying := false
		if word == "NATIONAL" {
			varying = r.isWord(0, "VARCHAR", "VARCHARACTER")
			r.take()
		}
		if r.acceptAny("VARYING", "VARCHAR", "VARCHARACTER") || varying {
			return "NVARCHAR"
		}
		return "NCHAR"
	case "LONG":
		return r.longType()
	}
	return word
}

// longType reads what follows LONG: LONG VARCHAR and LONG CHAR VARYING are
// MEDIUMTEXT, as LONG alone; LONG VARBINARY is MEDIUMBLOB.
func (r *reader) longType() string {
	switch {
	case r.acceptAny("VARBINARY"):
		return "MEDIUMBLOB"
	case r.acceptAny("VARCHAR", "VARCHARACTER"), r.accept("CHAR", "VARYING"), r.accept("CHARACTER", "VARYING"):
	}
	return "MEDIUMTEXT"
}
