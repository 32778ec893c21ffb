package storable

import "fmt"

const (
	defaultMaxDepth    = 256
	defaultMaxExpanded = 16 << 20
)

// Config sets limits; its zero value works. It may be copied, and used by any
// number of goroutines at a time.
type Config struct {
	// MaxDepth is how many lists, maps and pointers may stand inside one
	// another, both ways. Default 256.
	MaxDepth int

	// MaxExpanded bounds what may be read, in bytes, where a value that Perl
	// refers to from several places counts each time. It keeps a few hundred
	// bytes from describing a tree that takes hours to walk. Default 16 MiB,
	// or the length of what is read if that is more.
	MaxExpanded int

	// Cycles allows values that contain themselves, such as children with a
	// reference to their parent, weak or not; MaxExpanded then counts a value
	// inside itself as nothing. Default false, because fmt.Println and most
	// other code that walks a value never comes back from one, and a program
	// that logs what a stranger sent would end there. Writing accepts cycles
	// in any case.
	Cycles bool
}

func (c Config) fill(input int) (Config, error) {
	if c.MaxDepth < 0 {
		return c, fmt.Errorf("storable: %w: Config.MaxDepth is %d; want 0 for the default of %d, or more", ErrConfig, c.MaxDepth, defaultMaxDepth)
	}
	if c.MaxExpanded < 0 {
		return c, fmt.Errorf("storable: %w: Config.MaxExpanded is %d; want 0 for the default of %d, or more", ErrConfig, c.MaxExpanded, defaultMaxExpanded)
	}
	if c.MaxDepth == 0 {
		c.MaxDepth = defaultMaxDepth
	}
	if c.MaxExpanded == 0 {
		c.MaxExpanded = max(defaultMaxExpanded, input)
	}
	return c, nil
}

// Check returns an error that matches ErrConfig if a limit is negative.
func (c Config) Check() error {
	_, err := c.fill(0)
	return err
}

// Unmarshal reads one value that Perl froze. The package comment has the types
// that come out; they share no memory with p. Errors match ErrMalformed,
// ErrUnsupported, ErrCycle, ErrTooDeep, ErrTooLong or ErrConfig.
func (c Config) Unmarshal(p []byte) (any, error) {
	c, err := c.fill(len(p))
	if err != nil {
		return nil, err
	}
	if len(p) > c.MaxExpanded {
		return nil, tooLong(c.MaxExpanded)
	}
	d := decoder{reader: reader{in: p}, c: c}
	if err := d.header(); err != nil {
		return nil, err
	}
	return d.root()
}

// Append appends the frozen form of v to dst, in network order and the same
// each time. Errors are a *ValueError, which matches ErrNotEncodable and
// possibly ErrTooDeep; ErrConfig; then it returns dst as it was.
func (c Config) Append(dst []byte, v any) ([]byte, error) {
	c, err := c.fill(0)
	if err != nil {
		return dst, err
	}
	e := encoder{dst: append(dst, netVersion, minor), depth: c.MaxDepth}
	if err := e.root(v); err != nil {
		return dst, err
	}
	return e.dst, nil
}

// Unmarshal is Config.Unmarshal with the defaults.
func Unmarshal(p []byte) (any, error) { return Config{}.Unmarshal(p) }

// Append is Config.Append with the defaults.
func Append(dst []byte, v any) ([]byte, error) { return Config{}.Append(dst, v) }

// Marshal returns the frozen form of v, which Perl's thaw takes.
func Marshal(v any) ([]byte, error) { return Append(nil, v) }
