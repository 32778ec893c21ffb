package storable

import (
	"errors"
	"fmt"
	"reflect"
)

// reference writes a scalar that refers to what v stands for.
func (e *encoder) reference(v any) error {
	e.variable(markRef)
	return e.referent(v)
}

// referent writes the variable itself, or its tag if that was written before.
func (e *encoder) referent(v any) error {
	if e.depth == 0 {
		return notEncodable(v, fmt.Errorf("%w; flatten it, or raise Config.MaxDepth", ErrTooDeep))
	}
	e.depth--
	defer func() { e.depth++ }()
	if p, ok := v.(*Blessed); ok {
		v = *p
	}
	class := ""
	if b, ok := v.(Blessed); ok {
		if class, v = b.Class, b.Value; class == "" || len(class) > maxLength {
			return notEncodable(b, errors.New("Blessed.Class is empty or too long; name a class"))
		}
		if _, again := v.(Blessed); again || !isReference(v) {
			return notEncodable(b, errors.New("Blessed.Value is no reference; give it a slice, a map or a pointer"))
		}
	}
	rv := reflect.ValueOf(v)
	if p, ok := placeOf(rv, class); ok {
		if tag, ok := e.places[p]; ok {
			e.mark(markObject)
			e.uint32(tag)
			return nil
		}
		if e.places == nil {
			e.places = make(map[place]uint32)
		}
		e.places[p] = e.tags
	}
	e.bless(class)
	return e.body(rv)
}

func (e *encoder) bless(class string) {
	if class == "" {
		return
	}
	if i, ok := e.classes[class]; ok {
		e.mark(markIxBless)
		e.classNumber(i)
		return
	}
	if e.classes == nil {
		e.classes = make(map[string]int)
	}
	e.classes[class] = len(e.classes)
	e.mark(markBless)
	e.classNumber(len(class))
	e.dst = append(e.dst, class...)
}

func (e *encoder) classNumber(n int) {
	if n < longLength {
		e.dst = append(e.dst, byte(n))
		return
	}
	e.dst = append(e.dst, longLength)
	e.uint32(uint32(n))
}
