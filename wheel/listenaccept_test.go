package wheel_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// Every connection to a listener of one's own comes with both its addresses; a pause
// keeps clients waiting.
func TestW56_ListenAccept(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var la *wheel.ListenAccept
		var clients []string
		dial := func() error {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err == nil {
				t.Cleanup(func() { _ = conn.Close() })
				clients = append(clients, conn.LocalAddr().String())
			}
			return err
		}
		var accepted []string
		h := &host{t: t}
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				la, err = wheel.NewListenAccept(c, wheel.ListenAcceptConfig{
					Handle: l, AcceptEvent: gotConn, ErrorEvent: failed, CloseEvent: closed,
				})
				return errors.Join(err, dial())
			}),
			session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
				if c.Wheel() != la.ID() || conn.LocalAddr().String() != l.Addr().String() {
					t.Errorf("connection to %v from wheel %v", conn.LocalAddr(), c.Wheel())
				}
				accepted = append(accepted, conn.RemoteAddr().String())
				switch len(accepted) {
				case 1:
					la.PauseAccept()
					return errors.Join(dial(), conn.Close(), carryOn.Yield(c, struct{}{}))
				case 2:
					la.Drain()
				}
				return conn.Close()
			}),
			session.On(carryOn, func(*kernel.Context, struct{}) error {
				h.note("%d while paused", len(accepted))
				la.ResumeAccept()
				return nil
			}),
			session.On(closed, func(_ *kernel.Context, err error) error { h.note("closed %s", cause(err)); return nil }),
		))
		h.want("1 while paused", "closed nil")
		if strings.Join(accepted, " ") != strings.Join(clients, " ") {
			t.Errorf("accepted %q, want %q", accepted, clients)
		}
	})
}

// What cost one connection is passed over, the rest is an ErrorEvent.
func TestW56_AcceptErrors(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		h := &host{t: t}
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				_, err := wheel.NewListenAccept(c, wheel.ListenAcceptConfig{
					Handle: script(syscall.ECONNABORTED, nil, syscall.EBADF), AcceptEvent: gotConn, ErrorEvent: failed, CloseEvent: closed,
				})
				return err
			}),
			session.On(gotConn, func(_ *kernel.Context, conn net.Conn) error { h.note("connection"); return conn.Close() }),
			session.On(failed, func(_ *kernel.Context, e *wheel.Error) error { h.note("%s %s", e.Op, cause(e)); return nil }),
			session.On(closed, func(_ *kernel.Context, err error) error { h.note("closed %s", cause(err)); return nil }),
		))
		h.want("connection", "accept bad file descriptor", "closed bad file descriptor")
	})
}

func TestW56_ListenAcceptConfigIsChecked(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l := script()
		run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
			for field, cfg := range map[string]wheel.ListenAcceptConfig{
				"Handle":      {AcceptEvent: gotConn},
				"AcceptEvent": {Handle: l},
				"Ahead":       {Handle: l, AcceptEvent: gotConn, Ahead: -2},
			} {
				_, err := wheel.NewListenAccept(c, cfg)
				if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "ListenAcceptConfig."+field) {
					t.Errorf("%s: %v", field, err)
				}
			}
			return nil
		})))
		select {
		case <-l.closed:
			t.Error("the listener was closed")
		default:
		}
	})
}
