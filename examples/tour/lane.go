package main

import (
	"fmt"
	"time"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// What a lane takes.
const (
	Work    kernel.Event[int64]              = "work"
	GotLent kernel.Event[keepalive.Response] = "got_lent"
	GotText kernel.Event[string]             = "got_text"
	Lost    kernel.Event[error]              = "lost"
	Late    kernel.Event[struct{}]           = "late"
	Retry   kernel.Event[struct{}]           = "retry" // the driver's word to a request that was cut off
	Again   kernel.Event[struct{}]           = "again"
)

// patience is how long a lane waits for an answer before it asks again.
const patience = 5 * time.Second

// lane is a client session: it does one request after the other, each on a
// connection that it borrows from the pool, and repeats what was cut off.
type lane struct {
	d      *driver
	number int64
	conn   *keepalive.Conn
	reused bool
}

func (l *lane) session() *session.Session {
	return session.New(
		session.On(Work, l.work),
		session.On(GotLent, l.lent),
		session.On(GotText, l.text),
		session.On(Lost, func(c *kernel.Context, err error) error { return l.again(c, err) }),
		session.On(Late, func(c *kernel.Context, _ struct{}) error { return l.again(c, fmt.Errorf("no answer in %v", patience)) }),
		session.On(Retry, func(c *kernel.Context, _ struct{}) error {
			Again.Delay(c, 20*time.Millisecond, struct{}{})
			return nil
		}),
		session.On(Again, func(c *kernel.Context, _ struct{}) error { return l.ask(c) }),
	)
}

func (l *lane) work(c *kernel.Context, number int64) error {
	l.number = number
	return l.ask(c)
}

func (l *lane) ask(c *kernel.Context) error {
	_, err := l.d.clients.Allocate(c, keepalive.Request{
		Scheme: "price", Addr: l.d.addr.IP.String(), Port: l.d.addr.Port, Event: GotLent,
	})
	return err
}

// lent: a connection, perhaps one that served other requests before.
func (l *lane) lent(c *kernel.Context, r keepalive.Response) error {
	if r.Err != nil {
		return l.again(c, r.Err)
	}
	l.conn, l.reused = r.Conn, r.FromCache != ""
	rw, err := keepalive.Start(c, r.Conn, wheel.ReadWriteConfig[string, string]{
		Filter: filter.Line(), InputEvent: GotText, CloseEvent: Lost,
	})
	if err != nil {
		return err
	}
	Late.Delay(c, patience, struct{}{})
	return rw.Put(fmt.Sprintf("price %d", l.number))
}

func (l *lane) text(c *kernel.Context, line string) error {
	c.AlarmClear(Late.Name())
	var item, cost int64
	var pid int
	if _, err := fmt.Sscanf(line, "%d %d %d", &item, &cost, &pid); err != nil || item != l.number || cost != price(item) {
		return l.again(c, fmt.Errorf("wrong answer %q", line))
	}
	if err := l.conn.Release(); err != nil {
		return err
	}
	l.conn = nil
	return Answered.Post(c, "driver", answered{l.number, pid, l.reused})
}

// again drops the connection, if there is one, and has the driver say whether to
// do the request once more.
func (l *lane) again(c *kernel.Context, why error) error {
	c.AlarmClear(Late.Name())
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
	return CutOff.Post(c, "driver", why)
}
