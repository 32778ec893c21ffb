package wheel

import (
	"os"
	"time"

	"github.com/usher-go/usher/kernel"
)

const (
	defaultPollInterval = time.Second
	skimmed             = 4096 // how far before the end a followed file begins (W79)
)

// InputFilter is the input side of a filter.Filter.
type InputFilter[In any] interface {
	Feed(p []byte)
	Next() (rec In, ok bool, err error)
	Pending() []byte
}

// FollowTailConfig configures a FollowTail. One of Filename and Handle, Filter and
// InputEvent are required (W78); an event that is left empty is not sent.
type FollowTailConfig[In any] struct {
	// Filename is followed as a name: whatever file it names next is read, too.
	// It may name nothing yet (W82). A FIFO is opened for reading and writing, so
	// that its writers may come and go (W88).
	Filename string

	// Handle is an open file, pipe, socket or terminal. The wheel closes it in the
	// end. Of a regular file its own position is neither used nor changed; others
	// become non-blocking.
	Handle *os.File

	// Filter turns bytes into what InputEvent carries, such as filter.Line(). It
	// serves this wheel alone.
	Filter InputFilter[In]

	// NextFilter makes the filter for what follows a ResetEvent; what the one
	// before held of an unfinished record is then in Reset.Unfinished. Default nil:
	// Filter goes on, and an unfinished record is ended by a "\n", so that it
	// becomes a record of its own and is not glued to the next file's first (unlike
	// W84). That is for lines. A filter whose records "\n" does not end needs a
	// NextFilter: without one, an unfinished record is its last.
	NextFilter func() InputFilter[In]

	// InputEvent carries one record.
	InputEvent kernel.Event[In]

	// ResetEvent says that reading begins at the start of a file again, after all
	// records of what was there before: once for each switch (W82, W83, W86).
	ResetEvent kernel.Event[Reset]

	// IdleEvent says that for a PollInterval nothing came, or that nobody can
	// write to a pipe any more (W87, W89).
	IdleEvent kernel.Event[struct{}]

	// ErrorEvent carries the failure that ends the wheel, Op "open", "stat" or
	// "read" (io.EOF: the end of a socket or terminal), or a record that the filter
	// refused (W87).
	ErrorEvent kernel.Event[*Error]

	// CloseEvent is the wheel's last event: nil after the end of a pipe, socket or
	// terminal, else why. It does not follow the owner's Close.
	CloseEvent kernel.Event[error]

	// Seek is where a file that is there already is read from, in bytes from its
	// start, negative from its end; SeekBack counts from its end, negative from
	// its start (W80). Both stop at the ends of the file; set one at most. Default
	// nil: of the last 4096 bytes whole records are thrown away, and the beginning
	// of one is kept (W79). Pipes, sockets and terminals begin where they are.
	Seek, SeekBack *int64

	// PollInterval is how often the file and its name are looked at when nothing
	// comes (W81), and how long a file that another has replaced must have
	// brought nothing before the other is begun. Default 1 s.
	PollInterval time.Duration

	// Poll does without notifications from the operating system, which only make
	// it faster.
	Poll bool

	// Credit bounds the bytes that were read and not yet delivered; the rest waits
	// in the file. Default 64 KiB.
	Credit int
}

func (cfg *FollowTailConfig[In]) fill() error {
	switch {
	case cfg.Filename == "" && cfg.Handle == nil:
		return misconfigured("FollowTailConfig.Filename", "is empty; set it, or Handle")
	case cfg.Filename != "" && cfg.Handle != nil:
		return misconfigured("FollowTailConfig.Handle", "is set beside Filename %q; set one of them", cfg.Filename)
	case cfg.Filter == nil:
		return misconfigured("FollowTailConfig.Filter", "is nil; set one, such as filter.Line()")
	case cfg.InputEvent == "":
		return misconfigured("FollowTailConfig.InputEvent", "is empty; set it")
	case cfg.Seek != nil && cfg.SeekBack != nil:
		return misconfigured("FollowTailConfig.SeekBack", "is set beside Seek; set one of them")
	case cfg.PollInterval < 0:
		return misconfigured("FollowTailConfig.PollInterval", "is %v; want 0 for the default of %v, or more", cfg.PollInterval, defaultPollInterval)
	case cfg.PollInterval == 0:
		cfg.PollInterval = defaultPollInterval
	}
	return fillLimit("FollowTailConfig.Credit", &cfg.Credit, defaultCredit)
}

// start is where a file of that size is read from; skim: whole records before its
// end are not wanted.
func (cfg *FollowTailConfig[In]) start(size int64) (at int64, skim bool) {
	switch {
	case cfg.Seek != nil && *cfg.Seek >= 0:
		at = *cfg.Seek
	case cfg.Seek != nil:
		at = size + *cfg.Seek
	case cfg.SeekBack != nil && *cfg.SeekBack >= 0:
		at = size - *cfg.SeekBack
	case cfg.SeekBack != nil:
		at = -*cfg.SeekBack
	default:
		at, skim = size-skimmed, true
	}
	return min(max(at, 0), size), skim
}

