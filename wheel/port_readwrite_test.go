package wheel_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// A wheel that another session uses is caught in a debug kernel, whatever it is
// asked for.
func TestW1_AStrangersUseIsCaught(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
		k := kernel.New(kernel.Config{Mode: mode, Debug: true, Observer: strict(t)})
		conn, _ := inMemory(t)
		h := newHost(t, conn)
		var d *wheel.Datagram
		var f *wheel.SocketFactory
		stranger := session.New(session.Handle("use", func(c *kernel.Context) error {
			for name, use := range map[string]func(){
				"Put":             func() { _ = h.rw.Put("x") },
				"PauseInput":      func() { h.rw.PauseInput() },
				"Close":           func() { h.rw.Close() },
				"Exchange":        func() { _, _ = wheel.Exchange(h.rw, h.cfg) },
				"Datagram.Put":    func() { _ = d.Put(wheel.Packet{}) },
				"Datagram.Pause":  func() { d.PauseInput() },
				"Datagram.Resume": func() { d.ResumeInput() },
				"Datagram.Close":  func() { d.Close() },
				"Factory.Close":   func() { f.Close() },
			} {
				if m := misuse(use); m == nil || !strings.Contains(m.Error(), "belongs to session") {
					t.Errorf("%s by a stranger: %v", name, m)
				}
			}
			return carryOn.Post(c, c.Sender(), struct{}{})
		}))
		h.begin = func(c *kernel.Context) (err error) {
			if d, err = wheel.NewDatagram(c, bindPackets(t, "udp"), wheel.DatagramConfig{InputEvent: gotPacket}); err != nil {
				return err
			}
			if f, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: ":0", SuccessEvent: gotConn}); err != nil {
				return err
			}
			other, err := c.Spawn(stranger)
			h.must(err)
			return c.Post(other, "use")
		}
		h.more = append(h.more, session.Handle("_child", func(*kernel.Context) error { return nil }),
			onCarryOn(func() { h.rw.Close(); d.Close(); f.Close() }))
		run(t, k, h.session())
		h.want()
	}
}

// misuse is what f panics with.
func misuse(f func()) (m *kernel.MisuseError) {
	defer func() { m, _ = recover().(*kernel.MisuseError) }()
	f()
	return nil
}

// Wheels of all kinds share one line of IDs; none is 0, none is given out twice.
func TestW3_IDs(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
			var ids []kernel.WheelID
			for range 3 {
				conn, _ := inMemory(t)
				rw, err := wheel.NewReadWrite(c, conn, lineConfig{Filter: filter.Line()})
				if err != nil {
					return err
				}
				d, err := wheel.NewDatagram(c, bindPackets(t, "udp"), wheel.DatagramConfig{})
				if err != nil {
					return err
				}
				f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: ":0", SuccessEvent: gotConn})
				if err != nil {
					return err
				}
				p, err := wheel.NewRun(c, wheel.RunConfig{Program: []string{"true"}})
				if err != nil {
					return err
				}
				ids = append(ids, rw.ID(), d.ID(), f.ID(), p.ID())
				rw.Close()
				d.Close()
				f.Close()
				p.Close()
			}
			if ids[0] == 0 || !slices.IsSorted(ids) || len(slices.Compact(ids)) != 12 {
				t.Errorf("IDs %v", ids)
			}
			return nil
		})))
	})
}

// A wheel's event is never nested in another handler of its session, although Put and
// the rest of what a handler does may be what brings it about.
func TestW4_EventsHaveTurnsOfTheirOwn(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		h := newHost(t, conn)
		h.cfg.FlushedEvent, h.cfg.HighEvent, h.cfg.LowEvent, h.cfg.HighMark = flushed, full, drained, 1
		inside := false
		check := func() {
			if inside {
				t.Error("an event in the middle of a handler")
			}
		}
		h.onFlushed, h.onFull = check, check
		h.line = func(c *kernel.Context, s string) error {
			check()
			inside = true
			h.must(h.rw.Put(s))
			_, err := c.Call(c.Self(), "called")
			inside = false
			if s == "bye" {
				h.rw.CloseFlushed()
			}
			return err
		}
		h.more = append(h.more, session.Handle("called", func(*kernel.Context) error { return nil }))
		beside(t, func() {
			far.send("hello\nbye\n")
			if got := far.rest(); got != "hello\r\nbye\r\n" {
				t.Errorf("peer got %q", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
	})
}

// Exchange changes any event of a live wheel, and leaves a pause as it is.
func TestW5_W6_ExchangeOfEventsDuringAPause(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		const otherLine kernel.Event[string] = "other_line"
		h := newHost(t, conn)
		h.line = func(c *kernel.Context, s string) (err error) {
			h.note("line %s", s)
			h.rw.PauseInput()
			cfg := h.cfg
			cfg.Filter, cfg.InputEvent, cfg.ErrorEvent = filter.Line(), otherLine, ""
			h.rw, err = wheel.Exchange(h.rw, cfg)
			h.must(tryAgain.Yield(c, struct{}{}))
			return err
		}
		h.more = []session.State{
			session.On(otherLine, func(_ *kernel.Context, s string) error { h.note("other %s", s); return nil }),
			session.On(tryAgain, func(c *kernel.Context, _ struct{}) error { return carryOn.Yield(c, struct{}{}) }),
			onCarryOn(func() { h.note("resumed"); h.rw.ResumeInput() }),
		}
		beside(t, func() { far.send("1\n2\n"); _ = far.Close() })
		run(t, k, h.session())
		h.want("line 1", "resumed", "other 2", "closed nil")
	})
}

