package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const (
	defaultMaxFrame = 4 << 20
	defaultMaxDepth = 64
)

// EventConfig configures an Event filter; its zero value works.
type EventConfig struct {
	// MaxFrame is the longest frame accepted and sent, in bytes without its
	// length prefix. Default 4 MiB. Decoded, a frame of many tiny maps may take
	// some 60 times its length in memory: choose less for peers not trusted.
	MaxFrame int

	// MaxBuffer bounds the unparsed input, in bytes; at least MaxFrame and 10
	// for a length prefix. Default 16 MiB.
	MaxBuffer int

	// MaxDepth is how many lists and maps may stand inside one another, both
	// ways. Default 64.
	MaxDepth int

	// Types finds the Go type of a protobuf message by name. Default
	// protoregistry.GlobalTypes: every type linked into the program.
	Types protoregistry.MessageTypeResolver
}

func (c *EventConfig) fill() error {
	if err := fillLimit("EventConfig.MaxFrame", &c.MaxFrame, defaultMaxFrame); err != nil {
		return err
	}
	if err := fillLimit("EventConfig.MaxBuffer", &c.MaxBuffer, defaultMaxBuffer); err != nil {
		return err
	}
	if err := fillLimit("EventConfig.MaxDepth", &c.MaxDepth, defaultMaxDepth); err != nil {
		return err
	}
	if c.Types == nil {
		c.Types = protoregistry.GlobalTypes
	}
	return checkBuffer("EventConfig.MaxBuffer", c.MaxBuffer, "EventConfig.MaxFrame", c.MaxFrame, binary.MaxVarintLen64)
}

// EventFilter reads and writes events as protobuf frames, each preceded by its
// length as a varint. The format is wire/usherwire.proto.
type EventFilter struct {
	c   EventConfig
	in  input
	err error // what made the stream unusable
}

var _ Filter[Frame, Frame] = (*EventFilter)(nil)

// Event returns an EventFilter with the defaults of EventConfig.
func Event() Filter[Frame, Frame] {
	f, err := NewEvent(EventConfig{})
	if err != nil {
		panic(err) // a bug in this package: the defaults contradict each other
	}
	return f
}

// NewEvent returns an EventFilter, or an error that matches ErrConfig.
func NewEvent(c EventConfig) (*EventFilter, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	return &EventFilter{c: c, in: input{field: "EventConfig.MaxBuffer", max: c.MaxBuffer}}, nil
}

// Feed stores a copy of p; nothing once the stream is unusable.
func (f *EventFilter) Feed(p []byte) {
	if f.err == nil {
		f.in.feed(p)
	}
}

// Next returns one frame. A *FrameError refuses one frame, and parsing goes on
// behind it. A length prefix that is no varint, a frame over MaxFrame (known
// from its prefix; nothing is allocated for it) and input over MaxBuffer match
// ErrUnusable and are returned by every later call.
func (f *EventFilter) Next() (Frame, bool, error) {
	if f.err != nil {
		return Frame{}, false, f.err
	}
	p := f.in.bytes()
	size, w := protowire.ConsumeVarint(p)
	switch {
	case w < 0 && !errors.Is(protowire.ParseError(w), io.ErrUnexpectedEOF):
		f.err = fmt.Errorf("filter: frame with a %w length prefix, no varint: %w", ErrMalformed, ErrUnusable)
	case w > 0 && size > uint64(f.c.MaxFrame):
		f.err = tooLongFrame(size, f.c.MaxFrame, true)
	case w > 0 && uint64(len(p)-w) >= size:
		body := p[w : w+int(size)]
		frame, err := decoder{f.c.Types}.frame(body, f.c.MaxDepth)
		f.in.skip(w + int(size))
		if err != nil {
			return Frame{}, false, &FrameError{Frame: frame, Size: int(size), Err: err}
		}
		return frame, true, nil
	case f.in.over:
		f.err = f.in.overflow()
	}
	return Frame{}, false, f.err
}

// Append appends the frame to dst. Errors: *ArgError for an argument that has
// no form on the wire, ErrNotEncodable for a name or address that is not
// UTF-8, *LimitError for a frame over MaxFrame.
func (f *EventFilter) Append(dst []byte, frame Frame) ([]byte, error) {
	e := encoder{dst: dst, start: len(dst) + 1, max: f.c.MaxFrame}
	if err := e.frame(frame, f.c.MaxDepth); err != nil {
		return dst, err
	}
	return e.dst, nil
}

// Pending returns a copy of the unparsed input.
func (f *EventFilter) Pending() []byte { return f.in.pending() }

func tooLongFrame(size uint64, limit int, fatal bool) error {
	return &LimitError{
		What: "frame", Field: "EventConfig.MaxFrame", Limit: limit, Size: size, fatal: fatal,
		remedy: "raise it at both ends, or send smaller frames",
	}
}
