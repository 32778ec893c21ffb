package filter

import "github.com/usher-go/usher/wheel/filter/storable"

// ReferenceConfig configures a Reference filter; its zero value works, and
// speaks to POE::Filter::Reference with its own defaults. There is no NoFatals:
// a record that cannot be read is an error of Next, and parsing goes on (F31).
type ReferenceConfig struct {
	// Serializer turns records into bytes. Default Storable(storable.Config{}).
	Serializer Serializer

	// Compression passes each record through zlib, both ways. Both ends must
	// agree. Default false.
	Compression bool

	// MaxLength is the longest record accepted and sent, in bytes of its
	// serialised form, before compression. Default 1 MiB (POE: no limit, F32).
	MaxLength int

	// MaxBuffer bounds the unparsed input, in bytes; at least MaxLength and
	// what surrounds a record. Default 16 MiB (POE: 512 MiB, F8).
	MaxBuffer int
}

func (c *ReferenceConfig) fill() error {
	if c.Serializer == nil {
		c.Serializer = Storable(storable.Config{})
	}
	if s, ok := c.Serializer.(interface{ Check() error }); ok {
		if err := s.Check(); err != nil {
			return &configError{err}
		}
	}
	if err := fillLimit("ReferenceConfig.MaxLength", &c.MaxLength, defaultMaxLength); err != nil {
		return err
	}
	if err := fillLimit("ReferenceConfig.MaxBuffer", &c.MaxBuffer, defaultMaxBuffer); err != nil {
		return err
	}
	extra := c.maxWire() - c.MaxLength + lengthNULSize
	return checkBuffer("ReferenceConfig.MaxBuffer", c.MaxBuffer, "ReferenceConfig.MaxLength", c.MaxLength, extra)
}

// maxWire is the longest record on the wire: zlib makes what it cannot shorten
// a little longer.
func (c *ReferenceConfig) maxWire() int {
	if !c.Compression {
		return c.MaxLength
	}
	return c.MaxLength + c.MaxLength/512 + 64
}
