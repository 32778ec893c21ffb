package backend

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// DisplayConfig says where a Display goes.
type DisplayConfig struct {
	// Output is written to by the display's session, whole pictures at a time: one
	// that blocks holds the display up, and in serial mode the kernel. Default
	// os.Stdout.
	Output io.Writer

	// Size is the terminal's, in cells, asked before each picture; ok is false for
	// what is no terminal. Default: what the system says of Output, if that is a file.
	Size func() (width, height int, ok bool)

	// Every is the time between two pictures, and how soon it is noticed that a
	// client is silent. 0 means 250 ms.
	Every time.Duration

	// NoColour leaves colours out, as NO_COLOR in the environment does. Default false.
	NoColour bool
}

// Display shows on a terminal who is connected to a server (B35): a row for each
// service, with its state, when it was last heard, the round trip to it, messages
// either way, requests without an answer, bytes queued and open transactions; the
// last columns go where there is no room for all. Clients without a name are one
// row, several of one name, too, with their number. Who has gone fades for ten
// seconds. The picture is redrawn where it stands; Say prints above it, and
// what anybody else writes to the terminal meanwhile disturbs it.
//
// What is no terminal gets a line for each change: a client came, registered, went,
// was silent for ten seconds, was heard again. Of those that wait for an Output that
// is slow, what is over 1024 is left out and reported.
//
// Whatever clients are called, no control character of theirs reaches the output.
type Display struct {
	srv  *Server
	self kernel.Address // set by _start
}

// The session of a Display takes these, and evServerChange.
const (
	evSay          kernel.Event[string]       = "say"
	evTick         kernel.Event[struct{}]     = "tick"
	evLast         kernel.Event[struct{}]     = "last" // called
	evServerChange kernel.Event[ServerChange] = "changed"
)

// Display starts one, as a session that ends with the server, or by Close, or when
// its output fails, which is reported. Errors match ErrArgument and ErrClosed.
func (s *Server) Display(cfg DisplayConfig) (*Display, error) {
	if err := duration("DisplayConfig.Every", &cfg.Every, 250*time.Millisecond); err != nil {
		return nil, err
	}
	if cfg.Output == nil {
		cfg.Output = os.Stdout
	}
	if cfg.Size == nil {
		cfg.Size = sizeOf(cfg.Output)
	}
	cfg.NoColour = cfg.NoColour || os.Getenv("NO_COLOR") != ""
	d := &Display{srv: s}
	p := &showing{d: d, every: cfg.Every, screen: &screen{out: cfg.Output, size: cfg.Size, plain: cfg.NoColour}}
	_, err := s.k.Spawn(session.New(
		session.Handle("_start", p.start),
		session.On(evTick, p.tick),
		session.On(evServerChange, p.changed),
		session.On(evSay, p.say),
		session.On(evLast, p.last),
	), kernel.QueueLimit(maxUnshown))
	if err != nil {
		return nil, ended(err)
	}
	return d, nil
}

// maxUnshown is how many changes may wait for a slow output.
const maxUnshown = 1024

// sizeOf is the size of a terminal.
func sizeOf(out io.Writer) func() (width, height int, ok bool) {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() (int, int, bool) { return 0, 0, false }
	}
	return func() (int, int, bool) {
		w, h, err := term.GetSize(int(f.Fd()))
		if err != nil || w < 1 || h < 1 { // a terminal that does not say
			return 80, 24, true
		}
		return w, h, true
	}
}

// Say prints a line, above the picture where there is one, with the next. It does
// not wait; ErrClosed when the display has ended, kernel.ErrQueueFull when its output
// is too slow.
func (d *Display) Say(text string) error { return ended(evSay.PostFrom(d.srv.k, d.self, text)) }

// Close draws once more and ends the display, whose last picture stays. It calls
// the display's session, and so may wait for a handler of it.
func (d *Display) Close() { _, _ = d.srv.k.Call(background, d.self, evLast.Name()) }
