package backend

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// do performs what the link wants.
func (w *wire) do(c *kernel.Context, acts []any) error {
	for _, a := range acts {
		if err := w.perform(c, a); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) perform(c *kernel.Context, a any) error {
	switch a := a.(type) {
	case doConnect:
		return w.connect(c)
	case doRegister:
		return w.command(c, filter.Frame{Name: cmdRegister, Args: []any{w.conn.cfg.Name, a.reconnects}})
	case doSend:
		return w.send(c, a.out)
	case doPing:
		evNoPong.Delay(c, w.conn.cfg.PingWait, struct{}{})
		return w.command(c, filter.Frame{Name: cmdPing, Args: []any{c.Now()}, ID: a.id})
	case doPingOver:
		c.AlarmClear(evNoPong.Name())
	case doWait:
		evWake.Delay(c, a.d, struct{}{})
	case doAnswer:
		if a.out.done != nil {
			_, _ = c.AlarmRemove(a.out.timer) // it may be what brought us here
			a.out.done(a.reply)
		}
	case doDisconnect:
		w.hangUp()
	case doEnd:
		w.leave(c)
	default:
		panic(fmt.Sprintf("backend: bug: no way to do %T", a))
	}
	return nil
}

func (w *wire) connect(c *kernel.Context) (err error) {
	w.dial, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		RemoteAddress: w.address(), SuccessEvent: evUp, FailureEvent: evFailed, ConnectTimeout: connectTimeout,
	})
	return err
}

// command sends a frame of ours, which is small: a connection that does not take
// it is given up by its ping.
func (w *wire) command(c *kernel.Context, f filter.Frame) error {
	b, err := w.conn.codec.encode(f)
	if err != nil {
		return err
	}
	return w.send(c, &outgoing{name: f.Name, encoded: b})
}

// send writes a message. On a connection that has just ended it is as good as
// sent, and lost: the wheel's last event is on its way.
func (w *wire) send(c *kernel.Context, o *outgoing) error {
	if w.rw == nil {
		return nil
	}
	err := w.rw.Put(o.encoded)
	if errors.Is(err, wheel.ErrOutputFull) {
		if o.done == nil {
			c.Kernel().Report("backend", "message dropped: the connection takes no more output", fmt.Errorf("message %.64q: %w", o.name, err))
		}
		return w.do(c, w.link.full(o))
	}
	return nil
}

// hangUp drops the connection, or the attempt to make one.
func (w *wire) hangUp() {
	if w.dial != nil {
		w.dial.Close()
		w.dial = nil
	}
	if w.rw != nil {
		w.rw.Close()
		w.rw = nil
	}
}

// leave ends the session once what was sent has left.
func (w *wire) leave(c *kernel.Context) {
	if w.rw == nil {
		w.hangUp()
		c.Stop()
		return
	}
	w.rw.CloseFlushed()
	c.AlarmClear(evWake.Name())
	evOver.Delay(c, farewell, struct{}{})
}
