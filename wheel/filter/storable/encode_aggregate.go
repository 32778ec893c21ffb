package storable

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// body writes what v, which is a reference to Perl, refers to.
func (e *encoder) body(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		return e.array(v)
	case reflect.Map:
		return e.mapping(v)
	case reflect.Struct:
		return e.structure(v)
	}
	if v.Elem().Kind() == reflect.Struct {
		return e.structure(v.Elem())
	}
	return e.scalar(v.Elem().Interface())
}

func (e *encoder) array(v reflect.Value) error {
	n := v.Len()
	if n > maxLength {
		return notEncodable(v.Interface(), errTooLong)
	}
	e.variable(markArray)
	e.uint32(uint32(n))
	for i := range n {
		if err := e.scalar(v.Index(i).Interface()); err != nil {
			return inside(err, func() string { return "[" + strconv.Itoa(i) + "]" })
		}
	}
	return nil
}

// entry is a key of a hash and its value.
type entry struct {
	key   string
	value reflect.Value
}

func (e *encoder) mapping(v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return notEncodable(v.Interface(), errors.New("keys of a hash are strings; convert them"))
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		entries = append(entries, entry{it.Key().String(), it.Value()})
	}
	return e.hash(entries)
}

// hash writes the entries in the order of their keys, so that the same value
// gives the same bytes.
func (e *encoder) hash(entries []entry) error {
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	flags := slices.ContainsFunc(entries, func(en entry) bool { return !isASCII(en.key) })
	if flags {
		e.variable(markFlagHash)
		e.dst = append(e.dst, 0) // not restricted
	} else {
		e.variable(markHash)
	}
	e.uint32(uint32(len(entries)))
	for _, en := range entries {
		err := e.scalar(en.value.Interface())
		if err == nil {
			err = e.key(en.key, flags)
		}
		if err != nil {
			return inside(err, func() string { return "[" + strconv.Quote(en.key) + "]" })
		}
	}
	return nil
}

func (e *encoder) key(key string, flags bool) error {
	switch {
	case len(key) > maxLength:
		return notEncodable(key, errTooLong)
	case !utf8.ValidString(key):
		return notEncodable(key, errors.New("a key of a hash is text, and this is not UTF-8; give it another"))
	case flags && isASCII(key):
		e.dst = append(e.dst, 0)
	case flags:
		e.dst = append(e.dst, keyUTF8)
	}
	e.uint32(uint32(len(key)))
	e.dst = append(e.dst, key...)
	return nil
}
