package storable

import (
	"errors"
	"fmt"
	"slices"
)

// variables are those met so far, by their tag, which counts from 0. Each has
// a size: the bytes it takes in the input, and those that were not written
// again because it refers to variables met before.
type variables struct {
	all   []variable
	extra int // bytes not written again, so far
}

type variable struct {
	ref  any // what a reference to it is
	size int // while it is being read: where it began, as ^(position + extra)
}

func (v *variables) grow(n int) { v.all = slices.Grow(v.all, n) }

func (v *variables) open(ref any, at int) int {
	v.all = append(v.all, variable{ref, ^(at + v.extra)})
	return len(v.all) - 1
}

func (v *variables) close(i, pos int) {
	began := ^v.all[i].size
	v.all[i].size = pos + v.extra - began
}

// again returns what a reference to a variable met before is.
func (d *decoder) again(h head) (any, error) {
	tag, err := d.bigEndian()
	if err != nil {
		return nil, err
	}
	if h.class != "" || int64(tag) >= int64(len(d.vars.all)) {
		return nil, d.malformed(fmt.Errorf("variable %d of %d", tag, len(d.vars.all)))
	}
	v := d.vars.all[tag]
	if v.size < 0 { // inside itself
		if !d.c.Cycles {
			return nil, fmt.Errorf("storable: a value at byte %d %w; leave the reference out, or set Config.Cycles", h.at, ErrCycle)
		}
		return v.ref, nil
	}
	if v.size > d.c.MaxExpanded-len(d.in)-d.vars.extra {
		return nil, tooLong(d.c.MaxExpanded)
	}
	d.vars.extra += v.size
	return v.ref, nil
}

func tooLong(limit int) error {
	return fmt.Errorf("storable: value %w: with what it refers to repeatedly it exceeds Config.MaxExpanded, %d bytes; share less, or raise it", ErrTooLong, limit)
}

var errNotScalar = errors.New("an array or hash where only a scalar can be")

// same puts what a scalar met before holds into the slot of another.
func (d *decoder) same(h head, slot *any) error {
	ref, err := d.again(h)
	if err != nil {
		return err
	}
	if b, ok := ref.(Blessed); ok {
		ref = b.Value
	}
	p, ok := ref.(*any)
	if !ok {
		return d.malformed(errNotScalar)
	}
	*slot = *p
	return nil
}
