package charset

// patch says where a server converts a multi-byte charset differently from the
// WHATWG tables of golang.org/x/text. It begins at the character code and goes
// on with the codes after it: as many as runes has, or linear many that count
// up from its only rune. Tables are sorted by code.
type patch struct {
	code   uint32
	linear int
	runes  string
}

// big5Patches are for big5.
var big5Patches = []patch{
	{code: 0xA145, runes: "•"},
	{code: 0xA14E, runes: "､"},
	{code: 0xA15A, runes: "\ufffd"},
	{code: 0xA1C2, runes: "‾\ufffd"},
	{code: 0xA1C5, runes: "\ufffd"},
	{code: 0xA1E3, runes: "∼"},
	{code: 0xA1F2, runes: "♁☉"},
	{code: 0xA1FE, runes: "\ufffd"},
	{code: 0xA240, runes: "\ufffd／＼"},
	{code: 0xA244, runes: "¥"},
	{code: 0xA246, runes: "¢£"},
	{code: 0xA2CC, runes: "\ufffd"},
	{code: 0xA2CE, runes: "\ufffd"},
	{code: 0xC6A1, runes: "ヾゝゞ々"},
	{code: 0xC6A5, linear: 83, runes: "ぁ"},
	{code: 0xC6F8, runes: "ァアィイゥウェ"},
	{code: 0xC740, linear: 63, runes: "エ"},
	{code: 0xC7A1, linear: 16, runes: "ョ"},
	{code: 0xC7B1, runes: "ДЕЁЖЗИЙКЛМ"},
	{code: 0xC7BB, linear: 19, runes: "У"},
	{code: 0xC7CE, runes: "ё"},
	{code: 0xC7CF, linear: 26, runes: "ж"},
	{code: 0xC7E9, linear: 10, runes: "①"},
	{code: 0xC7F3, linear: 10, runes: "⑴"},
}

// cp932Patches are for cp932.
var cp932Patches = []patch{
	{code: 0xF040, linear: 63, runes: "\ue000"},
	{code: 0xF080, linear: 125, runes: "\ue03f"},
	{code: 0xF140, linear: 63, runes: "\ue0bc"},
	{code: 0xF180, linear: 125, runes: "\ue0fb"},
	{code: 0xF240, linear: 63, runes: "\ue178"},
	{code: 0xF280, linear: 125, runes: "\ue1b7"},
	{code: 0xF340, linear: 63, runes: "\ue234"},
	{code: 0xF380, linear: 125, runes: "\ue273"},
	{code: 0xF440, linear: 63, runes: "\ue2f0"},
	{code: 0xF480, linear: 125, runes: "\ue32f"},
	{code: 0xF540, linear: 63, runes: "\ue3ac"},
	{code: 0xF580, linear: 125, runes: "\ue3eb"},
	{code: 0xF640, linear: 63, runes: "\ue468"},
	{code: 0xF680, linear: 125, runes: "\ue4a7"},
	{code: 0xF740, linear: 63, runes: "\ue524"},
	{code: 0xF780, linear: 125, runes: "\ue563"},
	{code: 0xF840, linear: 63, runes: "\ue5e0"},
	{code: 0xF880, linear: 125, runes: "\ue61f"},
	{code: 0xF940, linear: 63, runes: "\ue69c"},
	{code: 0xF980, linear: 125, runes: "\ue6db"},
}

