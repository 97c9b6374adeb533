package charset

import (
	"strconv"
	"unicode/utf8"
)

// filename makes cs the character set of the names of files, in which letters and digits
// of ASCII stand for themselves, and every other character is an at sign and a code: two
// characters for most of the letters that have an upper and a lower case, four hexadecimal digits
// for the rest. MariaDB, and MySQL before 5.7, let columns have it.
func (cs *Charset) filename() {
	cs.MaxLen, cs.ASCII = MaxLen(cs.Name), false
	letters, codes := map[string]rune{"zy": 0x1ff4, "@@": 0}, map[rune]string{} // these two are read, not written
	for rest := filenameLetters; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest[2:])
		letters[rest[:2]], codes[r] = r, rest[:2]
		rest = rest[2+n:]
	}
	cs.convert = func(dst, b []byte) []byte {
		for len(b) > 0 {
			r, n := filenameRune(letters, b)
			dst = utf8.AppendRune(dst, r)
			b = b[n:]
		}
		return dst
	}
	cs.size = func(b []byte) int {
		size := 0
		for len(b) > 0 {
			r, n := filenameRune(letters, b)
			size += len(string(r)) // which is three for half a pair too
			b = b[n:]
		}
		return size
	}
	cs.encode = func(dst []byte, r rune) []byte {
		if plainInFilename(r) {
			return append(dst, byte(r))
		}
		dst = append(dst, '@')
		if code, ok := codes[r]; ok {
			return append(dst, code...)
		}
		hex := strconv.FormatUint(0x10000|uint64(r)&0xffff, 16) // of a character outside the BMP, the lower half
		return append(dst, hex[1:]...)
	}
}

// filenameRune returns the character at the front of b, and how many bytes it takes.
func filenameRune(letters map[string]rune, b []byte) (rune, int) {
	if plainInFilename(rune(b[0])) {
		return rune(b[0]), 1
	}
	if b[0] != '@' || len(b) < 3 {
		return utf8.RuneError, 1
	}
	if r, ok := letters[string(b[1:3])]; ok {
		return r, 3
	}
	if len(b) < 5 {
		return utf8.RuneError, 1
	}
	r := rune(0)
	for _, c := range b[1:5] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			return utf8.RuneError, 1
		}
	}
	return r, 5
}

