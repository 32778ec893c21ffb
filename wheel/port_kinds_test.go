package wheel_test

import (
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// kinds are the ways in which a wheel uses a connection: a descriptor under the
// poller, goroutines, or a Pollable.
var kinds = map[string]func(*testing.T) (net.Conn, *peer){
	"tcp":    func(t *testing.T) (net.Conn, *peer) { return connect(t, "tcp") },
	"unix":   func(t *testing.T) (net.Conn, *peer) { return connect(t, "unix") },
	"tls":    secure,
	"pipe":   piped,
	"memory": inMemory,
}

func onKinds(t *testing.T, f func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer)) {
	for name, pair := range kinds {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				conn, far := pair(t)
				f(t, k, conn, far)
			})
		})
	}
}

// Puts of all sizes, some while the last is under way: each drain is told, and in
// the end everything was.
func TestW22_EveryKindOfConnectionTellsOfTheLastDrain(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		const puts = 200
		random := rand.New(rand.NewPCG(1, 2))
		h := newHost(t, conn)
		h.cfg.InputEvent, h.cfg.FlushedEvent = "", flushed
		want, n, over := 0, 0, false
		put := func() {
			for range min(puts-n, 1+random.IntN(3)) {
				n++
				s := strings.Repeat("x", random.IntN(20_000))
				want += len(s) + 2
				h.must(h.rw.Put(s))
			}
		}
		total := make(chan int, 1)
		h.begin = func(*kernel.Context) error { put(); return nil }
		h.onFlushed = func() {
			h.log = nil
			if over {
				return // the last put's, which came after all was known to be sent
			}
			if put(); n == puts && h.rw.Buffered() == 0 {
				over = true
				total <- want
				h.rw.CloseFlushed()
			}
		}
		beside(t, func() {
			got := len(far.rest())
			select {
			case want := <-total:
				if got != want {
					t.Errorf("the peer got %d bytes, want %d", got, want)
				}
			default:
				t.Errorf("the peer got %d bytes, and then the end", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		if n != puts {
			t.Errorf("the wheel fell silent after %d of %d puts", n, puts)
		}
	})
}

// A wheel's connection goes to a second wheel between two records, and none is lost.
func TestW7_EveryKindOfConnectionIsReleased(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		h := newHost(t, conn)
		second := newHost(t, nil)
		h.line = func(c *kernel.Context, s string) error {
			h.note("line %s", s)
			if s != "two" {
				return nil
			}
			same, unread, err := h.rw.Release()
			h.must(err)
			second.cfg.Filter.Feed(unread)
			second.conn = same
			_, err = c.Spawn(second.session())
			return err
		}
		h.more = []session.State{session.Handle("_child", func(*kernel.Context) error { return nil })}
		second.line = func(_ *kernel.Context, s string) error {
			second.note("line %s", s)
			if s == "four" {
				h.must(second.rw.Put("bye"))
				second.rw.CloseFlushed()
			}
			return nil
		}
		beside(t, func() {
			far.send("one\ntwo\nthr")
			far.send("ee\nfour\n")
			if got := far.rest(); got != "bye\r\n" {
				t.Errorf("peer got %q", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("line one", "line two")
		second.want("line three", "line four", "closed nil")
	})
}

// A release while nothing comes ends what waits for input, and nothing else.
func TestW7_EveryKindOfConnectionIsReleasedIdle(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		h, released := newHost(t, conn), make(chan struct{})
		h.line = func(c *kernel.Context, _ string) error { return carryOn.Yield(c, struct{}{}) }
		h.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) error {
			same, unread, err := h.rw.Release()
			if err != nil || len(unread) > 0 {
				t.Errorf("Release: %q, %v", unread, err)
				return nil
			}
			close(released)
			beside(t, func() {
				b := make([]byte, len("still there"))
				if _, err := io.ReadFull(same, b); err != nil || string(b) != "still there" {
					t.Errorf("read after Release: %q, %v", b, err)
				}
				_ = same.Close()
			})
			return nil
		})}
		beside(t, func() { far.send("x\n"); <-released; far.send("still there") })
		run(t, k, h.session())
		h.want()
	})
}

func TestW28_W30_ExchangeOnEveryKindOfConnection(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		const gotBytes kernel.Event[[]byte] = "got_bytes"
		h := newHost(t, conn)
		var raw *wheel.ReadWrite[[]byte, []byte]
		var body []byte
		h.line = func(_ *kernel.Context, s string) (err error) {
			h.must(h.rw.Put("as a line"))
			raw, err = wheel.Exchange(h.rw, wheel.ReadWriteConfig[[]byte, []byte]{
				Filter: filter.Stream(), InputEvent: gotBytes, ErrorEvent: failed, CloseEvent: closed, Credit: 10,
			})
			return err
		}
		h.more = []session.State{session.On(gotBytes, func(_ *kernel.Context, b []byte) error {
			if body = append(body, b...); len(body) == 1000 {
				h.must(raw.Put([]byte("as it is")))
				raw.CloseFlushed()
			}
			return nil
		})}
		beside(t, func() {
			far.send("go\n" + strings.Repeat("0123456789", 100))
			if got := far.rest(); got != "as a line\r\nas it is" {
				t.Errorf("peer got %q", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("closed nil")
	})
}

// Closing on input that nobody read would make the peer lose the end of what was
// sent: that holds for a wheel that never reads, too, and however it ends.
func TestW33_EveryEndOfAWheelThatOnlyWritesIsHeard(t *testing.T) {
	for name, end := range map[string]func(*lineWheel) error{
		"ShutdownOutput": (*lineWheel).ShutdownOutput,
		"CloseFlushed":   func(rw *lineWheel) error { rw.CloseFlushed(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				conn, far := connect(t, "tcp")
				far.send("a question that nobody reads\n")
				h := newHost(t, conn)
				h.cfg.InputEvent = ""
				h.begin = func(*kernel.Context) error {
					h.must(h.rw.Put(strings.Repeat("x", 1<<20)))
					return end(h.rw)
				}
				beside(t, func() {
					if got := len(far.rest()); got != 1<<20+2 {
						t.Errorf("peer got %d bytes", got)
					}
					_ = far.Close()
				})
				run(t, k, h.session())
				h.want("closed nil")
			})
		})
	}
}

// A wrapper's Close is called, although TLS below it is not waited for.
func TestW2_AWrapperOfTLSIsClosedToo(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, _ := secure(t)
		closes := 0
		h := newHost(t, wrapper{conn.(*tls.Conn), func() { closes++ }})
		h.begin = func(*kernel.Context) error {
			h.rw.Close()
			return nil
		}
		run(t, k, h.session())
		if closes == 0 {
			t.Error("the wrapper was not told")
		}
	})
}

type wrapper struct {
	*tls.Conn
	closes func()
}

func (w wrapper) Close() error { w.closes(); return w.Conn.Close() }
