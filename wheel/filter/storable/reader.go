package storable

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// reader takes the parts of a frozen value from its bytes.
type reader struct {
	in     []byte
	pos    int
	native bool // little-endian numbers of 8 bytes, as a PC freezes without the n
}

var errShort = errors.New("it ends too early; was all of it received?")

func (r *reader) malformed(why error) error {
	return fmt.Errorf("storable: %w at byte %d: %w", ErrMalformed, r.pos, why)
}

// take returns the next n bytes; they are part of the input.
func (r *reader) take(n int) ([]byte, error) {
	if n > len(r.in)-r.pos {
		return nil, r.malformed(errShort)
	}
	p := r.in[r.pos : r.pos+n]
	r.pos += n
	return p, nil
}

func (r *reader) byte() (byte, error) {
	p, err := r.take(1)
	if err != nil {
		return 0, err
	}
	return p[0], nil
}

func (r *reader) mark() (mark, error) {
	b, err := r.byte()
	return mark(b), err
}

// bigEndian reads what has network order in either format.
func (r *reader) bigEndian() (uint32, error) {
	p, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(p), nil
}

// native64 reads what exists in native order only.
func (r *reader) native64() (uint64, error) {
	if !r.native {
		return 0, r.malformed(errors.New("a native number in network order"))
	}
	p, err := r.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(p), nil
}

// uint32 reads a number of 4 bytes.
func (r *reader) uint32() (uint32, error) {
	p, err := r.take(4)
	if err != nil {
		return 0, err
	}
	if r.native {
		return binary.LittleEndian.Uint32(p), nil
	}
	return binary.BigEndian.Uint32(p), nil
}

// length reads a length or count: each byte or element takes a byte at least.
func (r *reader) length() (int, error) {
	n, err := r.uint32()
	if err == nil && int64(n) > int64(len(r.in)-r.pos) {
		err = r.malformed(errShort)
	}
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

// bytes reads a length and as many bytes; they are part of the input.
func (r *reader) bytes(long bool) ([]byte, error) {
	var n int
	var err error
	if long {
		n, err = r.length()
	} else {
		var b byte
		b, err = r.byte()
		n = int(b)
	}
	if err != nil {
		return nil, err
	}
	return r.take(n)
}
