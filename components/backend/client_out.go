package backend

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// out sends a frame. A client that does not read its messages is dropped.
func (p *client) out(c *kernel.Context, b []byte) error {
	if p.rw == nil {
		return nil // it is not let in yet, or on its way out
	}
	if held := p.rw.Buffered(); held > 0 && p.srv.queued.Load()+int64(len(b)) > int64(p.srv.cfg.MaxOutputTotal) {
		return p.drop(c, "connection dropped: it does not read, and ServerConfig.MaxOutputTotal is reached", fmt.Errorf("%d bytes wait for it", held))
	}
	if err := p.rw.Put(b); errors.Is(err, wheel.ErrOutputFull) {
		return p.drop(c, "connection dropped: it does not read its messages", err)
	}
	p.card.sent(p.asked)
	p.count()
	return nil // or the wheel's last event is on its way
}

// count tells the server how much waits.
func (p *client) count() {
	n := 0
	if p.rw != nil {
		n = p.rw.Buffered()
	}
	if n == p.queued {
		return
	}
	p.srv.queued.Add(int64(n - p.queued))
	p.queued = n
	p.card.note(func(s *ConnStatus) { s.Queued = n })
}

// forward passes on a message of somebody else's, in this connection's dialect.
func (p *client) forward(c *kernel.Context, parcel parcel) error {
	b := parcel.encoded
	if p.serializer != Protobuf {
		f, err := p.srv.wire.decode(b)
		if err == nil {
			b, err = p.dialect.encode(f)
		}
		if err != nil {
			p.report(c, "message dropped: it has no form in the connection's serializer", err)
			return nil
		}
	}
	return p.out(c, b)
}

// answered is out for the answer to a request.
func (p *client) answered(c *kernel.Context, b []byte) error {
	p.asked--
	if err := p.out(c, b); err != nil {
		return err
	}
	p.finished(c)
	return nil
}

func (p *client) trouble(c *kernel.Context, e *wheel.Error) error {
	if e.Op != "filter" {
		return nil
	}
	if errors.Is(e, filter.ErrUnusable) {
		p.report(c, "connection closed: what comes are no frames", e)
		return nil // the wheel ends
	}
	p.report(c, "message refused", e)
	if p.dialect == nil {
		return nil
	}
	p.card.said(LiveUnknown, p.asked, c.Now())
	var refused *filter.FrameError
	if errors.As(e, &refused) && refused.Frame.ID != 0 {
		return p.refuse(c, refused.Frame, refused.Err.Error(), "")
	}
	return nil
}

func (p *client) hurry(c *kernel.Context, _ struct{}) error {
	return p.drop(c, "connection closed: no message came within RegisterTimeout", errors.New("silent"))
}

func (p *client) drop(c *kernel.Context, cause string, err error) error {
	p.report(c, cause, err)
	return p.leave(c)
}

// leave closes the connection. The session stops behind what was posted to it until
// now, such as others' messages, which go nowhere; the desk posts no more.
func (p *client) leave(c *kernel.Context) error {
	if p.leaving {
		return nil
	}
	p.leaving = true
	if p.greeting != nil {
		p.greeting.Close()
	}
	if p.rw != nil {
		p.rw.Close()
	}
	p.greeting, p.rw = nil, nil
	p.count() // what waited for it makes room for others at once
	c.AlarmRemoveAll()
	_, _ = evGone.Call(c, p.desk, struct{}{})
	return evStop.Yield(c, struct{}{})
}

func (p *client) report(c *kernel.Context, cause string, err error) {
	c.Kernel().Report("backend", cause, fmt.Errorf("client %q at %v: %w", p.name, p.conn.RemoteAddr(), err))
}

// drainID is what a client answers that the server drains.
const drainID = 1

// finish: the server drains. One of our clients is told, and ends what it has begun:
// until it has said that nothing new follows, something may be on its way. Perl's has
// nothing that could be waited for but its requests.
func (p *client) finish(c *kernel.Context, _ struct{}) error {
	p.finishing = true
	if p.rw == nil {
		return p.leave(c)
	}
	if p.serializer != Storable {
		return p.answer(c, filter.Frame{Name: evDrain, ID: drainID})
	}
	p.consents = true
	p.finished(c)
	return nil
}

// finished says goodbye when all is done that was begun.
func (p *client) finished(c *kernel.Context) {
	if p.consents && !p.leaving && p.asked == 0 && len(p.book.open) == 0 {
		_ = evBye.Yield(c, struct{}{})
	}
}

func (p *client) bye(c *kernel.Context, _ struct{}) error {
	if p.rw == nil {
		return p.leave(c)
	}
	p.rw.CloseFlushed()
	evOver.Delay(c, farewell, struct{}{})
	return nil
}
