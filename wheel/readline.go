package wheel

import (
	"errors"
	"io"
	"time"

	"github.com/usher-go/usher/kernel"
)

var (
	// ErrInterrupt is the answer to a Get that ended with Control-C.
	ErrInterrupt = errors.New("interrupted at the keyboard")

	// ErrCancel is the answer to a Get that ended with Control-G.
	ErrCancel = errors.New("cancelled at the keyboard")

	// ErrTerminalTaken is matched when a terminal has a ReadLine already.
	ErrTerminalTaken = errors.New("terminal has a ReadLine already")

	// ErrReading is matched by GetPassword while a Get is waiting, and by Get
	// while a GetPassword is.
	ErrReading = errors.New("another kind of line is being read")
)

// PutMode says what Put does while the user is typing.
type PutMode int

const (
	// PutIdle holds the text back until no key was pressed for IdleTime, or the
	// line is entered.
	PutIdle PutMode = iota

	// PutImmediate clears the line, shows the text, and draws the line again below.
	PutImmediate

	// PutAfter holds the text back until the line is entered.
	PutAfter
)

// ReadLineInput is what InputEvent carries, the answer to one Get: a line, or why
// there is none.
type ReadLineInput struct {
	// Text is the line, without its end. It is valid UTF-8 without control
	// characters if it was edited, and any bytes if it was not.
	Text string

	// Err is nil with a line. Else it is ErrInterrupt, ErrCancel, io.EOF for
	// Control-D on an empty line, or matches filter.ErrTooLong; then the next Get
	// reads on. At the end of the input it is io.EOF, after a failure an *Error;
	// then CloseEvent follows.
	Err error
}

// ReadLineConfig configures a ReadLine. InputEvent is required; an event that is
// left empty is not sent.
type ReadLineConfig struct {
	// Terminal is read and written, and stays the caller's. Default nil: the
	// standard input and output. An *os.File is edited on if it is a terminal.
	// Anything else, such as an SSH channel, is taken for the raw bytes of a
	// terminal of 80 by 24 until SetSize says otherwise; if it has a
	// SetReadDeadline, the wheel's end leaves a deadline that has passed.
	Terminal io.ReadWriter

	// InputEvent carries the answer to a Get.
	InputEvent kernel.Event[ReadLineInput]

	// CompleteEvent asks what the word before the cursor may become, when the
	// user presses Tab. Its handler sets Completion.Candidates before it returns.
	// Until then keys wait. Default: Tab does nothing.
	CompleteEvent kernel.Event[*Completion]

	// CloseEvent is the wheel's last event: nil after the end of the input and
	// after CloseFlushed, else the *Error of a read or a write. It does not follow
	// the owner's Close.
	CloseEvent kernel.Event[error]

	// PutMode says what Put does while a line is being edited. Default PutIdle.
	PutMode PutMode

	// IdleTime is for PutIdle. Default 2 s.
	IdleTime time.Duration

	// History is what the arrow keys and Control-P and -N bring back; entered
	// lines are added to it. Several wheels may share one. Default: one of its own.
	History *History

	// MaxOutput bounds what was Put and is not shown yet, in bytes. Default 1 MiB.
	MaxOutput int
}

const (
	defaultIdleTime       = 2 * time.Second
	defaultTerminalOutput = 1 << 20
)

func (cfg *ReadLineConfig) fill() error {
	switch {
	case cfg.InputEvent == "":
		return misconfigured("ReadLineConfig.InputEvent", "is empty; set it, because it brings the lines")
	case cfg.PutMode < PutIdle || cfg.PutMode > PutAfter:
		return misconfigured("ReadLineConfig.PutMode", "is %d; want PutIdle, PutImmediate or PutAfter", cfg.PutMode)
	case cfg.IdleTime < 0:
		return misconfigured("ReadLineConfig.IdleTime", "is %v; want 0 for %v, or more", cfg.IdleTime, defaultIdleTime)
	case cfg.IdleTime == 0:
		cfg.IdleTime = defaultIdleTime
	}
	if cfg.History == nil {
		cfg.History = &History{}
	}
	return fillLimit("ReadLineConfig.MaxOutput", &cfg.MaxOutput, defaultTerminalOutput)
}

