package storable

import (
	"errors"
	"reflect"
	"strings"
	"time"
)

var timeType = reflect.TypeFor[time.Time]()

// structure writes the exported fields of a struct, promoted ones included. A
// json tag names a field, or leaves it out with "-"; its options are ignored.
func (e *encoder) structure(v reflect.Value) error {
	t := v.Type()
	if t == timeType {
		return notEncodable(v.Interface(), errors.New("it has no form in Perl; send its Unix(), or its Format(time.RFC3339)"))
	}
	var entries []entry
	for _, f := range reflect.VisibleFields(t) {
		name := fieldName(f)
		if name == "" {
			continue
		}
		if field, err := v.FieldByIndexErr(f.Index); err == nil {
			entries = append(entries, entry{name, field})
		}
	}
	if len(entries) == 0 && t.NumField() > 0 {
		return notEncodable(v.Interface(), errors.New("it has no exported fields; convert it to a map"))
	}
	return e.hash(entries)
}

// fieldName returns the key of a field, or "" if it has none.
func fieldName(f reflect.StructField) string {
	embedded := f.Type
	if embedded.Kind() == reflect.Pointer {
		embedded = embedded.Elem()
	}
	if f.Anonymous && embedded.Kind() == reflect.Struct && embedded != timeType {
		return "" // its fields are promoted
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case !f.IsExported() || name == "-":
		return ""
	case name != "":
		return name
	}
	return f.Name
}
