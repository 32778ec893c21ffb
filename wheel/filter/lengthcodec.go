package filter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// LengthCodec writes and reads the length that stands before each block (F22).
// It needs both functions, keeps no state and may serve many filters.
type LengthCodec struct {
	// Append appends the prefix of a block of n bytes to dst.
	Append func(dst []byte, n int) []byte

	// Decode reads the prefix at the beginning of p, which is not empty. used is
	// how many bytes it takes; 0 asks for more, up to 256 in all. An error says
	// what was wanted; it ends the stream.
	Decode func(p []byte) (length uint64, used int, err error)
}

// BigEndian32 is a length of four bytes, the most significant first.
var BigEndian32 = &LengthCodec{
	Append: func(dst []byte, n int) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) },
	Decode: func(p []byte) (uint64, int, error) {
		if len(p) < 4 {
			return 0, 0, nil
		}
		return uint64(binary.BigEndian.Uint32(p)), 4, nil
	},
}

// Varint is a length of one to ten bytes, as protobuf and encoding/binary write
// unsigned numbers.
var Varint = &LengthCodec{
	Append: func(dst []byte, n int) []byte { return binary.AppendUvarint(dst, uint64(n)) },
	Decode: func(p []byte) (uint64, int, error) {
		length, used := binary.Uvarint(p)
		if used < 0 {
			return 0, 0, errors.New("want a varint of 64 bits at most")
		}
		return length, used, nil
	},
}

// lengthNUL is POE's: decimal digits and a NUL (F20, F28).
var lengthNUL = &LengthCodec{
	Append: func(dst []byte, n int) []byte { return append(strconv.AppendInt(dst, int64(n), 10), 0) },
	Decode: func(p []byte) (uint64, int, error) {
		head := p[:min(len(p), lengthNULSize)]
		end := bytes.IndexByte(head, 0)
		if end < 0 && len(head) < lengthNULSize && allDigits(head) {
			return 0, 0, nil
		}
		if end <= 0 || !allDigits(head[:end]) {
			return 0, 0, errors.New("want decimal digits and a NUL")
		}
		length, err := strconv.ParseUint(string(head[:end]), 10, 64)
		if err != nil {
			return 0, 0, errors.New("want a decimal number of 64 bits at most, and a NUL")
		}
		return length, end + 1, nil
	},
}

// lengthNULSize is what the greatest uint64 takes.
const lengthNULSize = 20 + 1

func allDigits(p []byte) bool {
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// maxPrefix bounds how long a codec may ask for more.
const maxPrefix = 256

// check writes and reads the greatest length, and returns how long that is.
func (c *LengthCodec) check(greatest int) (prefix int, err error) {
	if c.Append == nil || c.Decode == nil {
		return 0, fmt.Errorf("filter: %w: BlockConfig.LengthCodec lacks Append or Decode; set both", ErrConfig)
	}
	p := c.Append(nil, greatest)
	length, used, err := c.Decode(p)
	if err != nil || length != uint64(greatest) || used != len(p) {
		return 0, fmt.Errorf("filter: %w: BlockConfig.LengthCodec writes BlockConfig.MaxLength, %d, as %q, and reads that as %d in %d bytes (error: %v); lower the one or mend the other",
			ErrConfig, greatest, p, length, used, err)
	}
	return len(p), nil
}

// prefix reads the prefix at the beginning of p; used is 0 if more is needed.
// An error matches ErrUnusable and ErrMalformed.
func (c *LengthCodec) prefix(p []byte) (length uint64, used int, err error) {
	if len(p) == 0 {
		return 0, 0, nil
	}
	length, used, err = c.Decode(p)
	switch {
	case err == nil && used == 0 && len(p) >= maxPrefix:
		err = fmt.Errorf("want it to end within %d bytes", maxPrefix)
	case err == nil && (used < 0 || used > len(p)):
		err = fmt.Errorf("LengthCodec.Decode used %d bytes of %d", used, len(p))
	}
	if err != nil {
		return 0, 0, fmt.Errorf("filter: %w length prefix %.24q: %w: %w", ErrMalformed, p[:min(len(p), maxPrefix)], err, ErrUnusable)
	}
	return length, used, nil
}
