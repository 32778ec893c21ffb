package filter

import (
	"bytes"
	"fmt"
)

// BlockConfig configures a Block filter; its zero value works: blocks of any
// length up to MaxLength, each after its length in decimal digits and a NUL
// (F20).
type BlockConfig struct {
	// BlockSize cuts the stream into blocks of that many bytes, without prefix
	// (F19). It excludes LengthCodec and MaxLength (F23). Default 0: each block
	// has a prefix.
	BlockSize int

	// LengthCodec is the form of the prefix (F22), such as BigEndian32 or
	// Varint. Default nil: decimal digits and a NUL.
	LengthCodec *LengthCodec

	// MaxLength is the longest block accepted and sent, in bytes without its
	// prefix. Default 1 MiB (POE: 64 MiB, F8).
	MaxLength int

	// MaxBuffer bounds the unparsed input, in bytes; at least one block of
	// BlockSize, or of MaxLength with its prefix. Default 16 MiB (POE: 512 MiB,
	// F8).
	MaxBuffer int
}

func (c *BlockConfig) fill() error {
	if err := fillLimit("BlockConfig.MaxBuffer", &c.MaxBuffer, defaultMaxBuffer); err != nil {
		return err
	}
	if c.BlockSize != 0 {
		return c.checkSize()
	}
	if err := fillLimit("BlockConfig.MaxLength", &c.MaxLength, defaultMaxLength); err != nil {
		return err
	}
	if c.LengthCodec == nil {
		c.LengthCodec = lengthNUL
	}
	prefix, err := c.LengthCodec.check(c.MaxLength)
	if err != nil {
		return err
	}
	return checkBuffer("BlockConfig.MaxBuffer", c.MaxBuffer, "BlockConfig.MaxLength", c.MaxLength, prefix)
}

func (c *BlockConfig) checkSize() error {
	switch {
	case c.BlockSize < 0:
		return fmt.Errorf("filter: %w: BlockConfig.BlockSize is %d; want 0 for blocks with a length prefix, or more", ErrConfig, c.BlockSize)
	case c.LengthCodec != nil:
		return fmt.Errorf("filter: %w: BlockConfig.BlockSize and BlockConfig.LengthCodec are both set; choose one", ErrConfig)
	case c.MaxLength != 0:
		return fmt.Errorf("filter: %w: BlockConfig.BlockSize and BlockConfig.MaxLength are both set; choose one", ErrConfig)
	}
	return checkBuffer("BlockConfig.MaxBuffer", c.MaxBuffer, "BlockConfig.BlockSize", c.BlockSize, 0)
}

// BlockFilter cuts a stream into blocks of bytes: of one size, or each with its
// length before it. A block that is not complete stays pending, prefix and all
// (unlike F25).
type BlockFilter struct {
	c   BlockConfig
	in  input
	err error // what made the stream unusable
}

var _ Filter[[]byte, []byte] = (*BlockFilter)(nil)

// Block returns a BlockFilter with the defaults of BlockConfig.
func Block() Filter[[]byte, []byte] {
	f, err := NewBlock(BlockConfig{})
	if err != nil {
		panic(err) // a bug in this package: the defaults contradict each other
	}
	return f
}

// NewBlock returns a BlockFilter, or an error that matches ErrConfig.
func NewBlock(c BlockConfig) (*BlockFilter, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	return &BlockFilter{c: c, in: input{field: "BlockConfig.MaxBuffer", max: c.MaxBuffer}}, nil
}

// Feed stores a copy of p; nothing once the stream is unusable.
func (f *BlockFilter) Feed(p []byte) {
	if f.err == nil {
		f.in.feed(p)
	}
}

// Next returns one block, which may be empty (F20). All its errors match
// ErrUnusable, because where the next block begins is not known any more: bytes
// that are no length prefix (ErrMalformed; POE drops some and looks on, F21), a
// prefix over MaxLength and input over MaxBuffer (*LimitError). No part of a
// block over MaxLength is waited for or delivered (unlike F24).
func (f *BlockFilter) Next() ([]byte, bool, error) {
	if f.err != nil {
		return nil, false, f.err
	}
	p := f.in.bytes()
	size, prefix, known := f.measure(p)
	switch {
	case f.err != nil:
	case known && len(p)-prefix >= size:
		block := bytes.Clone(p[prefix : prefix+size])
		f.in.skip(prefix + size)
		return block, true, nil
	case f.in.over:
		f.err = f.in.overflow()
	}
	return nil, false, f.err
}

// measure finds out how long the block at the beginning of p is.
func (f *BlockFilter) measure(p []byte) (size, prefix int, known bool) {
	if f.c.BlockSize > 0 {
		return f.c.BlockSize, 0, true
	}
	length, prefix, err := f.c.LengthCodec.prefix(p)
	switch {
	case err != nil:
		f.err = err
	case prefix > 0 && length > uint64(f.c.MaxLength):
		f.err = f.tooLong(length, true)
	}
	return int(length), prefix, prefix > 0
}

// Append appends the block to dst, behind its prefix. A block over MaxLength is
// a *LimitError. With BlockSize there is no prefix, and a block of any length is
// written as it is (F19): the peer waits for the rest of one that is too short.
func (f *BlockFilter) Append(dst, block []byte) ([]byte, error) {
	if f.c.BlockSize > 0 {
		return append(dst, block...), nil
	}
	if len(block) > f.c.MaxLength {
		return dst, f.tooLong(uint64(len(block)), false)
	}
	return append(f.c.LengthCodec.Append(dst, len(block)), block...), nil
}

// Pending returns a copy of the unparsed input.
func (f *BlockFilter) Pending() []byte { return f.in.pending() }

func (f *BlockFilter) tooLong(size uint64, fatal bool) error {
	return &LimitError{
		What: "block", Field: "BlockConfig.MaxLength", Limit: f.c.MaxLength, Size: size, fatal: fatal,
		remedy: "raise it at both ends, or send smaller blocks",
	}
}
