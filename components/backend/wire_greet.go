package backend

import (
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// up puts a wheel on a connection: for the hellos, or, to a server that has none,
// for messages at once.
func (w *wire) up(c *kernel.Context, conn net.Conn) (err error) {
	w.dial = nil
	if w.link.state != Connecting {
		return conn.Close()
	}
	if w.conn.cfg.Serializer == Storable {
		cfg, err := w.terms()
		if err == nil {
			w.talk, err = wheel.NewReadWrite(c, conn, cfg)
		}
		if err != nil {
			return err
		}
		w.rw = w.talk
		w.link.up() // there is nothing to say
		return w.do(c, w.link.welcome(c.Now(), 0))
	}
	w.greeting, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[[]byte, []byte]{
		Filter: &greetings{}, InputEvent: evHello, ErrorEvent: evErr, CloseEvent: evEnd,
	})
	if err != nil {
		return err
	}
	w.rw = w.greeting
	return w.do(c, w.link.up())
}

// terms are those of the wheel that carries messages.
func (w *wire) terms() (wheel.ReadWriteConfig[filter.Frame, []byte], error) {
	f, err := w.conn.dialect.filter()
	return wheel.ReadWriteConfig[filter.Frame, []byte]{
		Filter: metered{f, &w.traffic}, InputEvent: evIn, ErrorEvent: evErr, CloseEvent: evEnd,
		MaxOutput: w.conn.cfg.maxOutput() + ownFrames,
	}, err
}

// room is how much of what others send the wheel takes now.
func (w *wire) room() int {
	n := w.conn.cfg.maxOutput()
	if w.talk != nil {
		n = max(0, n-w.talk.Buffered())
	}
	return n
}

// sayHello is what a connection begins with.
func (w *wire) sayHello(c *kernel.Context) error {
	g, err := newClientGreeting(&w.conn.cfg, w.greeting.Conn())
	if err != nil {
		return w.do(c, w.link.refused(err))
	}
	w.greet = g
	evMute.Delay(c, w.conn.cfg.ConnectTimeout, struct{}{})
	return w.say(w.greet.begin())
}

func (w *wire) say(l []byte) error {
	if len(l) > 0 {
		_ = w.greeting.Put(l) // it is short; a connection that ended says so
	}
	return nil
}

// hello takes a line of the server's.
func (w *wire) hello(c *kernel.Context, l []byte) error {
	if w.link.state != Authenticating || w.greeting == nil || c.Wheel() != w.greeting.ID() {
		return nil
	}
	send, done, err := w.greet.take(l)
	if err != nil {
		c.Kernel().Report("backend", "refused", fmt.Errorf("at %s: %w", w.conn.cfg.address(), err))
		return w.do(c, w.link.refused(err))
	}
	if !done {
		return w.say(send)
	}
	cfg, err := w.terms()
	if err != nil {
		return err
	}
	if w.talk, err = wheel.Exchange(w.greeting, cfg); err != nil {
		return nil // it has ended, and says so next
	}
	w.rw, w.greeting = w.talk, nil
	c.AlarmClear(evMute.Name())
	return w.do(c, w.link.welcome(c.Now(), w.greet.minPing))
}