// Inside ErrorEvent, too, the wheel may be given another filter: its output goes on.
func TestW8_ExchangeInsideErrorEvent(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		if _, ok := far.Conn.(interface{ CloseWrite() error }); !ok {
			t.Skip("cannot be half closed")
		}
		h := newHost(t, conn)
		h.cfg.HalfOpen = true
		h.onFail = func(*kernel.Context, *wheel.Error) {
			semicolons, err := filter.NewLine(filter.LineConfig{InputLiteral: ";", OutputLiteral: ";"})
			h.must(err)
			cfg := h.cfg
			cfg.Filter = semicolons
			h.rw, err = wheel.Exchange(h.rw, cfg)
			h.must(err)
			h.must(h.rw.Put("a", "b"))
			h.rw.CloseFlushed()
		}
		beside(t, func() {
			far.send("x\n")
			far.closeWrite()
			if got := far.rest(); got != "a;b;" {
				t.Errorf("peer got %q", got)
			}
			_ = far.Close()
		})
		run(t, k, h.session())
		h.want("line x", "read EOF", "closed nil")
	})
}

// Without ErrorEvent an end is not silent: CloseEvent says it. Without that, too, the
// wheel still ends, and lets its session go.
func TestW19_EndsWithoutErrorEvent(t *testing.T) {
	onKinds(t, func(t *testing.T, k *kernel.Kernel, conn net.Conn, far *peer) {
		h := newHost(t, conn)
		h.cfg.ErrorEvent = ""
		beside(t, func() { far.send("x\n"); _ = far.Close() })
		run(t, k, h.session())
		h.want("line x", "closed nil")
	})
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		h := newHost(t, conn)
		h.cfg.ErrorEvent, h.cfg.CloseEvent = "", ""
		_ = far.Conn.(*net.TCPConn).SetLinger(0)
		_ = far.Close()
		run(t, k, h.session())
		h.want()
		if err := h.rw.Put("x"); !errors.Is(err, wheel.ErrClosed) {
			t.Errorf("Put after the end: %v", err)
		}
	})
}

// Put answers with an error or nil; the high state is asked for, and is false without
// marks. Buffered is in bytes. One byte at a time, and nothing happens in between.
func TestW20_W34_PutHighAndBuffered(t *testing.T) {
	kerneltest.Seeds(t, 3, func(t *testing.T, seed uint64) {
		for _, mark := range []int{0, 100} {
			conn, _ := inMemory(t) // takes 4096 bytes
			h := newHost(t, conn)
			if mark > 0 {
				h.cfg.HighMark, h.cfg.LowMark = mark, mark/2
			}
			h.begin = func(*kernel.Context) error {
				for i := 0; i < 4096+200; i += 3 {
					h.must(h.rw.Put("x"))
					sent := i + 3
					if want := max(0, sent-4096); h.rw.Buffered() != want || h.rw.High() != (mark > 0 && want >= mark) {
						t.Fatalf("after %d bytes: %d buffered, high %v", sent, h.rw.Buffered(), h.rw.High())
					}
				}
				h.rw.Close()
				return nil
			}
			k := kerneltest.New(t, kerneltest.Seed(seed))
			spawn(t, k, h)
			kerneltest.Run(t, k)
		}
	})
}

// Marks come, go and change with Exchange, with output queued.
func TestW27_MarksThroughExchange(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		conn, far := inMemory(t)
		h := newHost(t, conn)
		with := func(high, low int) {
			cfg := h.cfg
			cfg.Filter, cfg.HighMark, cfg.LowMark, cfg.HighEvent, cfg.LowEvent = filter.Line(), high, low, "", ""
			if high > 0 {
				cfg.HighEvent, cfg.LowEvent = full, drained
			}
			var err error
			h.rw, err = wheel.Exchange(h.rw, cfg)
			h.must(err)
			h.note("%d %d %v", high, low, h.rw.High())
		}
		h.begin = func(c *kernel.Context) error {
			h.must(h.rw.Put(strings.Repeat("x", 10_000-2))) // of which 4096 are sent
			with(6000, 2000)                                // not reached
			return nil
		}
		k := kerneltest.New(t, kerneltest.Seed(seed))
		var step func()
		h.more = append(h.more, onCarryOn(func() { step() }))
		owner, err := k.Spawn(h.session())
		h.must(err)
		kerneltest.Advance(t, k, 0)
		for _, step = range []func(){
			func() { with(5000, 3000) }, // is reached, by what was queued before
			func() { with(0, 0) },       // the LowEvent that was owed is not any more
			func() { with(5000, 1000) },
			func() { h.note("reads"); far.read(4096) }, // 1808 stay queued
			func() { h.note("reads"); far.read(4096) },
			func() { h.rw.Close() },
		} {
			h.must(carryOn.PostFrom(k, owner, struct{}{}))
			kerneltest.Advance(t, k, 0)
		}
		h.want("6000 2000 false", "5000 3000 true", "full", "0 0 false", "5000 1000 true", "full", "reads", "reads", "drained")
		kerneltest.Run(t, k)
	})
}
