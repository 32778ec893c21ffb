package wheel

import (
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	defaultCredit    = 64 << 10
	defaultMaxOutput = 16 << 20
)

// ReadWriteConfig configures a ReadWrite. Filter is required; an event that is
// left empty is not sent.
type ReadWriteConfig[In, Out any] struct {
	// Filter turns bytes into what InputEvent carries, and what Put takes into
	// bytes. It serves this wheel alone.
	Filter filter.Filter[In, Out]

	// InputEvent carries one record. Without it nothing is read, so that the
	// end of the connection goes unnoticed until a write fails (W14).
	InputEvent kernel.Event[In]

	// FlushedEvent says that the output has drained to empty: once each time,
	// in a turn of its own, also when Put itself could send everything (W22).
	FlushedEvent kernel.Event[struct{}]

	// ErrorEvent carries the failure or the end of one direction, or a record
	// that the filter refused (W16–W18).
	ErrorEvent kernel.Event[*Error]

	// CloseEvent is the wheel's last event: nil after the peer's end of input
	// or CloseFlushed, else why. It does not follow the owner's Close.
	CloseEvent kernel.Event[error]

	// HighMark and LowMark are in bytes of unsent output. HighEvent says that a
	// Put has reached HighMark; LowEvent, that it has since fallen to LowMark.
	// 0 for HighMark: no marks.
	HighMark, LowMark   int
	HighEvent, LowEvent kernel.Event[struct{}]

	// Credit bounds the bytes that are read before the records among them are
	// delivered; then the peer has to wait. An unfinished record does not count:
	// the filter's own limits bound it, and must leave room for Credit beside it.
	// Default 64 KiB.
	Credit int

	// MaxOutput bounds unsent output, in bytes. Default 16 MiB.
	MaxOutput int

	// HalfOpen keeps the output open after the peer's end of input, until
	// ShutdownOutput, CloseFlushed or Close (W16). Default false: unsent output
	// is sent, then the wheel ends.
	HalfOpen bool

	// IdleTimeout ends the wheel, by the kernel's clock, when nothing came and
	// nothing went for so long while it was not paused: an ErrorEvent that matches
	// os.ErrDeadlineExceeded, with Op "read", or "write" once no input is expected.
	// Default 0: never, unless the connection has an IdleTimeout method: then what
	// that returns.
	IdleTimeout time.Duration
}

func (cfg *ReadWriteConfig[In, Out]) fill() error {
	if cfg.Filter == nil {
		return misconfigured("ReadWriteConfig.Filter", "is nil; set one, such as filter.Line()")
	}
	if err := fillLimit("ReadWriteConfig.Credit", &cfg.Credit, defaultCredit); err != nil {
		return err
	}
	if err := fillLimit("ReadWriteConfig.MaxOutput", &cfg.MaxOutput, defaultMaxOutput); err != nil {
		return err
	}
	if cfg.IdleTimeout < 0 {
		return misconfigured("ReadWriteConfig.IdleTimeout", "is %v; want 0 for none, or more", cfg.IdleTimeout)
	}
	return cfg.checkMarks()
}

// checkMarks is W23, and what POE does not check.
func (cfg *ReadWriteConfig[In, Out]) checkMarks() error {
	switch {
	case cfg.HighMark < 0 || cfg.HighMark > cfg.MaxOutput:
		return misconfigured("ReadWriteConfig.HighMark", "is %d; want 0 for none, or at most MaxOutput, %d", cfg.HighMark, cfg.MaxOutput)
	case cfg.HighMark == 0 && (cfg.LowMark != 0 || cfg.HighEvent != "" || cfg.LowEvent != ""):
		return misconfigured("ReadWriteConfig.HighMark", "is 0, but LowMark, HighEvent or LowEvent is set; set HighMark, too")
	case cfg.LowMark < 0 || cfg.HighMark > 0 && cfg.LowMark >= cfg.HighMark:
		return misconfigured("ReadWriteConfig.LowMark", "is %d; want 0 or more, and less than HighMark, %d", cfg.LowMark, cfg.HighMark)
	}
	return nil
}

// ReadWrite does the input and output of one connection. Its methods are for the
// handlers of the session that made it; none of them blocks.
type ReadWrite[In, Out any] struct {
	filter filter.Filter[In, Out]
	input  kernel.Event[In]
	link   *link
}

// NewReadWrite makes a wheel of a stream connection, which it closes in the end.
// An error matches ErrConfig, and then the connection stays the caller's. One
// wheel per connection: Exchange replaces a wheel, Release takes its connection
// out (W7, W8).
func NewReadWrite[In, Out any](c *kernel.Context, conn net.Conn, cfg ReadWriteConfig[In, Out]) (*ReadWrite[In, Out], error) {
	if conn == nil {
		return nil, misconfigured("conn", "is nil; use the one that came with a SuccessEvent")
	}
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	return attach(newLink(c, conn), &cfg), nil
}

// Exchange gives a wheel another filter, other record types, other events and
// limits (W28–W31), or other events alone, with the filter it has (W5). Bytes that
// the old filter had not parsed go to a new one, so that this one must not be made
// around the old; a handler of InputEvent may do this between two records of one
// read. Output that is queued stays as it is (W30). The new value stands for the
// wheel, with its ID; the old one's methods match ErrClosed or do nothing. An error
// matches ErrConfig or ErrClosed and changes nothing.
func Exchange[In2, Out2, In, Out any](rw *ReadWrite[In, Out], cfg ReadWriteConfig[In2, Out2]) (*ReadWrite[In2, Out2], error) {
	if !rw.alive() {
		return nil, closedError("Exchange", nil)
	}
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	handOver(cfg.Filter, rw.filter)
	return attach(rw.link, &cfg), nil
}

// attach makes a new value the one that decodes and decides from now on.
func attach[In, Out any](l *link, cfg *ReadWriteConfig[In, Out]) *ReadWrite[In, Out] {
	rw := &ReadWrite[In, Out]{filter: cfg.Filter, input: cfg.InputEvent, link: l}
	l.attach(rw, terms{
		failed:    cfg.ErrorEvent,
		closed:    cfg.CloseEvent,
		flushed:   cfg.FlushedEvent,
		atHigh:    cfg.HighEvent,
		atLow:     cfg.LowEvent,
		high:      cfg.HighMark,
		low:       cfg.LowMark,
		credit:    cfg.Credit,
		maxOutput: cfg.MaxOutput,
		reads:     cfg.InputEvent != "",
		halfOpen:  cfg.HalfOpen,
		idle:      idleTimeout(l.conn, cfg.IdleTimeout),
	})
	return rw
}

var _ stage = (*ReadWrite[string, string])(nil)

func (rw *ReadWrite[In, Out]) feed(p []byte) { rw.filter.Feed(p) }

func (rw *ReadWrite[In, Out]) step(c *kernel.Context) verdict {
	l := rw.link
	v, cause := next(rw.filter.Next()).deliver(c, l.src, rw.input, l.terms.failed, "")
	if cause != nil {
		l.because(cause)
	}
	return v
}