func plainInFilename(r rune) bool {
	return r == 0 || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

// filenameLetters are the codes of two characters, each with its letter behind it.
const filenameLetters = "" +
	"0GÀ0HÁ0IÂ0JÃ0KÄ0LÅ0MÆ0NÇ0OÈ0PÉ0QÊ0RË0SÌ0TÍ0UÎ0VÏ0WÐ0XÑ0YÒ0ZÓ0gà0há0iâ0jã0kä0lå0mæ0nç0oè0pé0qê0rë0sì0tí0uî0vï" +
	"0wð0xñ0yò0zó1GÔ1HÕ1IÖ1KØ1LÙ1MÚ1NÛ1OÜ1PÝ1QÞ1RŸ1SĀ1TĂ1UĄ1VĆ1WĈ1XĊ1YČ1ZĎ1gô1hõ1iö1jß1kø1lù1mú1nû1oü1pý1qþ1rÿ1sā" +
	"1tă1uą1vć1wĉ1xċ1yč1zď2GĐ2HĒ2IĔ2JĖ2KĘ2LĚ2MĜ2NĞ2OĠ2PĢ2QĤ2RĦ2SĨ2TĪ2UĬ2VĮ2XĲ2YĴ2ZĶ2gđ2hē2iĕ2jė2kę2lě2mĝ2nğ2oġ2pģ" +
	"2qĥ2rħ2sĩ2tī2uĭ2vį2wı2xĳ2yĵ2zķ3HĹ3IĻ3JĽ3KĿ3LŁ3MŃ3NŅ3OŇ3QŊ3RŌ3SŎ3TŐ3UŒ3VŔ3WŖ3XŘ3YŚ3ZŜ3gĸ3hĺ3iļ3jľ3kŀ3lł3mń3nņ" +
	"3oň3pŉ3qŋ3rō3sŏ3tő3uœ3vŕ3wŗ3xř3yś3zŝ4GŞ4HŠ4IŢ4JŤ4KŦ4LŨ4MŪ4NŬ4OŮ4PŰ4QŲ4RŴ4SŶ4TŹ4UŻ4VŽ4gş4hš4iţ4jť4kŧ4lũ4mū4nŭ" +
	"4oů4pű4qų4rŵ4sŷ4tź4uż4vž4wſ5yΐ6GΆ6HΈ6IΉ6JΊ6LΑ6NΓ6OΔ6PΕ6QΖ6RΗ6TΙ6VΛ6WΜ6XΝ6YΞ6ZΟ6gά6hέ6iή6jί6kΰ6lα6mβ6nγ6oδ6pε" +
	"6qζ6rη6sθ6tι6uκ6vλ6wμ6xν6yξ6zο7HΡ7KΤ7LΥ7NΧ7OΨ7PΩ7QΪ7RΫ7SΌ7TΎ7UΏ7WΒ7XΘ7Yϒ7Zϓ7gπ7hρ7iς7jσ7kτ7lυ7mφ7nχ7oψ7pω7qϊ" +
	"7rϋ7sό7tύ7uώ7wϐ7xϑ8Gϔ8HΦ8IΠ8LϚ8MϜ8NϞ8OϠ8PϢ8QϤ8RϦ8SϨ8TϪ8UϬ8VϮ8WΚ8YΣ8hϕ8iϖ8jϗ8kϙ8lϛ8mϝ8nϟ8oϡ8pϣ8qϥ8rϧ8sϩ8tϫ8uϭ" +
	"8vϯ8wϰ8xϱ8yϲ8zϳ9LϽ9MϾ9NϿ9gϵ9h϶9iϸ9jϻ9kϼ@AⒶ@BⒷ@CⒸ@DⒹ@EⒺ@FⒻ@GⒼ@HⒽ@IⒾ@JⒿ@KⓀ@LⓁ@MⓂ@NⓃ@OⓄ@PⓅ@QⓆ@RⓇ@SⓈ@TⓉ@UⓊ@VⓋ@WⓌ" +
	"@XⓍ@YⓎ@ZⓏ@aⓐ@bⓑ@cⓒ@dⓓ@eⓔ@fⓕ@gⓖ@hⓗ@iⓘ@jⓙ@kⓚ@lⓛ@mⓜ@nⓝ@oⓞ@pⓟ@qⓠ@rⓡ@sⓢ@tⓣ@uⓤ@vⓥ@wⓦ@xⓧ@yⓨ@zⓩA@ＡB@ＢC@ＣD@ＤE@ＥF@ＦG0А" +
	"G1ФG2ЈG3ѸG4ҦG5ӍG6ӴG8ՄG9ⅠG@ＧGbƳGcǞGdȈGeȰGlḀGmḨGnṐGoṸGpṠGqẾGrỦGsἈGtἪGvὬGwᾈGxᾬH0БH1ХH2ЉH3ѺH4ҨH6ӶH7ԱH8ՅH9ⅡH@ＨHaƂ" +
	"HbƵHcǠHdȊHeȲHhƝHlḂHmḪHnṒHoṺHqỀHrỨHsἉHtἫHvὭHwᾉHxᾭI0ВI1ЦI2ЊI3ѼI4ҪI5ӐI6ӸI7ԲI8ՆI9ⅢI@ＩIaƄIbƸIcǢIdȌIlḄImḬInṔIoṼIqỂ" +
	"IrỪIsἊItἬIvὮIwᾊIxᾮJ0ГJ1ЧJ2ЋJ3ѾJ4ҬJ5ӒJ7ԳJ8ՇJ9ⅣJ@ＪJaƇJcǤJdȎJgƓJiƮJlḆJmḮJnṖJoṾJqỄJrỬJsἋJtἭJvὯJwᾋJxᾯK0ДK1ШK2ЌK3Ҁ" +
	"K4ҮK5ӔK7ԴK8ՈK9ⅤK@ＫKaƋKcǦKdȐKhƟKlḈKmḰKnṘKoẀKqỆKrỮKsἌKtἮKvᾺKwᾌKxᾸL0ЕL1ЩL2ЍL4ҰL5ӖL7ԵL8ՉL9ⅥL@ＬLcǨLdȒLiƱLlḊLmḲLnṚ" +
	"LoẂLpẠLqỈLrỰLsἍLtἯLuὙLvΆLwᾍLxᾹM0ЖM1ЪM2ЎM3ҊM4ҲM5ӘM7ԶM8ՊM9ⅦM@ＭMaƑMcǪMdȔMgƔMiƲMlḌMmḴMnṜMoẄMpẢMqỊMrỲMsἎMtἸMvῈMwᾎ" +
	"N0ЗN1ЫN2ЏN3ҌN4ҴN5ӚN7ԷN8ՋN9ⅧN@ＮNaǶNbƼNcǬNdȖNlḎNmḶNnṞNoẆNpẤNqỌNrỴNsἏNtἹNuὛNvΈNwᾏNxᾼNyῨO0ИO1ЬO2ѠO3ҎO4ҶO5ӜO7ԸO8Ռ" +
	"O9ⅨO@ＯOaƘObǄOcǮOdȘOeȺOlḐOmḸOoẈOpẦOqỎOrỶOsἘOtἺOvῊOwᾘOyῩP0ЙP1ЭP2ѢP3ҐP4ҸP5ӞP6ԀP7ԹP8ՍP9ⅩP@ＰPaȽPbǇPdȚPeȻPlḒPmḺPnṢ" +
	"PoẊPpẨPqỐPrỸPsἙPtἻPuὝPvΉPwᾙQ0КQ1ЮQ2ѤQ3ҒQ4ҺQ5ӠQ6ԂQ7ԺQ8ՎQ9ⅪQ@ＱQbǊQcǱQdȜQeȾQfƁQlḔQmḼQnṤQoẌQpẪQqỒQsἚQtἼQvῚQwᾚR0Л" +
	"R1ЯR2ѦR3ҔR4ҼR5ӢR6ԄR7ԻR8ՏR9ⅫR@ＲRaȠRbǍRcǴRdȞRfƆRgƗRlḖRmḾRnṦRoẎRpẬRqỔRsἛRtἽRuὟRvΊRwᾛS0МS1ЀS2ѨS3ҖS4ҾS5ӤS6ԆS7ԼS8Ր" +
	"S9ⅬS@ＳSaƠSbǏScǸSgƖSlḘSmṀSnṨSoẐSpẮSqỖSsἜStἾSvῸSwᾜSyῬT0НT1ЁT2ѪT3ҘT4ӀT5ӦT6ԈT7ԽT8ՑT9ⅭT@ＴTaƢTbǑTcǺTdȢTfƉTiƷTlḚTmṂ" +
	"TnṪToẒTpẰTqỘTsἝTtἿTvΌTwᾝTxῌU0ОU1ЂU2ѬU3ҚU4ӁU5ӨU6ԊU7ԾU8ՒU9ⅮU@ＵUaƤUbǓUcǼUdȤUfƊUlḜUmṄUnṬUoẔUpẲUqỚUtὈUvῪUwᾞV0ПV1Ѓ" +
	"V2ѮV3ҜV4ӃV5ӪV6ԌV7ԿV8ՓV9ⅯV@ＶVaƧVbǕVcǾVdȦVhƦViɁVlḞVmṆVnṮVpẴVqỜVtὉVvΎVwᾟW0РW1ЄW2ѰW3ҞW4ӅW5ӬW6ԎW7ՀW8ՔW@ＷWbǗWcȀWdȨ" +
	"WfƏWlḠWmṈWnṰWpẶWqỞWtὊWuὨWvῺWwᾨX0СX1ЅX2ѲX3ҠX4ӇX5ӮX7ՁX8ՕX@ＸXbǙXcȂXdȪXlḢXmṊXnṲXpẸXqỠXtὋXuὩXvΏXwᾩY0ТY1ІY2ѴY3ҢY4Ӊ" +
	"Y5ӰY7ՂY@ＹYaƬYbǛYcȄYdȬYfƐYgƜYhƩYlḤYmṌYnṴYpẺYqỢYsἨYtὌYuὪYwᾪYxῘYyῼZ0УZ1ЇZ2ѶZ3ҤZ4ӋZ5ӲZ7ՃZ@ＺZaƯZbƎZcȆZdȮZlḦZmṎZnṶ" +
	"ZpẼZqỤZsἩZtὍZuὫZwᾫZxῙa@ａb@ｂc@ｃd@ｄe@ｅf@ｆg0аg1фg2јg3ѹg4ҧg5ӎg6ӵg8մg9ⅰg@ｇgaƀgbƴgcǟgdȉgeȱggɝghɱgiʅgjʙgkʭglḁgmḩgnṑ" +
	"goṹgpẛgqếgrủgsἀgtἢgvὤgwᾀgxᾤgyῒh0бh1хh2љh3ѻh4ҩh6ӷh7աh8յh9ⅱh@ｈhaƃhbƶhcǡhdȋheȳhgɞhhɲhiʆhjʚhkʮhlḃhmḫhnṓhoṻhqềhrứ" +
	"hsἁhtἣhvὥhwᾁhxᾥhyΐhzῶi0вi1цi2њi3ѽi4ҫi5ӑi6ӹi7բi8նi9ⅲi@ｉiaƅibƹicǣidȍieȴigɟihɳiiʇijʛikʯilḅimḭinṕioṽiqểirừisἂitἤ" +
	"ivὦiwᾂixᾦizῷj0гj1чj2ћj3ѿj4ҭj5ӓj7գj8շj9ⅳj@ｊjaƈjbƺjcǥjdȏjeȵjgɠjhɴjiʈjjʜjlḇjmḯjnṗjoṿjqễjrửjsἃjtἥjvὧjwᾃjxᾧk0дk1ш" +
	"k2ќk3ҁk4үk5ӕk7դk8ոk9ⅴk@ｋkaƌkbƻkcǧkdȑkeȶkgɡkhɵkiʉkjʝklḉkmḱknṙkoẁkqệkrữksἄktἦkuὐkvὰkwᾄkxᾰkyῖl0еl1щl2ѝl4ұl5ӗl7ե" +
	"l8չl9ⅵl@ｌlaƍlcǩldȓleȷlgɢlhɶliʊljʞllḋlmḳlnṛloẃlpạlqỉlrựlsἅltἧluὑlvάlwᾅlxᾱlyῗm0жm1ъm2ўm3ҋm4ҳm5әm7զm8պm9ⅶm@ｍmaƒ" +
	"mbƾmcǫmdȕmeȸmgɣmhɷmiʋmjʟmlḍmmḵmnṝmoẅmpảmqịmrỳmsἆmtἰmuὒmvὲmwᾆmxᾲn0зn1ыn2џn3ҍn4ҵn5ӛn7էn8ջn9ⅷn@ｎnaƕnbƽncǭndȗneȹ" +
	"nfɐngɤnhɸniʌnjʠnlḏnmḷnnṟnoẇnpấnqọnrỵnsἇntἱnuὓnvέnwᾇnxᾳnyῠo0иo1ьo2ѡo3ҏo4ҷo5ӝo7ըo8ռo9ⅸo@ｏoaƙobǆocǯodșofɑogɥohɹ" +
	"oiʍojʡolḑomḹonṡooẉopầoqỏorỷosἐotἲouὔovὴowᾐoxᾴoyῡp0йp1эp2ѣp3ґp4ҹp5ӟp6ԁp7թp8սp9ⅹp@ｐpaƚpbǉpcǰpdțpeȼpfɒpgɦphɺpiʎ" +
	"pjʢplḓpmḻpnṣpoẋppẩpqốprỹpsἑptἳpuὕpvήpwᾑpyῢq0кq1юq2ѥq3ғq4һq5ӡq6ԃq7ժq8վq9ⅺq@ｑqaƛqbǌqcǳqdȝqfɓqgɧqhɻqiʏqjʣqlḕqmḽ" +
	"qnṥqoẍqpẫqqồqsἒqtἴquὖqvὶqwᾒqxᾶqyΰr0лr1яr2ѧr3ҕr4ҽr5ӣr6ԅr7իr8տr9ⅻr@ｒraƞrbǎrcǵrdȟreȿrfɔrgɨrhɼriʐrjʤrlḗrmḿrnṧroẏ" +
	"rpậrqổrsἓrtἵruὗrvίrwᾓrxᾷryῤs0мs1ѐs2ѩs3җs4ҿs5ӥs6ԇs7լs8րs9ⅼs@ｓsaơsbǐscǹsdȡseɀsfɕsgɩshɽsiʑsjʥslḙsmṁsnṩsoẑspắsqỗ" +
	"ssἔstἶsvὸswᾔsxῂsyῥt0нt1ёt2ѫt3ҙt5ӧt6ԉt7խt8ցt9ⅽt@ｔtaƣtbǒtcǻtdȣtfɖtgɪthɾtiʒtjʦtlḛtmṃtnṫtoẓtpằtqộtsἕttἷtvόtwᾕtxῃ" +
	"tyῦu0оu1ђu2ѭu3қu4ӂu5өu6ԋu7ծu8ւu9ⅾu@ｕuaƥubǔucǽudȥufɗugɫuhɿuiʓujʧulḝumṅunṭuoẕupẳuqớutὀuvὺuwᾖuxῄuyῧv0пv1ѓv2ѯv3ҝ" +
	"v4ӄv5ӫv6ԍv7կv8փv9ⅿv@ｖvaƨvbǖvcǿvdȧvfɘvgɬvhʀviʔvjʨvlḟvmṇvnṯvoẖvpẵvqờvtὁvvύvwᾗw0рw1єw2ѱw3ҟw4ӆw5ӭw6ԏw7հw8քw@ｗwaƪ" +
	"wbǘwcȁwdȩwfəwgɭwhʁwiʕwjʩwlḡwmṉwnṱwoẗwpặwqởwtὂwuὠwvὼwwᾠwxῆx0сx1ѕx2ѳx3ҡx4ӈx5ӯx7ձx8օx@ｘxaƫxbǚxcȃxdȫxfɚxgɮxhʂxiʖ" +
	"xjʪxlḣxmṋxnṳxoẘxpẹxqỡxtὃxuὡxvώxwᾡxxῇxyῲy0тy1іy2ѵy3ңy4ӊy5ӱy7ղy@ｙyaƭybǜycȅydȭyfɛygɯyhʃyiʗyjʫylḥymṍynṵyoẙypẻyqợ" +
	"ysἠytὄyuὢywᾢyxῐyyῳz0уz1їz2ѷz3ҥz4ӌz5ӳz7ճz@ｚzaưzbǝzcȇzdȯzfɜzgɰzhʄziʘzjʬzlḧzmṏznṷzoẚzpẽzqụzsἡztὅzuὣzwᾣzxῑ"
