package wheel_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func onNetworks(t *testing.T, f func(t *testing.T, k *kernel.Kernel, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) { f(t, k, network) })
		})
	}
}

// After everything the peer sent: the end of input, then the end of the wheel.
func TestW13_W16_G11_LinesThenEOFThenClose(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		conn, far := connect(t, network)
		h := newHost(t, conn)
		far.send("one\ntwo\nthree\nunfinished")
		_ = far.Close()
		run(t, k, h.session())
		h.want("line one", "line two", "line three", "read EOF", "closed nil")
	})
}

// Trap 14: bytes are there before the wheel is made, and wait for its handler.
func TestG11_T14_NoEventBeforeTheMakerReturns(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		far.send("early\n")
		_ = far.Close()
		h := newHost(t, conn)
		h.begin = func(c *kernel.Context) error {
			h.note("made")
			return c.Yield("check")
		}
		h.more = []session.State{session.Handle("check", func(*kernel.Context) error { return nil })}
		run(t, k, h.session())
		h.want("made", "line early", "read EOF", "closed nil")
	})
}

func TestW16_HalfCloseByThePeer(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		conn, far := connect(t, network)
		h := newHost(t, conn)
		h.onFail = func(*kernel.Context, *wheel.Error) {
			if err := h.rw.Put("you said " + h.log[0]); err != nil {
				t.Errorf("Put after EOF: %v", err)
			}
		}
		far.send("question\n")
		far.closeWrite()
		run(t, k, h.session())
		h.want("line question", "read EOF", "closed nil")
		if got := far.rest(); got != "you said line question\r\n" {
			t.Errorf("peer got %q", got)
		}
	})
}

func TestW16_HalfOpenKeepsTheOutput(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		conn, far := connect(t, network)
		h := newHost(t, conn)
		h.cfg.HalfOpen = true
		h.onFail = func(c *kernel.Context, _ *wheel.Error) { h.must(carryOn.Yield(c, struct{}{})) }
		h.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) error {
			h.must(h.rw.Put("later"))
			return h.rw.ShutdownOutput()
		})}
		far.closeWrite()
		run(t, k, h.session())
		h.want("read EOF", "closed nil")
		if got := far.rest(); got != "later\r\n" {
			t.Errorf("peer got %q", got)
		}
	})
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Error(err)
	}
}

// Our half close: the peer sees the end, and its answer still comes.
func TestW33_ShutdownOutputAfterWhatIsQueued(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		conn, far := connect(t, network)
		h := newHost(t, conn)
		big := strings.Repeat("x", 4<<20)
		h.begin = func(*kernel.Context) error {
			h.must(h.rw.Put(big))
			h.must(h.rw.ShutdownOutput())
			if err := h.rw.Put("more"); !errors.Is(err, wheel.ErrClosed) {
				t.Errorf("Put after ShutdownOutput: %v", err)
			}
			return nil
		}
		beside(t, func() {
			if got := len(far.rest()); got != len(big)+2 {
				t.Errorf("peer got %d bytes, want %d", got, len(big)+2)
			}
			far.send("answer\n")
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("line answer", "read EOF", "closed nil")
	})
}

func TestW17_Reset(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.line = func(*kernel.Context, string) error {
			_ = far.Conn.(*net.TCPConn).SetLinger(0)
			return far.Close()
		}
		far.send("x\n")
		run(t, k, h.session())
		h.want("read connection reset by peer", "closed connection reset by peer")
	})
}

// Without InputEvent nothing is read: a write is what finds out.
func TestW14_W18_WriteErrorEndsTheWheel(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		_ = far.Close()
		h := newHost(t, conn)
		h.cfg.InputEvent, h.cfg.FlushedEvent = "", flushed
		h.begin = func(*kernel.Context) error { return h.rw.Put("to nobody") }
		run(t, k, h.session())
		h.want("write broken pipe", "closed broken pipe")
		if err := h.rw.Put("again"); !errors.Is(err, wheel.ErrClosed) {
			t.Errorf("Put after the end: %v", err)
		}
	})
}

// shortWriter takes half of what it is given, and says nothing of the rest.
type shortWriter struct{ net.Conn }

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

