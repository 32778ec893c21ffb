package storable

import "fmt"

// hash reads the keys and values of a hash, with flags for its keys or without.
// References to single values lead to a copy: Go has no pointer to what a map
// holds.
func (d *decoder) hash(h head) (any, error) {
	flags, each := h.mark == markFlagHash, 5 // a value, the length of a key
	if flags {
		each++
		if _, err := d.byte(); err != nil { // whether it is restricted
			return nil, err
		}
	}
	n, err := d.count(each)
	if err != nil {
		return nil, err
	}
	values, hash := make([]any, n), make(map[string]any, n)
	ref := bless(h.class, hash)
	i := d.vars.open(ref, h.at)
	for k := range values {
		if err := d.scalar(&values[k]); err != nil {
			return nil, err
		}
		key, there, err := d.key(flags)
		if err != nil {
			return nil, err
		}
		if there {
			hash[key] = values[k]
		}
	}
	d.vars.close(i, d.pos)
	return ref, nil
}

// key reads a key as text: to Perl "\xe9" and "\x{e9}" in UTF-8 are one key.
func (d *decoder) key(flags bool) (key string, there bool, err error) {
	var flag byte
	if flags {
		if flag, err = d.byte(); err != nil {
			return "", false, err
		}
		if flag&keyIsScalar != 0 {
			return "", false, d.malformed(fmt.Errorf("key with flags %#x", flag))
		}
	}
	n, err := d.length()
	if err != nil {
		return "", false, err
	}
	p, err := d.take(n)
	if err != nil {
		return "", false, err
	}
	there = flag&keyPlaceholder == 0
	if flag&keyUTF8 != 0 {
		return string(p), there, d.checkUTF8(p)
	}
	return latin1(p), there, nil
}
