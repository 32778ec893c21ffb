package wheel_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// idleHost is a wheel on a connection in memory in a simulated kernel, with an hour's
// IdleTimeout. Its peer is used between steps of the clock.
func idleHost(t *testing.T, seed uint64) (*kernel.Kernel, *host, *memory) {
	conn, far := inMemory(t)
	h := newHost(t, conn)
	h.cfg.IdleTimeout = time.Hour
	h.onFail = func(_ *kernel.Context, e *wheel.Error) {
		if e.Op != "filter" && cause(e) != "EOF" && !errors.Is(e, os.ErrDeadlineExceeded) {
			t.Errorf("failure %v", e)
		}
	}
	return kerneltest.New(t, kerneltest.Seed(seed)), h, far.Conn.(*memory)
}

func spawn(t *testing.T, k *kernel.Kernel, h *host) {
	t.Helper()
	if _, err := k.Spawn(h.session()); err != nil {
		t.Fatal(err)
	}
}

// Silence counts from the last byte, in either direction, to the nanosecond.
func TestG10_IdleTimeoutCountsFromTheLastByte(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		k, h, far := idleHost(t, seed)
		h.line = func(_ *kernel.Context, s string) error { h.note("line %s", s); return h.rw.Put(s) }
		spawn(t, k, h)
		for range 3 {
			kerneltest.Advance(t, k, 40*time.Minute)
			_, _ = far.TryWrite([]byte("x\n"))
			kerneltest.Advance(t, k, 0)
		}
		kerneltest.Advance(t, k, 40*time.Minute)
		_, _ = far.TryWrite([]byte("half a li")) // counts, too
		kerneltest.Advance(t, k, time.Hour-1)
		h.want("line x", "line x", "line x")
		kerneltest.Advance(t, k, 1)
		h.want("line x", "line x", "line x", "read i/o timeout", "closed i/o timeout")
		kerneltest.Run(t, k)
		if now := k.Now().Sub(kerneltest.Epoch); now != 160*time.Minute+time.Hour {
			t.Errorf("the kernel ran until %v: a timer was left", now)
		}
	})
}

// A pause does not count, and begins the time anew.
func TestG10_IdleTimeoutAndPause(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		k, h, _ := idleHost(t, seed)
		h.begin = func(c *kernel.Context) error {
			h.rw.PauseInput()
			carryOn.Delay(c, 3*time.Hour, struct{}{})
			return nil
		}
		h.more = append(h.more, onCarryOn(func() { h.note("resumed"); h.rw.ResumeInput() }))
		spawn(t, k, h)
		kerneltest.Advance(t, k, 4*time.Hour-1)
		h.want("resumed")
		kerneltest.Advance(t, k, 1)
		h.want("resumed", "read i/o timeout", "closed i/o timeout")
	})
}

// A peer that has said all and takes nothing cannot hold a wheel up for ever, in
// whichever state it is.
func TestG12_IdleTimeoutOfAStuckOutput(t *testing.T) {
	for name, test := range map[string]struct {
		set   func(h *host)
		begin func(h *host)
		eof   bool
		want  []string
	}{
		"after its end": {eof: true,
			want: []string{"read EOF", "write i/o timeout", "closed i/o timeout"}},
		"half open": {eof: true, set: func(h *host) { h.cfg.HalfOpen = true },
			want: []string{"read EOF", "write i/o timeout", "closed i/o timeout"}},
		"CloseFlushed": {begin: func(h *host) { h.rw.CloseFlushed() },
			want: []string{"write i/o timeout", "closed i/o timeout"}},
		"only writing": {set: func(h *host) { h.cfg.InputEvent = "" },
			want: []string{"write i/o timeout", "closed i/o timeout"}},
		"both": {want: []string{"read i/o timeout", "closed i/o timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			kerneltest.Seeds(t, 3, func(t *testing.T, seed uint64) {
				k, h, far := idleHost(t, seed)
				if test.set != nil {
					test.set(h)
				}
				h.begin = func(*kernel.Context) error {
					h.must(h.rw.Put(strings.Repeat("x", 10_000)))
					if test.begin != nil {
						test.begin(h)
					}
					return nil
				}
				spawn(t, k, h)
				if test.eof {
					_ = far.CloseWrite()
				}
				kerneltest.Advance(t, k, 30*time.Minute)
				_, _ = far.TryRead(make([]byte, 4096)) // one gulp puts it off
				kerneltest.Advance(t, k, time.Hour-1)
				if len(h.log) > 1 {
					t.Errorf("too early: %q", h.log)
				}
				kerneltest.Advance(t, k, 1)
				h.want(test.want...)
			})
		})
	}
}

// Exchange gives a wheel another limit; the silence before does not count.
func TestW27_IdleTimeoutThroughExchange(t *testing.T) {
	kerneltest.Seeds(t, 3, func(t *testing.T, seed uint64) {
		k, h, _ := idleHost(t, seed)
		h.begin = func(c *kernel.Context) error {
			carryOn.Delay(c, 59*time.Minute, struct{}{})
			return nil
		}
		h.more = append(h.more, onCarryOn(func() {
			cfg := h.cfg
			cfg.Filter, cfg.IdleTimeout = filter.Line(), time.Minute
			var err error
			h.rw, err = wheel.Exchange(h.rw, cfg)
			h.must(err)
		}))
		spawn(t, k, h)
		kerneltest.Advance(t, k, time.Hour-1)
		h.want()
		kerneltest.Advance(t, k, 1)
		h.want("read i/o timeout", "closed i/o timeout")
	})
}

// A connection's own limit counts where the configuration has none.
func TestIdleTimeoutOfTheConnection(t *testing.T) {
	for configured, want := range map[time.Duration]time.Duration{0: time.Minute, time.Second: time.Second} {
		k, h, far := idleHost(t, 1)
		h.conn = impatient{h.conn.(*memory)}
		h.cfg.IdleTimeout = configured
		spawn(t, k, h)
		kerneltest.Advance(t, k, want-1)
		h.want()
		kerneltest.Advance(t, k, 1)
		h.want("read i/o timeout", "closed i/o timeout")
		if _, err := far.TryWrite([]byte("x")); err == nil {
			t.Error("the connection is open")
		}
	}
}

type impatient struct{ *memory }

func (impatient) IdleTimeout() time.Duration { return time.Minute }

var _ net.Conn = impatient{}