// A connection whose Write breaks its promise does not keep the wheel for ever.
func TestW18_ShortWriteIsAnError(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := net.Pipe()
		defer far.Close()
		h := newHost(t, shortWriter{near})
		h.cfg.InputEvent = ""
		h.begin = func(*kernel.Context) error { return h.rw.Put("hello") }
		run(t, k, h.session())
		h.want("write short write", "closed short write")
	})
}

// The directions fail apart: what the peer still sends is delivered, then comes the
// end, with the first failure as its reason.
func TestW18_G11_InputGoesOnAfterAWriteError(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		if err := far.Conn.(*net.UnixConn).CloseRead(); err != nil {
			t.Fatal(err)
		}
		h := newHost(t, conn)
		h.begin = func(*kernel.Context) error { return h.rw.Put("to deaf ears") }
		h.onFail = func(_ *kernel.Context, e *wheel.Error) {
			if e.Op == "write" {
				far.send("still here\n")
				_ = far.Close()
			}
		}
		run(t, k, h.session())
		h.want("write broken pipe", "line still here", "read EOF", "closed broken pipe")
	})
}

func TestW15_CloseStopsTheRecordsOfTheSameRead(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.line = func(_ *kernel.Context, s string) error {
			h.note("line %s", s)
			if s == "quit" {
				h.rw.Close()
				if err := h.rw.Put("x"); !errors.Is(err, wheel.ErrClosed) {
					t.Errorf("Put after Close: %v", err)
				}
				if _, err := h.conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
					t.Errorf("connection after Close: %v; want it closed", err)
				}
			}
			return nil
		}
		far.send("one\nquit\nthree\n")
		run(t, k, h.session())
		h.want("line one", "line quit")
	})
}

func TestW32_T13_PauseStopsWhatWasReadAlready(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.line = func(c *kernel.Context, s string) error {
			h.note("line %s", s)
			if s == "2" {
				h.rw.PauseInput()
				return carryOn.Yield(c, struct{}{})
			}
			return nil
		}
		h.more = []session.State{
			session.On(carryOn, func(c *kernel.Context, _ struct{}) error {
				h.note("paused")
				return tryAgain.Yield(c, struct{}{})
			}),
			session.On(tryAgain, func(*kernel.Context, struct{}) error {
				h.note("resumed")
				h.rw.ResumeInput()
				return nil
			}),
		}
		far.send("1\n2\n3\n4\n")
		_ = far.Close()
		run(t, k, h.session())
		h.want("line 1", "line 2", "paused", "resumed", "line 3", "line 4", "read EOF", "closed nil")
	})
}

// Credit: a peer that sends to a paused wheel is held up by the system's buffers.
func TestG12_PausedInputHoldsThePeer(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		h := newHost(t, conn)
		stuck := make(chan struct{})
		h.begin = func(c *kernel.Context) error {
			h.rw.PauseInput()
			lease := c.Lease("to resume")
			beside(t, func() {
				<-stuck
				h.must(lease.Post(carryOn.Name(), struct{}{}))
				lease.Release()
			})
			return nil
		}
		h.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) error {
			h.rw.ResumeInput()
			return nil
		})}
		lines := 0
		h.line = func(*kernel.Context, string) error { lines++; return nil }
		const total = 200_000
		beside(t, func() {
			n := fillUp(t, far)
			close(stuck)
			far.send(strings.Repeat("0123456\n", total/8-n/8))
			_ = far.Close()
		})
		run(t, k, h.session())
		if lines != total/8 {
			t.Errorf("%d lines, want %d", lines, total/8)
		}
	})
}

