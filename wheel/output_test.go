package wheel_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// fillUp writes lines of 8 bytes until the system takes no more, and returns how
// many bytes that were. What follows begins a new line.
func fillUp(t *testing.T, far *peer) int {
	t.Helper()
	raw, err := far.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Error(err)
		return 0
	}
	n := 0
	err = raw.Write(func(fd uintptr) bool {
		for {
			m, err := syscall.Write(int(fd), []byte("0123456\n"))
			if err != nil {
				return true
			}
			n += m
		}
	})
	if err != nil || n%8 != 0 {
		t.Errorf("filling up: %d bytes, %v", n, err)
	}
	return n
}

// The write that Put makes itself is an event, too, and comes after the handler.
func TestW22_FlushedOncePerDrain(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.cfg.FlushedEvent = flushed
		h.begin = func(*kernel.Context) error {
			h.must(h.rw.Put("a"))
			h.must(h.rw.Put("b", "c"))
			h.must(h.rw.Put())
			h.note("put")
			return nil
		}
		h.line = func(*kernel.Context, string) error { h.note("line"); return h.rw.Put("d") }
		h.onFlushed = func() {
			if slices.Contains(h.log, "line") {
				far.read(3)
				_ = far.Close()
			} else {
				far.read(9)
				far.send("more\n")
			}
		}
		run(t, k, h.session())
		h.want("put", "flushed", "line", "flushed", "read EOF", "closed nil")
	})
}

// A peer that does not read: high once, then low once, then flushed (W25, W26).
func TestW24_W25_W26_Marks(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		h := newHost(t, conn)
		h.cfg.HighMark, h.cfg.LowMark = 2<<20, 1<<20
		h.cfg.HighEvent, h.cfg.LowEvent, h.cfg.FlushedEvent = full, drained, flushed
		block := strings.Repeat("x", 1<<20)
		wanted := 0
		h.begin = func(*kernel.Context) error {
			for !h.rw.High() {
				h.must(h.rw.Put(block))
				wanted += len(block) + 2
			}
			h.must(h.rw.Put("a put in the high state does not end it"))
			wanted += 41
			if !h.rw.High() || h.rw.Buffered() < 2<<20 {
				t.Errorf("high %v with %d bytes", h.rw.High(), h.rw.Buffered())
			}
			return nil
		}
		read := make(chan struct{})
		h.onFull = func() { close(read) }
		arrived := make(chan struct{})
		beside(t, func() {
			defer close(arrived)
			<-read
			far.read(wanted)
		})
		h.onFlushed = func() { <-arrived; _ = far.Close() }
		run(t, k, h.session())
		h.want("full", "drained", "flushed", "read EOF", "closed nil")
		if h.rw.High() || h.rw.Buffered() != 0 {
			t.Errorf("at the end: high %v, %d bytes", h.rw.High(), h.rw.Buffered())
		}
	})
}

func TestG12_MaxOutput(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		h := newHost(t, conn)
		h.cfg.MaxOutput = 1 << 20
		sent, filled := 0, make(chan struct{})
		h.begin = func(*kernel.Context) error {
			if err := h.rw.Put(strings.Repeat("x", 1<<20)); !errors.Is(err, wheel.ErrOutputFull) {
				t.Errorf("Put of more than MaxOutput: %v", err)
			}
			for {
				err := h.rw.Put("0123456789")
				if err != nil {
					if !errors.Is(err, wheel.ErrOutputFull) || h.rw.Buffered() > 1<<20 {
						t.Errorf("%v with %d bytes", err, h.rw.Buffered())
					}
					break
				}
				sent += 12
			}
			h.rw.CloseFlushed()
			close(filled)
			return nil
		}
		beside(t, func() {
			<-filled
			if got := len(far.rest()); got != sent {
				t.Errorf("peer got %d bytes, want the %d that Put took", got, sent)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("closed nil")
	})
}

// Unsent output holds the session: the wheel is all it has.
func TestW11_LastPutBeforeTheSessionEnds(t *testing.T) {
	onNetworks(t, func(t *testing.T, k *kernel.Kernel, network string) {
		conn, far := connect(t, network)
		h := newHost(t, conn)
		h.cfg.InputEvent, h.cfg.CloseEvent = "", ""
		big := strings.Repeat("x", 8<<20)
		h.begin = func(*kernel.Context) error { return h.rw.Put(big, "the end") }
		beside(t, func() {
			got := far.rest()
			if len(got) != len(big)+11 || !strings.HasSuffix(got, "the end\r\n") {
				t.Errorf("peer got %d bytes, want %d", len(got), len(big)+11)
			}
		})
		run(t, k, h.session())
		h.want()
	})
}

// A stop by force is POE's: what is unsent is lost, and nothing is told.
func TestW2_StopDropsTheWheel(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		h := newHost(t, conn)
		h.begin = func(c *kernel.Context) error {
			h.must(h.rw.Put(strings.Repeat("x", 8<<20)))
			return carryOn.Yield(c, struct{}{})
		}
		h.more = []session.State{session.On(carryOn, func(c *kernel.Context, _ struct{}) error {
			c.Stop()
			return nil
		})}
		run(t, k, h.session())
		h.want()
		if n, err := io.Copy(io.Discard, far); err != nil || n >= 8<<20 {
			t.Errorf("peer got %d bytes, %v", n, err)
		}
	})
}