// ReadLine reads lines from a terminal, with editing, history and completion, and
// writes to it without disturbing what the user types. It reads only after Get,
// one line for each (W90), and holds its session while a Get waits or something is
// not shown yet. Its methods are for the handlers of the session that made it; none
// of them blocks.
//
// # Keys
//
// Arrows, Home, End, Delete and Backspace; ^A ^E ^B ^F and Alt-b, Alt-f move;
// ^K ^U ^W Alt-Backspace ^D ^H delete; ^T transposes, ^P ^N are the history, Tab
// completes, ^L clears the screen, ^Z stops the program; ^C, ^G and, on an empty
// line, ^D end the Get without a line. The editor is golang.org/x/term's: there is
// no key map of one's own, no vi mode, no inputrc, no yanking and no search, and
// characters that are not one column wide move the cursor wrongly (W93).
//
// # Terminal mode
//
// The terminal is in raw mode from Get until the handler of its answer has
// returned without another Get, and at Close, at the session's end, and so when a
// handler fails, it has its old mode back (W94). In between, Control-C is a signal.
// Output is processed all the time, so that others may print lines. A process that
// ends in another way (os.Exit, a panic outside handlers, a signal nobody watches)
// has to call RestoreTerminals first.
//
// Control-Z gives the old mode back and stops the foreground job, if the terminal
// is the process's; when it goes on, and when the terminal's size changes, the line
// is drawn again. Stopping it in another way leaves raw mode to the shell. In the
// background the system stops a process that asks for a line, as any editor.
//
// # Without a terminal
//
// From a pipe or a file lines are read unedited, at most 1 MiB long, and prompts
// are not shown. Up to 4 KiB may have been read ahead, and are lost at Close. From
// a terminal, what follows the line is left for the next reader.
//
// # Limits
//
// An edited line has at most 4096 characters; what is typed beyond is dropped, as
// are control characters, unknown escape sequences and invalid UTF-8. When MaxOutput
// is reached because nobody takes the output, no key is read.
//
// # Goroutines
//
// One while a Get waits, one more while output is queued, and on a terminal one for
// its signals. Close wakes the first at once. Only a Read of a Terminal that is no
// file can outlast it, and swallow what it was waiting for: it ends at once if the
// Terminal has a SetReadDeadline, as a net.Conn has.
type ReadLine struct {
	cfg  ReadLineConfig
	src  *kernel.Source
	dev  *device
	in   inlet
	read lineReader // edits, or does not
	out  display

	get     *reading // the Get that has no answer yet
	held    []byte   // what was Put and must wait
	idle    *time.Timer
	ended   bool // nothing can be read any more
	closing bool // only the output is waited for
	reason  error
}

// NewReadLine makes a wheel of a terminal. An error matches ErrConfig,
// ErrTerminalTaken, or is an *Error with Op "start".
func NewReadLine(c *kernel.Context, cfg ReadLineConfig) (*ReadLine, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	dev, err := openDevice(cfg.Terminal)
	if err != nil {
		return nil, &Error{Op: "start", Err: err}
	}
	r := &ReadLine{cfg: cfg, dev: dev}
	r.src = c.NewSource("ReadLine", r.turn, r.end)
	if err := dev.claim(r.src.ID()); err != nil {
		dev.drop()
		r.dev = nil
		r.src.Close()
		return nil, err
	}
	// Put looks at the limit itself. An editor's echo goes over it, and then no key
	// is read until the backlog is enough again.
	r.out.w, r.out.wake, r.out.enough = dev.screen, r.src.Wake, cfg.MaxOutput
	r.in.init(dev.keys, r.src.ID(), func() bool { return r.backlog() > cfg.MaxOutput })
	if dev.edits {
		r.read = newEditor(r)
	} else {
		r.read = newPlainReader(r)
	}
	return r, nil
}
