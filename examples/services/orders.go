package main

import (
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// What the service orders takes besides messages.
const (
	Make   kernel.Event[struct{}]      = "make"
	Remind kernel.Event[struct{}]      = "remind"
	Told   kernel.Event[backend.Reply] = "told"
)

const (
	everyOrder = 25 * time.Millisecond
	overdue    = 300 * time.Millisecond // then it was lost with somebody, and is asked for again
)

// desk is the service orders: a message is delivered at most once, so it remembers
// what is not paid.
type desk struct {
	*service
	open              map[int]time.Time // asked for then
	made, paid, asked int
	finishing, ended  bool
}

func (d *desk) states(s *service) []session.State {
	d.service, d.open, s.begin = s, map[int]time.Time{}, d.begin
	return []session.State{
		session.On(Make, d.make),
		session.On(Remind, d.remind),
		session.On(Paid, d.gotPaid),
		session.On(Finish, d.finish),
		session.On(Told, func(*kernel.Context, backend.Reply) error { return nil }),
	}
}

// begin does not wait for the connection: messages do.
func (d *desk) begin(c *kernel.Context) {
	Make.Delay(c, everyOrder, struct{}{})
	Remind.Delay(c, overdue, struct{}{})
}

func (d *desk) make(c *kernel.Context, _ struct{}) error {
	if d.finishing {
		return nil
	}
	d.made++
	Make.Delay(c, everyOrder, struct{}{})
	return d.ask(c, d.made)
}

func (d *desk) ask(c *kernel.Context, n int) error {
	d.open[n] = c.Now()
	return d.conn.Send(backend.Message{Name: Reserve.Name(), To: "stock", Args: []any{n}})
}

// remind asks again for what should have been paid by now.
func (d *desk) remind(c *kernel.Context, _ struct{}) error {
	for _, n := range slices.Sorted(maps.Keys(d.open)) {
		if c.Now().Sub(d.open[n]) >= overdue {
			d.asked++
			if err := d.ask(c, n); err != nil {
				return err
			}
		}
	}
	Remind.Delay(c, overdue, struct{}{})
	return nil
}

// gotPaid: an order that was asked for twice may be paid twice, which counts once.
func (d *desk) gotPaid(c *kernel.Context, m backend.Message) error {
	n, err := number(m)
	if err != nil {
		return err
	}
	if _, waits := d.open[n]; waits {
		delete(d.open, n)
		d.paid++
	}
	return d.report(c)
}

func (d *desk) finish(c *kernel.Context, _ backend.Message) error {
	d.finishing = true
	return d.report(c)
}

// report tells the town when all is done.
func (d *desk) report(c *kernel.Context) error {
	if !d.finishing || len(d.open) > 0 || d.ended {
		return nil
	}
	d.ended = true
	c.AlarmRemoveAll()
	return d.conn.Ask(c, backend.Message{Name: Report.Name(), Args: []any{d.made, d.paid, d.asked}}, Told)
}