// Closing on unread input would make the peer lose what was sent.
func TestCloseFlushedWithUnreadInput(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.line = func(_ *kernel.Context, s string) error {
			h.note("line %s", s)
			h.must(h.rw.Put("bye"))
			h.rw.CloseFlushed()
			h.rw.CloseFlushed()
			return nil
		}
		far.send("quit\n" + strings.Repeat("never read\n", 1000))
		beside(t, func() {
			if got := far.rest(); got != "bye\r\n" {
				t.Errorf("peer got %q", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("line quit", "closed nil")
	})
}

func TestCloseFlushedDoesNotWaitForeverForThePeersEnd(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, _ := connect(t, "tcp")
		h := newHost(t, conn)
		h.begin = func(*kernel.Context) error { h.rw.CloseFlushed(); return nil }
		run(t, k, h.session())
		h.want("closed nil")
	})
}

func TestReleaseReturnsTheConnectionAndWhatWasNotDelivered(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.line = func(_ *kernel.Context, s string) error {
			h.note("line %s", s)
			got, unread, err := h.rw.Release()
			if err != nil || got != conn || !strings.HasPrefix("two\nthr", string(unread)) {
				t.Errorf("Release: %v, %q, %v", got, unread, err)
			}
			rest := make([]byte, len("two\nthree\n")-len(unread))
			far.send("ee\n")
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := io.ReadFull(got, rest); err != nil || string(unread)+string(rest) != "two\nthree\n" {
				t.Errorf("released connection: %q and %q, %v", unread, rest, err)
			}
			if _, _, err := h.rw.Release(); !errors.Is(err, wheel.ErrClosed) {
				t.Errorf("second Release: %v", err)
			}
			return nil
		}
		far.send("one\ntwo\nthr")
		run(t, k, h.session())
		h.want("line one")
		if _, err := conn.Write([]byte("still open")); err != nil {
			t.Errorf("write after Release: %v", err)
		}
	})
}

// A reader that waits for an idle connection is sent home.
func TestReleaseOfAnIdleConnection(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		for _, pair := range []func() (net.Conn, *peer){
			func() (net.Conn, *peer) { return connect(t, "unix") },
			func() (net.Conn, *peer) { a, b := net.Pipe(); return a, &peer{b, t} },
		} {
			conn, far := pair()
			h := newHost(t, conn)
			h.line = func(c *kernel.Context, _ string) error { return carryOn.Yield(c, struct{}{}) }
			h.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) error {
				_, unread, err := h.rw.Release()
				if err != nil || len(unread) != 0 {
					t.Errorf("Release: %q, %v", unread, err)
				}
				return nil
			})}
			beside(t, func() { far.send("x\n") })
			run(t, k, h.session())
			h.want()
			_ = conn.Close()
		}
	})
}

func TestReleaseIsRefused(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		h := newHost(t, conn)
		tried := make(chan struct{}) // before that nobody reads, or Put could send it all
		h.begin = func(*kernel.Context) error {
			defer close(tried)
			h.must(h.rw.Put(strings.Repeat("x", 8<<20)))
			if _, _, err := h.rw.Release(); !errors.Is(err, wheel.ErrUnsent) {
				t.Errorf("Release with output queued: %v", err)
			}
			return nil
		}
		h.onFail = func(*kernel.Context, *wheel.Error) {
			if _, _, err := h.rw.Release(); !errors.Is(err, io.EOF) {
				t.Errorf("Release at the end of input: %v", err)
			}
		}
		beside(t, func() { <-tried; far.read(8<<20 + 2); _ = far.Close() })
		run(t, k, h.session())
		h.want("read EOF", "closed nil")
	})
}

// What the socket takes is sent by Put itself: the peer has it while the handler
// still runs, in a kernel with one thread of events, too.
func TestW21_W35_T31_PutSendsAtOnce(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.begin = func(*kernel.Context) error {
			h.must(h.rw.Put("now"))
			got := make([]byte, len("now\r\n"))
			if _, err := io.ReadFull(far, got); err != nil || string(got) != "now\r\n" {
				t.Errorf("the peer got %q, %v, before the handler returned", got, err)
			}
			return far.Close()
		}
		run(t, k, h.session())
	})
}
