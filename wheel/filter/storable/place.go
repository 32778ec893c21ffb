package storable

import "reflect"

// place is where a variable is in memory. Two values at one place are one
// variable to Perl; the class is part of it, because Perl blesses the variable.
type place struct {
	typ   reflect.Type
	at    uintptr
	n     int // elements, of a slice
	class string
}

// placeOf is false for what is nowhere else, or nowhere at all.
func placeOf(v reflect.Value, class string) (place, bool) {
	p := place{typ: v.Type(), class: class}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		p.at = v.Pointer()
	case reflect.Slice:
		if v.Len() > 0 && v.Type().Elem().Size() > 0 {
			p.at, p.n = v.Pointer(), v.Len()
		}
	}
	return p, p.at != 0
}

// isReference is true for what Perl has references to: lists, maps, structs and
// objects, which are references here as well, and what a pointer points to.
func isReference(v any) bool {
	switch v := reflect.ValueOf(v); v.Kind() {
	case reflect.Array, reflect.Map, reflect.Struct:
		return true
	case reflect.Slice:
		return !isBytes(v.Type())
	case reflect.Pointer:
		return !v.IsNil()
	}
	return false
}
