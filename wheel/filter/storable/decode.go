package storable

import "fmt"

// decoder reads one frozen value.
//
// Perl freezes variables: scalars, arrays, hashes. A Go value stands for what a
// scalar holds, and so for a reference to any variable. Hence the two ways of
// reading one: scalar puts what it holds into a slot, referent returns what a
// reference to it is.
type decoder struct {
	reader
	c       Config
	depth   int      // references entered
	claimed int      // bytes that announced elements will take at least
	classes []string // in the order met
	vars    variables
}

// root reads the variable to which Perl froze a reference. A scalar that holds
// no reference itself comes out as what it holds, not as a pointer to it.
func (d *decoder) root() (any, error) {
	h, err := d.head()
	if err != nil {
		return nil, err
	}
	v, err := d.variable(h)
	if p, ok := v.(*any); ok && !h.mark.isReference() {
		v = *p
	}
	if err == nil && d.pos < len(d.in) {
		err = d.malformed(fmt.Errorf("%d bytes behind the value; freeze one value at a time", len(d.in)-d.pos))
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// head is the beginning of a variable.
type head struct {
	mark  mark
	class string // of a blessed one
	at    int    // where it begins
}

func (m mark) isAggregate() bool { return m == markArray || m == markHash || m == markFlagHash }

func (m mark) isReference() bool {
	return m == markRef || m == markOverload || m == markWeakRef || m == markWeakOverload
}

func (d *decoder) head() (h head, err error) {
	h.at = d.pos
	if h.mark, err = d.mark(); err != nil {
		return h, err
	}
	if h.mark != markBless && h.mark != markIxBless {
		return h, nil
	}
	if h.class, err = d.class(h.mark == markIxBless); err != nil {
		return h, err
	}
	h.mark, err = d.mark()
	return h, err
}

// class reads a class name, or its index if it was met before.
func (d *decoder) class(met bool) (string, error) {
	b, err := d.byte()
	if err != nil {
		return "", err
	}
	n := uint32(b)
	if b&longLength != 0 {
		if n, err = d.uint32(); err != nil {
			return "", err
		}
	}
	if met {
		if int64(n) >= int64(len(d.classes)) {
			return "", d.malformed(fmt.Errorf("class %d of %d", n, len(d.classes)))
		}
		return d.classes[n], nil
	}
	if n == 0 || n > maxLength {
		return "", d.malformed(fmt.Errorf("a class name of %d bytes", n))
	}
	p, err := d.take(int(n))
	if err != nil {
		return "", err
	}
	name := string(p)
	d.classes = append(d.classes, name)
	return name, nil
}

// referent reads a variable and returns what a reference to it is.
func (d *decoder) referent() (any, error) {
	h, err := d.head()
	if err != nil {
		return nil, err
	}
	if h.mark == markObject {
		return d.again(h)
	}
	return d.variable(h)
}

func (d *decoder) variable(h head) (any, error) {
	if d.depth == d.c.MaxDepth {
		return nil, fmt.Errorf("storable: value %w at byte %d, behind %d references; flatten it, or raise Config.MaxDepth", ErrTooDeep, h.at, d.depth)
	}
	d.depth++
	defer func() { d.depth-- }()
	switch h.mark {
	case markArray:
		return d.array(h)
	case markHash, markFlagHash:
		return d.hash(h)
	}
	slot := new(any)
	return bless(h.class, slot), d.content(h, slot)
}

func (d *decoder) array(h head) (any, error) {
	n, err := d.count(1)
	if err != nil {
		return nil, err
	}
	list := make([]any, n)
	ref := bless(h.class, list)
	i := d.vars.open(ref, h.at)
	for k := range list {
		if err := d.scalar(&list[k]); err != nil {
			return nil, err
		}
	}
	d.vars.close(i, d.pos)
	return ref, nil
}

// count reads the number of elements. What is allocated for them stays in
// proportion to the input, because no two elements can share a byte of it.
func (d *decoder) count(bytesEach int) (int, error) {
	n, err := d.length()
	if err != nil {
		return 0, err
	}
	if n > (len(d.in)-d.claimed)/bytesEach {
		return 0, d.malformed(errShort)
	}
	d.claimed += n * bytesEach
	d.vars.grow(n)
	return n, nil
}
