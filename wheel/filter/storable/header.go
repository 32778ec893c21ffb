package storable

import (
	"bytes"
	"fmt"
)

// The format is 2.11, as Storable 3 writes it. Every 2.x is read: a later one
// shows in marks that are not known, which is also how Storable takes it.
const (
	major      = 2
	netVersion = major<<1 | 1 // the lowest bit says network order
	minor      = 11
)

// fileMagic precedes what store and nstore write; freeze leaves it out.
var fileMagic = []byte("pst0")

// pc is what follows the version in native order on 64-bit little-endian
// machines: byte order, and the sizes of int, long, pointer and number.
var pc = []byte("\x0812345678\x04\x08\x08\x08")

func (d *decoder) header() error {
	if bytes.HasPrefix(d.in, fileMagic) {
		d.pos = len(fileMagic)
	}
	p, err := d.take(2)
	if err != nil {
		return err
	}
	if p[0]>>1 != major {
		d.pos -= 2
		return d.malformed(fmt.Errorf("it begins with %q, not as Storable 2.x data; freeze with Storable's nfreeze", p))
	}
	if p[0]&1 == 1 {
		return nil
	}
	if !bytes.HasPrefix(d.in[d.pos:], pc) {
		return fmt.Errorf("storable: the native order of a machine other than a 64-bit little-endian one %w; freeze with nfreeze", ErrUnsupported)
	}
	d.pos += len(pc)
	d.native = true
	return nil
}
