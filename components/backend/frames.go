package backend

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// headroom is how much longer than MaxFrame a frame may get on its way through
// the server, which adds its sender's name.
const headroom = maxName + 32

// frames reads frames and writes what codec.encode made: a frame is encoded
// once, by whoever makes it, so that what is wrong with it is that one's error,
// and however many connections it goes to.
type frames struct{ *filter.EventFilter }

var _ filter.Filter[filter.Frame, []byte] = frames{}

func (frames) Append(dst, encoded []byte) ([]byte, error) { return append(dst, encoded...), nil }

// codec encodes frames, on any goroutine, and makes filters.
type codec struct {
	read filter.EventConfig
	out  *filter.EventFilter
}

// newCodec leaves room in the buffer for what a wheel reads at once.
func newCodec(maxFrame int) (c codec, err error) {
	maxFrame += headroom
	c.read = filter.EventConfig{MaxFrame: maxFrame, MaxBuffer: maxFrame + 1<<20}
	c.out, err = filter.NewEvent(c.read)
	return c, err
}

func (c codec) filter() (frames, error) {
	f, err := filter.NewEvent(c.read)
	return frames{f}, err
}

func (c codec) encode(f filter.Frame) ([]byte, error) {
	b, err := c.out.Append(nil, f)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, filter.ErrNotEncodable):
		return nil, fmt.Errorf("backend: message %.64q: %w: %w", f.Name, kernel.ErrNotEncodable, err)
	}
	return nil, fmt.Errorf("backend: message %.64q: %w", f.Name, err)
}
