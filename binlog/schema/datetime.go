package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// civil is a date and time of a DEFAULT literal.
type civil struct {
	negative                                       bool
	year, month, day, hour, minute, second, micros int
}

func (d civil) date() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

// clock returns the time of day with that many digits of the second.
func (d civil) clock(fraction int) string {
	s := fmt.Sprintf("%02d:%02d:%02d", d.hour, d.minute, d.second)
	if d.negative {
		s = "-" + s
	}
	if fraction > 0 {
		s += fmt.Sprintf(".%06d", d.micros)[:1+min(fraction, 6)]
	}
	return s
}

// rounded returns d with that many digits of the second: MySQL from 5.6 on rounds,
// MariaDB cuts off, unless sql_mode says otherwise.
func (u *run) rounded(d civil, fraction int) civil {
	unit := 1_000_000
	for range max(fraction, 0) {
		unit /= 10
	}
	rounds := u.server.mysqlFrom(50600) && u.ctx.SQLMode&modeTruncateFraction == 0 || u.server.mariaDB() && u.ctx.SQLMode&modeRoundFraction != 0
	if !rounds || unit <= 1 || d.micros%unit < unit/2 {
		return d
	}
	if d.micros = d.micros/unit*unit + unit; d.micros < 1_000_000 {
		return d
	}
	d.micros = 0
	if d.month > 0 && d.day > 0 {
		t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second+1, 0, time.UTC)
		return civil{year: t.Year(), month: int(t.Month()), day: t.Day(), hour: t.Hour(), minute: t.Minute(), second: t.Second()}
	}
	n := d.hour*3600 + d.minute*60 + d.second + 1
	d.hour, d.minute, d.second = n/3600, n/60%60, n%60
	return d
}

// withoutZeroes returns what MySQL makes of a date with a zero month or day in sql_mode
// NO_ZERO_IN_DATE, where that is not strict.
func (u *run) withoutZeroes(d civil) civil {
	if d.month > 0 && d.day > 0 || u.ctx.SQLMode&modeNoZeroInDate == 0 || u.server.mariaDB() {
		return d
	}
	return civil{}
}

// groups returns the runs of digits in a text, and the microseconds that stand
// behind a point that follows a clock.
func groups(text string) (numbers []string, micros int) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if i := strings.LastIndexByte(text, '.'); i >= 0 && len(fields) > 1 && isDigits(text[i+1:]) {
		if rest := strings.FieldsFunc(text[:i], func(r rune) bool { return r < '0' || r > '9' }); len(rest) >= 6 || len(rest) == 1 || strings.Contains(text[:i], ":") {
			micros, _ = strconv.Atoi((text[i+1:] + "000000")[:6])
			return rest, micros
		}
	}
	return fields, 0
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// parseDateTime reads 2020-01-31 12:30:00.5, 20200131123000 and their kin.
func parseDateTime(text string) civil {
	numbers, micros := groups(text)
	if len(numbers) == 1 {
		n := numbers[0]
		switch len(n) {
		case 5, 7, 11, 13:
			n = "0" + n
		}
		year := 4
		if len(n) == 6 || len(n) == 12 {
			year = 2
		}
		numbers = nil
		for width := year; n != ""; width = 2 {
			width = min(width, len(n))
			numbers, n = append(numbers, n[:width]), n[width:]
		}
	}
	d := civil{micros: micros}
	for i, p := range []*int{&d.year, &d.month, &d.day, &d.hour, &d.minute, &d.second} {
		if i < len(numbers) {
			*p, _ = strconv.Atoi(numbers[i])
		}
	}
	if len(numbers) > 0 && len(numbers[0]) == 2 && (d.year|d.month|d.day) != 0 {
		if d.year += 2000; d.year >= 2070 {
			d.year -= 100
		}
	}
	return d
}

// offsetTime is a date and time with an offset from UTC behind it, which MySQL reads
// from 8.0.19 on, and others pass over.
var offsetTime = regexp.MustCompile(`^(\d+\D\d+\D\d+[ T]+\d+:\d+:\d+(?:\.\d*)?)([+-])(\d\d):(\d\d)$`)

// inZone returns a date and time that has an offset from UTC as it is in the session's
// time zone, as the server keeps it; false if that zone is not known here, as the machine's own
// (SYSTEM) is not.
func (u *run) inZone(text string) (string, bool) {
	m := offsetTime.FindStringSubmatch(text)
	switch {
	case m == nil:
		return text, true
	case !u.server.mysqlFrom(80019):
		return m[1], true
	}
	zone, ok := zoneOf(u.ctx.TimeZone)
	from, known := zoneOf(m[2] + m[3] + ":" + m[4])
	if !ok || !known {
		return text, false
	}
	d := parseDateTime(m[1])
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, d.micros*1000, from)
	return t.In(zone).Format("2006-01-02 15:04:05.000000"), true
}

// zoneOf returns the time zone that a session calls name.
func zoneOf(name string) (*time.Location, bool) {
	if len(name) > 3 && (name[0] == '+' || name[0] == '-') {
		hours, minutes, _ := strings.Cut(name[1:], ":")
		h, err := strconv.Atoi(hours)
		m, failed := strconv.Atoi(minutes)
		offset := h*3600 + m*60
		if name[0] == '-' {
			offset = -offset
		}
		return time.FixedZone(name, offset), err == nil && failed == nil
	}
	if name == "" || strings.EqualFold(name, "SYSTEM") || strings.EqualFold(name, "Local") {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// withDate tells a text that has a date before the time.
var withDate = regexp.MustCompile(`^(?:\d+[-/.:]\d+[-/.:]\d+[ T]+\d|\d{12,14}(?:\.|$))`)

// parseTime reads 12:30, 1 12:30:00, 123000 and their kin.
func parseTime(text string) civil {
	text = strings.TrimSpace(text)
	if withDate.MatchString(text) {
		d := parseDateTime(text)
		return civil{hour: d.hour, minute: d.minute, second: d.second, micros: d.micros}
	}
	d := civil{negative: strings.HasPrefix(text, "-")}
	numbers, micros := groups(text)
	d.micros = micros
	days := 0
	if before, _, ok := strings.Cut(strings.TrimPrefix(text, "-"), " "); ok && len(numbers) > 1 && isDigits(before) {
		days, _ = strconv.Atoi(before)
		numbers = numbers[1:]
	} else if len(numbers) == 1 {
		n, _ := strconv.Atoi(numbers[0])
		d.hour, d.minute, d.second = n/10000, n/100%100, n%100
		return d
	}
	for i, p := range []*int{&d.hour, &d.minute, &d.second} {
		if i < len(numbers) {
			*p, _ = strconv.Atoi(numbers[i])
		}
	}
	d.hour += days * 24
	return d
}
