package schema

import "strings"

// builtIn tells whether a word before "(" or "." is one that servers know
// themselves, and so no stored function of a database whose routines cannot be
// seen. The list is of what stands in statements that change rows; a word that
// is not in it is asked about, which is safe.
func builtIn(lower string) bool {
	_, ok := builtIns[lower]
	return ok
}

var builtIns = wordSet(`
	abs adddate addtime aes_decrypt aes_encrypt all and any as ascii avg between bin bin_to_uuid binary bit_and bit_count
	bit_length bit_or bit_xor by case cast ceil ceiling char char_length character_length charset check coalesce
	coercibility collation compress concat concat_ws connection_id conv convert convert_tz cos cot count crc32 curdate
	current_date current_role current_time current_timestamp current_user curtime database date date_add date_format
	date_sub datediff datetime day dayname dayofmonth dayofweek dayofyear decimal decode default degrees dense_rank
	distinct div elt encode encrypt exists exp export_set extract extractvalue field find_in_set floor for format from
	from_base64 from_days from_unixtime get_format get_lock greatest group_concat hex hour if ifnull in index inet_aton
	inet_ntoa insert instr int interval into is isnull join json_array json_array_append json_arrayagg json_contains
	json_extract json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve json_object
	json_objectagg json_quote json_remove json_replace json_search json_set json_type json_unquote json_valid json_value
	key last_day last_insert_id lcase least left length like ln load_file localtime localtimestamp locate log log10 log2
	lower lpad ltrim make_set makedate maketime max md5 microsecond mid min minute mod month monthname name_const not now
	nullif oct octet_length on or ord order over partition password period_add period_diff pi position pow power quarter
	quote radians rand random_bytes rank regexp_replace release_lock repeat replace reverse right round row row_count
	row_number rpad rtrim schema sec_to_time second select session_user set sha sha1 sha2 sign signed sin sleep soundex
	space sqrt std stddev str_to_date strcmp subdate substr substring substring_index subtime sum sysdate system_user table
	tan then time time_format time_to_sec timediff timestamp timestampadd timestampdiff to to_base64 to_days to_seconds
	trim truncate ucase uncompress unhex union unix_timestamp unsigned update updatexml upper user using utc_date utc_time
	utc_timestamp uuid uuid_short uuid_to_bin value values varchar variance version week weekday weekofyear when where with
	xor year yearweek
`)

func wordSet(text string) map[string]struct{} {
	set := map[string]struct{}{}
	for word := range strings.FieldsSeq(text) {
		set[word] = struct{}{}
	}
	return set
}
