package filter

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

func zigzag(v int64) uint64 { return protowire.EncodeZigZag(v) }

func (e *encoder) tag(t tag) { e.dst = protowire.AppendVarint(e.dst, uint64(t)) }

func (e *encoder) varint(t tag, v uint64) {
	e.tag(t)
	e.dst = protowire.AppendVarint(e.dst, v)
}

// number writes a field that is absent when it is 0, as proto3 has it.
func (e *encoder) number(t tag, v uint64) {
	if v != 0 {
		e.varint(t, v)
	}
}

// chunk writes s, unless the frame is too long with it.
func chunk[T string | []byte](e *encoder, t tag, s T) {
	if len(s) > e.room() {
		e.over = true
		return
	}
	e.varint(t, uint64(len(s)))
	e.dst = append(e.dst, s...)
}

// optional writes a field that is absent when it is empty.
func optional(e *encoder, t tag, s string) {
	if s != "" {
		chunk(e, t, s)
	}
}

// open begins a nested message whose length is not known yet, and returns
// where it begins, for close.
func (e *encoder) open(t tag) int {
	e.tag(t)
	e.dst = append(e.dst, 0)
	return len(e.dst)
}

// close fills in the length. Most messages are shorter than 128 bytes and need
// the one byte that open left; longer ones move up.
func (e *encoder) close(at int) {
	var prefix [binary.MaxVarintLen64]byte
	n := len(e.dst) - at
	w := binary.PutUvarint(prefix[:], uint64(n))
	if w > 1 {
		e.dst = append(e.dst, prefix[:w-1]...)
		copy(e.dst[at-1+w:], e.dst[at:at+n])
	}
	copy(e.dst[at-1:], prefix[:w])
}

// room is how much longer the frame may become.
func (e *encoder) room() int { return e.max - (len(e.dst) - e.start) }

// fits reports a frame that is too long already, so that a huge list is left
// early.
func (e *encoder) fits() error {
	if e.over || e.room() < 0 {
		return tooLongFrame(0, e.max, false)
	}
	return nil
}