// eucjpmsPatches are for eucjpms.
var eucjpmsPatches = []patch{
	{code: 0xF5A1, linear: 94, runes: "\ue000"},
	{code: 0xF6A1, linear: 94, runes: "\ue05e"},
	{code: 0xF7A1, linear: 94, runes: "\ue0bc"},
	{code: 0xF8A1, linear: 94, runes: "\ue11a"},
	{code: 0xF9A1, linear: 94, runes: "\ue178"},
	{code: 0xFAA1, linear: 94, runes: "\ue1d6"},
	{code: 0xFBA1, linear: 94, runes: "\ue234"},
	{code: 0xFCA1, linear: 94, runes: "\ue292"},
	{code: 0xFDA1, linear: 94, runes: "\ue2f0"},
	{code: 0xFEA1, linear: 94, runes: "\ue34e"},
	{code: 0x8FA2C3, runes: "￤"},
	{code: 0x8FF3F3, linear: 10, runes: "ⅰ"},
	{code: 0x8FF3FD, runes: "ⅠⅡ"},
	{code: 0x8FF4A1, runes: "ⅢⅣⅤⅥⅦⅧⅨⅩ＇＂㈱№℡炻仼僴凬匇匤﨎咊坙﨏塚增寬峵嵓﨑德悅愠敎昻晥晴朗栁﨓﨔橫櫢淸淲瀨凞猪甁皂皞益礰礼神祥福竧靖精綠緖羽荢﨟薰蘒﨡蠇諸譿賴赶﨣﨤逸郞都鄕﨧﨨閒隆﨩霻靍靑飯飼館馞髙魲鶴黑"},
	{code: 0x8FF5A1, linear: 94, runes: "\ue3ac"},
	{code: 0x8FF6A1, linear: 94, runes: "\ue40a"},
	{code: 0x8FF7A1, linear: 94, runes: "\ue468"},
	{code: 0x8FF8A1, linear: 94, runes: "\ue4c6"},
	{code: 0x8FF9A1, linear: 94, runes: "\ue524"},
	{code: 0x8FFAA1, linear: 94, runes: "\ue582"},
	{code: 0x8FFBA1, linear: 94, runes: "\ue5e0"},
	{code: 0x8FFCA1, linear: 94, runes: "\ue63e"},
	{code: 0x8FFDA1, linear: 94, runes: "\ue69c"},
	{code: 0x8FFEA1, linear: 94, runes: "\ue6fa"},
}

// gb18030Patches are for gb18030.
var gb18030Patches = []patch{
	{code: 0xA140, linear: 63, runes: "\ue4c6"},
	{code: 0xA180, linear: 33, runes: "\ue505"},
	{code: 0xA240, linear: 63, runes: "\ue526"},
	{code: 0xA280, linear: 33, runes: "\ue565"},
	{code: 0xA2AB, runes: "\ue766\ue767\ue768\ue769\ue76a\ue76b"},
	{code: 0xA2E4, runes: "\ue76d"},
	{code: 0xA2EF, runes: "\ue76e\ue76f"},
	{code: 0xA2FD, runes: "\ue770\ue771"},
	{code: 0xA340, linear: 63, runes: "\ue586"},
	{code: 0xA380, linear: 33, runes: "\ue5c5"},
	{code: 0xA440, linear: 63, runes: "\ue5e6"},
	{code: 0xA480, linear: 33, runes: "\ue625"},
	{code: 0xA4F4, linear: 11, runes: "\ue772"},
	{code: 0xA540, linear: 63, runes: "\ue646"},
	{code: 0xA580, linear: 33, runes: "\ue685"},
	{code: 0xA5F7, runes: "\ue77d\ue77e\ue77f\ue780\ue781\ue782\ue783\ue784"},
	{code: 0xA640, linear: 63, runes: "\ue6a6"},
	{code: 0xA680, linear: 33, runes: "\ue6e5"},
	{code: 0xA6B9, runes: "\ue785\ue786\ue787\ue788\ue789\ue78a\ue78b\ue78c"},
	{code: 0xA6D9, runes: "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793"},
	{code: 0xA6EC, runes: "\ue794\ue795"},
	{code: 0xA6F3, runes: "\ue796"},
	{code: 0xA6F6, linear: 9, runes: "\ue797"},
	{code: 0xA740, linear: 63, runes: "\ue706"},
	{code: 0xA780, linear: 33, runes: "\ue745"},
	{code: 0xA7C2, linear: 15, runes: "\ue7a0"},
	{code: 0xA7F2, linear: 13, runes: "\ue7af"},
	{code: 0xA896, linear: 11, runes: "\ue7bc"},
	{code: 0xA8BC, runes: "ḿ"},
	{code: 0xA8C1, runes: "\ue7c9\ue7ca\ue7cb\ue7cc"},
	{code: 0xA8EA, linear: 21, runes: "\ue7cd"},
	{code: 0xA958, runes: "\ue7e2"},
	{code: 0xA95B, runes: "\ue7e3"},
	{code: 0xA95D, runes: "\ue7e4\ue7e5\ue7e6"},
	{code: 0xA997, linear: 13, runes: "\ue7f4"},
	{code: 0xA9F0, linear: 15, runes: "\ue801"},
	{code: 0xAAA1, linear: 94, runes: "\ue000"},
	{code: 0xABA1, linear: 94, runes: "\ue05e"},
	{code: 0xACA1, linear: 94, runes: "\ue0bc"},
	{code: 0xADA1, linear: 94, runes: "\ue11a"},
	{code: 0xAEA1, linear: 94, runes: "\ue178"},
	{code: 0xAFA1, linear: 94, runes: "\ue1d6"},
	{code: 0xD7FA, runes: "\ue810\ue811\ue812\ue813\ue814"},
	{code: 0xF8A1, linear: 94, runes: "\ue234"},
	{code: 0xF9A1, linear: 94, runes: "\ue292"},
	{code: 0xFAA1, linear: 94, runes: "\ue2f0"},
	{code: 0xFBA1, linear: 94, runes: "\ue34e"},
	{code: 0xFCA1, linear: 94, runes: "\ue3ac"},
	{code: 0xFDA1, linear: 94, runes: "\ue40a"},
	{code: 0xFE51, runes: "\ue816\ue817\ue818"},
	{code: 0xFE59, runes: "\ue81e"},
	{code: 0xFE61, runes: "\ue826"},
	{code: 0xFE66, runes: "\ue82b\ue82c"},
	{code: 0xFE6C, runes: "\ue831\ue832"},
	{code: 0xFE76, runes: "\ue83b"},
	{code: 0xFE7E, runes: "\ue843"},
	{code: 0xFE90, runes: "\ue854\ue855"},
	{code: 0xFEA0, runes: "\ue864"},
	{code: 0xFEA1, linear: 94, runes: "\ue468"},
	{code: 0x8135F437, runes: "\ue7c7"},
}

