package tcp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// A pause is no silence, and silence begins when it ends, also where the timer rings
// after that.
func TestIdleTimeoutDoesNotCountAPause(t *testing.T) {
	for _, pause := range []time.Duration{9 * time.Second, 25 * time.Second} {
		n := wheeltest.New(wheeltest.Config{})
		k := kerneltest.New(t, kerneltest.Config(kernel.Config{Network: n}))
		resume := kernel.Event[struct{}]("resume")
		var heard time.Time
		var silent time.Duration
		s, err := tcp.NewServer(k, serverConfig{
			Address: "10.0.0.1:7", Filter: lines, Limits: tcp.Limits{IdleTimeout: 10 * time.Second},
			ClientInput: func(c *kernel.Context, conn *conn, _ string) error {
				heard = c.Now()
				conn.PauseInput()
				resume.Delay(c, pause, struct{}{})
				return nil
			},
			ClientStates: []state{tcp.On(resume, func(_ *kernel.Context, conn *conn, _ struct{}) error { conn.ResumeInput(); return nil })},
			ClientError: func(c *kernel.Context, _ *conn, e *wheel.Error) error {
				silent = c.Now().Sub(heard)
				return tcp.Shutdown.Post(c, "server", struct{}{})
			},
			Alias: "server",
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tcp.NewClient(k, clientConfig{
			RemoteAddress: s.Addr().String(), Filter: lines,
			Connected:   func(_ *kernel.Context, conn *conn) error { return conn.Put("hello") },
			ServerInput: func(*kernel.Context, *conn, string) error { return nil },
		}); err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		n.Check(t)
		if want := pause + 10*time.Second; silent != want {
			t.Errorf("after a pause of %v it was idle %v after the line, want %v", pause, silent, want)
		}
	}
}

var full = []kernel.SpawnOption{kernel.QueueLimit(1)}

// keepsBusy has such a session's queue full whenever somebody else posts to it, for as
// long as it is connected.
func keepsBusy() []state {
	return []state{tcp.Handle("busy", func(c *kernel.Context, conn *conn) error {
		if !conn.Connected() {
			return nil
		}
		err := c.Yield("busy")
		if errors.Is(err, kernel.ErrQueueFull) { // somebody was quicker; timers do not count
			c.Delay("busy", 0)
			return nil
		}
		return err
	})}
}

// No QueueLimit keeps a drain away from a connection, nor a shutdown from a client.
func TestShutdownOfWhoIsBusy(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		begin := func(c *kernel.Context, _ *conn) error { r.note("connected"); return c.Yield("busy") }
		cfg := serverConfig{
			SessionOptions: full, ClientStates: keepsBusy(), ClientInput: echo, ClientConnected: begin,
			ClientDrain:        func(*kernel.Context, *conn) error { r.note("drain"); return nil },
			ClientDisconnected: func(*kernel.Context, *conn) error { r.note("disconnected"); return nil },
		}
		s := r.server(cfg)
		p := r.dial(s.Addr())
		r.await("connected")
		s.Drain(time.Millisecond)
		p.hungUp()
		r.ended(s.Session())
		r.want("connected", "drain", "disconnected")
		r.clear()

		l := listen(t)
		cl := r.client(clientConfig{
			RemoteAddress: l.Addr().String(), SessionOptions: full, States: keepsBusy(), Connected: begin,
			Disconnected: func(*kernel.Context, *conn) error { r.note("disconnected"); return nil },
		})
		p = accept(t, l)
		r.await("connected")
		cl.Shutdown()
		p.hungUp()
		r.ended(cl.Session())
		r.want("connected", "disconnected")
	})
}
