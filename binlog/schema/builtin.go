package schema

import "strings"

// builtIn tells whether a word before "(" is one that the server knows itself.
// Without a database before it such a word is never a stored function. The lists
// are of what stands in statements that change rows; a word that is in none may
// be a stored function, which is safe.
func (s Server) builtIn(lower string) bool {
	if _, ok := builtIns[lower]; ok {
		return true
	}
	for _, n := range newerBuiltIns {
		if _, ok := n.words[lower]; ok {
			return s.mysqlFrom(n.mysql) && !(n.mysqlUntil > 0 && s.mysqlFrom(n.mysqlUntil)) || s.mariaFrom(n.mariaDB)
		}
	}
	return false
}

// builtInCall tells whether a word, and the "(" behind it, call what the server
// knows itself. Some names are that only where the "(" follows at once; and a
// quoted name may be a stored function.
func (s Server) builtInCall(word, parenthesis token, mode uint64) bool {
	lower := strings.ToLower(word.text)
	if word.kind != tokWord || !s.builtIn(lower) {
		return false
	}
	_, spaced := needNoSpace[lower]
	return !spaced || word.end == parenthesis.start || mode&modeIgnoreSpace != 0
}

// builtIns are known to every server.
var builtIns = wordSet(`
	abs adddate addtime aes_decrypt aes_encrypt all and any as ascii avg between bin binary bit_and bit_count bit_length
	bit_or bit_xor by case cast ceil ceiling char char_length character_length charset check coalesce coercibility
	collation compress concat concat_ws connection_id conv convert convert_tz cos cot count crc32 curdate current_date
	current_time current_timestamp current_user curtime database date date_add date_format date_sub datediff datetime day
	dayname dayofmonth dayofweek dayofyear decimal default degrees distinct div elt exists exp export_set extract
	extractvalue field find_in_set floor for format from from_days from_unixtime get_format get_lock greatest
	group_concat hex hour if ifnull in index inet_aton inet_ntoa insert instr int interval into is isnull join key
	last_day last_insert_id lcase least left length like ln load_file localtime localtimestamp locate log log10 log2
	lower lpad ltrim make_set makedate maketime max microsecond mid min minute mod month monthname name_const not now
	nullif oct octet_length on or ord order partition password period_add period_diff pi position pow power quarter quote
	radians rand release_lock repeat replace reverse right round row row_count rpad rtrim schema sec_to_time
	second select session_user set sha2 sign signed sin sleep soundex space sqrt std stddev str_to_date strcmp
	subdate substr substring substring_index subtime sum sysdate system_user table tan then time time_format time_to_sec
	timediff timestamp timestampadd timestampdiff to to_days to_seconds trim truncate ucase uncompress unhex
	union unix_timestamp unsigned update updatexml upper user using utc_date utc_time utc_timestamp uuid uuid_short value
	values varchar variance version week weekday weekofyear when where with xor year yearweek
`)

// newerBuiltIns are known from some version on, and some up to one.
var newerBuiltIns = []struct {
	mysql, mysqlUntil, mariaDB int
	words                      map[string]struct{}
}{
	{0, 90000, 0, wordSet("md5 sha sha1")},
	{50600, 0, 100100, wordSet("from_base64 to_base64")},
	{50700, 0, 101000, wordSet("random_bytes")},
	{50722, 0, 100500, wordSet(`
	json_array json_array_append json_arrayagg json_contains json_extract json_insert json_keys json_length json_merge
	json_merge_patch json_merge_preserve json_object json_objectagg json_quote json_remove json_replace json_search
	json_set json_type json_unquote json_valid
	`)},
	{80021, 0, 100500, wordSet("current_role dense_rank json_value over rank regexp_replace row_number")},
	{80000, 0, 1 << 30, wordSet("bin_to_uuid uuid_to_bin")},
}

// needNoSpace are those that are stored functions when a blank follows, unless
// the mode is IGNORE_SPACE.
var needNoSpace = wordSet(`
	adddate bit_and bit_or bit_xor cast count curdate curtime date_add date_format date_sub dense_rank extract group_concat
	json_arrayagg json_objectagg max mid min now position rank row_number session_user std stddev subdate substr substring sum
	sysdate system_user trim variance
`)

func wordSet(text string) map[string]struct{} {
	set := map[string]struct{}{}
	for word := range strings.FieldsSeq(text) {
		set[word] = struct{}{}
	}
	return set
}