// Reset is what a ResetEvent carries.
type Reset struct {
	Reason ResetReason

	// Unfinished is what came before and was no whole record. Only with NextFilter;
	// otherwise it was ended, and came as a record.
	Unfinished []byte
}

// ResetReason says why reading begins anew.
type ResetReason string

const (
	ResetAppeared  ResetReason = "appeared"  // the name names a file at last (W82)
	ResetReplaced  ResetReason = "replaced"  // the name names another file (W83)
	ResetTruncated ResetReason = "truncated" // the file was cut or written anew (W83, W86)
)

// FollowTail delivers what is appended to a file, as tail -F shows it. Its methods
// are for the handlers of the session that made it.
//
// What is delivered: every byte of a file that was seen, once and in order, then
// every byte of the one that took its place. A file is seen when it has the name
// during a look. Looks come with every change that the system tells of, and every
// PollInterval. A file that was replaced is read on until it has brought nothing
// for a PollInterval, so that a writer which opens the new one late loses nothing,
// and those seen meanwhile, up to 16, are kept open until it is their turn, also
// while input is paused. Unlinking a file does not end it: it stays open until
// another has its name.
//
// What cannot be: bytes cut off before they were read, as they may be when a log is
// copied and then truncated; a file that had the name between two looks only; what
// is written to a replaced file after its successor was begun. A truncation is
// noticed when the file is shorter than what was read, or when the 256 bytes before
// that point are others (W85); not, when it is written anew with the same bytes
// there. A program that changes those bytes in place has the whole file delivered
// again, and so has a name that goes back to a file it had left.
//
// Pipes, sockets and terminals are read when they are ready, until they end (W88,
// W89); nobody looks whether their names change.
type FollowTail[In any] struct {
	filter     lastSaid[In]
	next       func() InputFilter[In]
	input      kernel.Event[In]
	tail       *tail
	start, fed int64 // in the file: where its bytes began, and how many the filter had
	last       byte  // it was fed
	completed  bool  // an unfinished record was given its end
}

// NewFollowTail makes a wheel that follows a file. It opens a file that is there,
// so that what is appended after it returns is delivered. An error matches
// ErrConfig (for a directory, too), or is an *Error with Op "open" or "read"; then
// Handle stays the caller's.
func NewFollowTail[In any](c *kernel.Context, cfg FollowTailConfig[In]) (*FollowTail[In], error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	f := &FollowTail[In]{
		filter: lastSaid[In]{InputFilter: cfg.Filter},
		next:   cfg.NextFilter,
		input:  cfg.InputEvent,
	}
	file, mode, err := openToFollow(cfg.Filename, cfg.Handle)
	if err != nil {
		return nil, err
	}
	var cur *followed
	if file != nil && mode.IsRegular() {
		if cur, err = f.begin(file, &cfg); err != nil {
			if cfg.Handle == nil {
				_ = file.Close()
			}
			return nil, err
		}
	}
	t := &tail{side: f, terms: tailTerms{
		failed: cfg.ErrorEvent, closed: cfg.CloseEvent, reset: cfg.ResetEvent, idle: cfg.IdleEvent,
	}}
	f.tail = t
	t.src = c.NewSource("FollowTail", t.turn, t.hangUp)
	t.spool = spool{src: t.src, kick: make(chan struct{}, 1), credit: cfg.Credit}
	t.src.Watch(true)
	if file != nil && cur == nil {
		t.stream(file, mode)
		return f, nil
	}
	t.follow(c.Kernel(), cur, &lookConfig{name: cfg.Filename, every: cfg.PollInterval, quiet: cfg.Poll})
	return f, nil
}

// begin finds the place in a regular file to read from (W79, W80).
func (f *FollowTail[In]) begin(file *os.File, cfg *FollowTailConfig[In]) (*followed, error) {
	id, size, err := identify(file)
	if err != nil {
		return nil, &Error{Op: "stat", Err: err}
	}
	at, skim := cfg.start(size)
	cur := &followed{file: glances{file}, id: id, at: at}
	if err := cur.learn(); err != nil {
		return nil, &Error{Op: "read", Err: err}
	}
	f.start = cur.at
	if !skim {
		return cur, nil
	}
	buf := make([]byte, knownBytes+size-at)
	n, _, err := cur.look(buf, int(size-at))
	if err != nil {
		return nil, &Error{Op: "read", Err: err}
	}
	cur.passed(buf[:n])
	f.feed(buf[:n])
	f.skim()
	return cur, nil
}
