package storable

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// Text returns what a scalar is as text to Perl: a []byte as Latin-1, a number
// in decimal, true as "1" and false as "". It is false for nil and references.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return latin1(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return number(v, 64), true
	case bool:
		return truth(v), true
	}
	return "", false
}

// Bytes returns what a scalar is as bytes to Perl: the characters of Text, one
// byte each. It is false for nil, references and text with characters above
// U+00FF. A []byte is returned as it is, not copied.
func Bytes(v any) ([]byte, bool) {
	if b, ok := v.([]byte); ok {
		return b, true
	}
	s, ok := Text(v)
	if !ok {
		return nil, false
	}
	b := make([]byte, 0, len(s))
	for i, r := range s {
		if r > math.MaxUint8 {
			if _, n := utf8.DecodeRuneInString(s[i:]); n > 1 {
				return nil, false
			}
			r = rune(s[i]) // not UTF-8 at all: the bytes are what there is
		}
		b = append(b, byte(r))
	}
	return b, true
}

// Int64 returns a scalar as an integer. Perl freezes integers of more than 32
// bits as text, and some others. It is false for what is no integer from
// beginning to end, or too great.
func Int64(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		n := int64(v)
		return n, float64(n) == v && math.Abs(v) < 1<<63
	}
	s, ok := Text(v)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Float64 returns a scalar as a number. Perl freezes numbers that are no
// integers as text. It is false for what is no number from beginning to end.
func Float64(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	s, ok := Text(v)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// Truth returns whether Perl takes a value for true: everything but nil, false,
// 0, "" and "0".
func Truth(v any) bool {
	if v == nil {
		return false
	}
	s, ok := Text(v)
	return !ok || s != "" && s != "0"
}

// latin1 returns the characters whose numbers are the bytes of p.
func latin1(p []byte) string {
	high := 0
	for _, b := range p {
		high += int(b >> 7)
	}
	if high == 0 {
		return string(p)
	}
	s := make([]byte, 0, len(p)+high)
	for _, b := range p {
		s = utf8.AppendRune(s, rune(b))
	}
	return string(s)
}

// truth returns what Perl's own true and false are as text. They are written
// as that: the constants themselves would be read-only where they arrive.
func truth(b bool) string {
	if b {
		return "1"
	}
	return ""
}

// number returns f as Perl writes it, with as many digits as it takes.
func number(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}
