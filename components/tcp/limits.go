package tcp

import "time"

// NoLimit, in a field that says so, switches a limit off.
const NoLimit = -1

const (
	defaultMaxOutput    = 16 << 20
	defaultFlushTimeout = 10 * time.Second
)

// Limits bound one connection. The zero value works.
type Limits struct {
	// HighMark and LowMark are in bytes of unsent output, for the callbacks of
	// these names (C21). 0 for HighMark: no marks.
	HighMark, LowMark int

	// Credit bounds the bytes that were read and not yet handled; then the peer
	// has to wait. Default 64 KiB. How long a record may be is the filter's affair.
	Credit int

	// MaxOutput bounds unsent output, in bytes. A Put beyond it is refused; see
	// Conn.Put. Default 16 MiB.
	MaxOutput int

	// IdleTimeout ends a connection from which no record came for so long, with
	// an error of Op "idle" that matches ErrIdle. A pause of the input does
	// not count, and the time begins anew when it ends. Default 0: none.
	IdleTimeout time.Duration

	// FlushTimeout is how long a shutdown waits for output that the peer does not
	// take; then the connection is closed with ErrStuck. Default 10 s; NoLimit for
	// POE's way, which is for ever.
	FlushTimeout time.Duration
}

func (l *Limits) fill() error {
	for _, f := range []struct {
		name string
		v    int
	}{{"HighMark", l.HighMark}, {"LowMark", l.LowMark}, {"Credit", l.Credit}, {"MaxOutput", l.MaxOutput}} {
		if f.v < 0 {
			return misconfigured("Limits."+f.name, "is %d; want 0 for the default, or more", f.v)
		}
	}
	if l.MaxOutput == 0 {
		l.MaxOutput = defaultMaxOutput
	}
	switch {
	case l.HighMark == 0 && l.LowMark != 0:
		return misconfigured("Limits.LowMark", "is %d without a HighMark; set both", l.LowMark)
	case l.HighMark > 0 && l.LowMark >= l.HighMark:
		return misconfigured("Limits.LowMark", "is %d; want less than HighMark, %d", l.LowMark, l.HighMark)
	case l.HighMark > l.MaxOutput:
		return misconfigured("Limits.HighMark", "is %d; want at most MaxOutput, %d", l.HighMark, l.MaxOutput)
	case l.IdleTimeout < 0:
		return misconfigured("Limits.IdleTimeout", "is %v; want 0 for none, or more", l.IdleTimeout)
	case l.FlushTimeout < NoLimit:
		return misconfigured("Limits.FlushTimeout", "is %v; want 0 for %v, NoLimit, or more", l.FlushTimeout, defaultFlushTimeout)
	case l.FlushTimeout == 0:
		l.FlushTimeout = defaultFlushTimeout
	}
	return nil
}
