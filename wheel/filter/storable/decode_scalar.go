package storable

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// scalar reads a variable that must be a scalar into slot.
func (d *decoder) scalar(slot *any) error {
	h, err := d.head()
	if err != nil {
		return err
	}
	if h.mark == markObject {
		return d.same(h, slot)
	}
	return d.content(h, slot)
}

// content reads what follows the head of a scalar. A reference to the scalar
// is a pointer to slot, from here on: what it holds may refer to it.
func (d *decoder) content(h head, slot *any) (err error) {
	i := d.vars.open(bless(h.class, slot), h.at)
	switch {
	case h.mark.isReference():
		*slot, err = d.referent()
	case h.mark == markVString, h.mark == markLVString:
		*slot, err = d.vstring(h.mark == markLVString)
	default:
		*slot, err = d.plain(h.mark)
	}
	d.vars.close(i, d.pos)
	return err
}

// plain reads a scalar that is no reference.
func (d *decoder) plain(m mark) (any, error) {
	switch m {
	case markUndef, markSVUndef, markSVUndefElem:
		return nil, nil
	case markSVYes, markTrue:
		return true, nil
	case markSVNo, markFalse:
		return false, nil
	case markByte:
		b, err := d.byte()
		return int64(b) - 128, err
	case markNetint:
		n, err := d.bigEndian()
		return int64(int32(n)), err
	case markInteger:
		n, err := d.native64()
		return int64(n), err
	case markDouble:
		n, err := d.native64()
		return math.Float64frombits(n), err
	case markScalar, markLScalar:
		p, err := d.bytes(m == markLScalar)
		return plainString(p), err
	case markUTF8Str, markLUTF8Str:
		p, err := d.bytes(m == markLUTF8Str)
		if err == nil {
			err = d.checkUTF8(p)
		}
		return string(p), err
	}
	return nil, d.refuse(m)
}

// plainString: only ASCII is text beyond doubt.
func plainString(p []byte) any {
	for _, b := range p {
		if b >= utf8.RuneSelf {
			return append([]byte(nil), p...)
		}
	}
	return string(p)
}

// checkUTF8: Perl's characters include surrogates and numbers above U+10FFFF.
func (d *decoder) checkUTF8(p []byte) error {
	if utf8.Valid(p) {
		return nil
	}
	return d.malformed(fmt.Errorf("%.16q has characters that Unicode does not; send it as bytes", p))
}

// vstring reads a version literal, v1.2.3, as the string that it stands for.
func (d *decoder) vstring(long bool) (any, error) {
	if _, err := d.bytes(long); err != nil {
		return nil, err
	}
	m, err := d.mark()
	if err != nil {
		return nil, err
	}
	switch m {
	case markScalar, markLScalar, markUTF8Str, markLUTF8Str:
		return d.plain(m)
	}
	return nil, d.malformed(errors.New("a version literal without its string"))
}