func TestW29_W31_T30_ExchangeBetweenTwoRecordsOfOneRead(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const gotBytes kernel.Event[[]byte] = "got_bytes"
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		var raw *wheel.ReadWrite[[]byte, []byte]
		var body []byte
		h.line = func(_ *kernel.Context, s string) (err error) {
			h.note("line %s", s)
			if s != "raw" {
				return nil
			}
			h.must(h.rw.Put("switching"))
			raw, err = wheel.Exchange(h.rw, wheel.ReadWriteConfig[[]byte, []byte]{
				Filter: filter.Stream(), InputEvent: gotBytes, CloseEvent: closed,
			})
			if e := h.rw.Put("old"); !errors.Is(e, wheel.ErrClosed) {
				t.Errorf("Put to the old wheel: %v", e)
			}
			h.rw.Close() // does nothing: it is not the wheel any more
			return err
		}
		h.more = []session.State{session.On(gotBytes, func(c *kernel.Context, b []byte) error {
			if c.Wheel() != h.rw.ID() {
				t.Errorf("wheel %v after Exchange, want %v", c.Wheel(), h.rw.ID())
			}
			body = append(body, b...)
			return raw.Put(b)
		})}
		far.send("hello\nraw\nnot a line\nnor this")
		far.closeWrite()
		run(t, k, h.session())
		h.want("line hello", "line raw", "closed nil")
		if string(body) != "not a line\nnor this" {
			t.Errorf("after the exchange: %q", body)
		}
		if got := far.rest(); got != "switching\r\nnot a line\nnor this" {
			t.Errorf("peer got %q", got)
		}
	})
}

// An exchange outside the wheel's events finds whole records among the pending bytes.
func TestW28_ExchangeDeliversWhatWasPending(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		semi := func(s string) filter.Filter[string, string] {
			f, err := filter.NewLine(filter.LineConfig{InputLiteral: s, OutputLiteral: s})
			h.must(err)
			return f
		}
		h.line = func(c *kernel.Context, s string) error {
			h.note("line %s", s)
			if s == "go" {
				return carryOn.Yield(c, struct{}{})
			}
			return nil
		}
		h.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) (err error) {
			cfg := h.cfg
			cfg.Filter = semi(";")
			h.rw, err = wheel.Exchange(h.rw, cfg)
			far.send("c;")
			far.closeWrite()
			return err
		})}
		far.send("go\na;b;")
		run(t, k, h.session())
		h.want("line go", "line a", "line b", "line c", "read EOF", "closed nil")
	})
}

// Another event and the same filter: what that had not parsed comes once.
func TestW5_W31_ExchangeOfEventsAlone(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const gotMore kernel.Event[string] = "got_more"
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.line = func(c *kernel.Context, s string) (err error) {
			h.note("line %s", s)
			cfg, old := h.cfg, h.rw
			cfg.InputEvent = gotMore
			h.rw, err = wheel.Exchange(old, cfg)
			if old.Current() != wheel.Ender(h.rw) || h.rw.Current() != wheel.Ender(h.rw) {
				t.Error("Current is not the value that stands for the wheel")
			}
			return err
		}
		h.more = []session.State{session.On(gotMore, func(_ *kernel.Context, s string) error {
			if h.note("more %s", s); s == "b" {
				far.send("\nd\n")
				far.closeWrite()
			}
			return nil
		})}
		far.send("a\nb\nc")
		run(t, k, h.session())
		h.want("line a", "more b", "more c", "more d", "read EOF", "closed nil")
	})
}

func TestW12_W13_W23_ReadWriteConfigIsChecked(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, _ := connect(t, "tcp")
		bad := map[string]func(*lineConfig){
			"Filter":    func(c *lineConfig) { c.Filter = nil },
			"Credit":    func(c *lineConfig) { c.Credit = -1 },
			"MaxOutput": func(c *lineConfig) { c.MaxOutput = -1 },
			"HighMark":  func(c *lineConfig) { c.HighEvent = full },
			"LowMark":   func(c *lineConfig) { c.HighMark, c.LowMark = 10, 10 },
		}
		run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
			for field, spoil := range bad {
				cfg := lineConfig{Filter: filter.Line()}
				spoil(&cfg)
				_, err := wheel.NewReadWrite(c, conn, cfg)
				if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "ReadWriteConfig."+field) {
					t.Errorf("%s: %v", field, err)
				}
			}
			_, err := wheel.NewReadWrite(c, nil, lineConfig{Filter: filter.Line()})
			if !errors.Is(err, wheel.ErrConfig) {
				t.Errorf("nil connection: %v", err)
			}
			return nil
		})))
	})
}