// gb2312Patches are for gb2312.
var gb2312Patches = []patch{
	{code: 0xA1A4, runes: "・"},
	{code: 0xA1AA, runes: "―"},
}

// sjisPatches are for sjis.
var sjisPatches = []patch{
	{code: 0x815F, runes: "\\〜‖"},
	{code: 0x817C, runes: "−"},
	{code: 0x8191, runes: "¢£"},
	{code: 0x81CA, runes: "¬"},
}

// ujisPatches are for ujis.
var ujisPatches = []patch{
	{code: 0xA1C0, runes: "\\〜‖"},
	{code: 0xA1DD, runes: "−"},
	{code: 0xA1F1, runes: "¢£"},
	{code: 0xA2CC, runes: "¬"},
	{code: 0xF5A1, linear: 94, runes: "\ue000"},
	{code: 0xF6A1, linear: 94, runes: "\ue05e"},
	{code: 0xF7A1, linear: 94, runes: "\ue0bc"},
	{code: 0xF8A1, linear: 94, runes: "\ue11a"},
	{code: 0xF9A1, linear: 94, runes: "\ue178"},
	{code: 0xFAA1, linear: 94, runes: "\ue1d6"},
	{code: 0xFBA1, linear: 94, runes: "\ue234"},
	{code: 0xFCA1, linear: 94, runes: "\ue292"},
	{code: 0xFDA1, linear: 94, runes: "\ue2f0"},
	{code: 0xFEA1, linear: 94, runes: "\ue34e"},
	{code: 0x8FA2B7, runes: "~"},
	{code: 0x8FF5A1, linear: 94, runes: "\ue3ac"},
	{code: 0x8FF6A1, linear: 94, runes: "\ue40a"},
	{code: 0x8FF7A1, linear: 94, runes: "\ue468"},
	{code: 0x8FF8A1, linear: 94, runes: "\ue4c6"},
	{code: 0x8FF9A1, linear: 94, runes: "\ue524"},
	{code: 0x8FFAA1, linear: 94, runes: "\ue582"},
	{code: 0x8FFBA1, linear: 94, runes: "\ue5e0"},
	{code: 0x8FFCA1, linear: 94, runes: "\ue63e"},
	{code: 0x8FFDA1, linear: 94, runes: "\ue69c"},
	{code: 0x8FFEA1, linear: 94, runes: "\ue6fa"},
}
