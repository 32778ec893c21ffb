package wheel_test

import (
	"io"
	"net"
	"testing"

	"github.com/creack/pty"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// sitting is a ReadLine at whose terminal somebody has typed, and may go away.
type sitting struct {
	*wheel.ReadLine
	hangUp func()
}

// attend opens a terminal, a real one or one in memory. It is its owner's, so it
// is closed after the session.
func attend(c *kernel.Context, device bool, keys string) (near, far io.ReadWriteCloser, err error) {
	if near, far = net.Pipe(); device {
		far, near, err = pty.Open()
	}
	if err != nil {
		return nil, nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, far) }()
	go func() { _, _ = io.WriteString(far, keys) }()
	over := c.Done()
	go func() {
		<-over
		_ = near.Close()
		_ = far.Close()
	}()
	return near, far, nil
}

func readLineCase(device bool, keys string, end func(*sitting)) wheeltest.Case {
	return wheeltest.Case{Real: true,
		Make: func(c *kernel.Context, _ *wheeltest.World) (wheeltest.Wheel, error) {
			terminal, user, err := attend(c, device, keys)
			if err != nil {
				return nil, err
			}
			rl, err := wheel.NewReadLine(c, wheel.ReadLineConfig{
				Terminal: terminal, InputEvent: gotInput, CompleteEvent: complete, CloseEvent: wheeltest.Closed,
				PutMode: wheel.PutImmediate,
			})
			if err == nil {
				err = rl.Get("> ")
			}
			if err == nil {
				err = rl.Put("hello", "world")
			}
			return &sitting{rl, func() { _ = user.Close() }}, err
		},
		End: func(w wheeltest.Wheel) { end(w.(*sitting)) },
	}
}

func onBoth(t *testing.T, f func(t *testing.T, device bool)) {
	t.Run("memory", func(t *testing.T) { f(t, false) })
	t.Run("pty", func(t *testing.T) { f(t, true) })
}

// It is asked to end while a second Get waits, and something is to be shown.
func TestReadLineConforms(t *testing.T) {
	onBoth(t, func(t *testing.T, device bool) {
		wheeltest.Run(t, readLineCase(device, "one\r", func(s *sitting) {
			_ = s.Get("and> ")
			_ = s.Put("again")
			s.CloseFlushed()
		}))
	})
}

// A completion is its first event, and the line the second one; the user goes away
// in between.
func TestReadLineConforms_HangUp(t *testing.T) {
	onBoth(t, func(t *testing.T, device bool) {
		wheeltest.Run(t, readLineCase(device, "on\t", func(s *sitting) { s.hangUp() }))
	})
}
