//go:build linux

package realtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
)

// kind is that of the keys.
const kind = "acct"

type receiver func(*kernel.Context) error

func (f receiver) Receive(c *kernel.Context) error { return f(c) }

// sink handles what comes to a node.
func (p *program) sink(c *kernel.Context) error { return p.handle(c, "sink@"+p.Name, 0) }

// account handles what comes to a key.
func (p *program) account(key cluster.Key) kernel.Receiver {
	return receiver(func(c *kernel.Context) error { return p.handle(c, key.Key, key.Epoch) })
}

// handle notes an event with the time at which its handler was asked for. That was
// before the guard of the key looked at its lease, so that a process that is stopped
// between there and here does no harm to the proof.
func (p *program) handle(c *kernel.Context, to string, epoch uint64) error {
	e := c.Event()
	if e != "note" && e != "work" && e != "ask" {
		return nil
	}
	at, _ := p.began.Load(c.Self())
	n := Note{What: Handled, To: to, Epoch: epoch, At: at.(int64)}
	n.ID, _ = c.Arg(0).(string)
	if e != "ask" {
		n.From, _ = c.Arg(1).(string)
		i, _ := c.Arg(2).(int)
		n.N = int64(i)
	}
	p.note(n)
	switch e {
	case "ask":
		c.Return(n.ID)
	case "work":
		<-time.After(workTime)
	}
	return nil
}

// What a node has to do when it is stopped: for so many of the keys that it owns so much.
const (
	workKeys  = 6
	workTimes = 12
	workTime  = 25 * time.Millisecond
)

// driver posts to keys and nodes, at random.
type driver struct {
	*program
	n int
}

func newDriver(p *program) *driver { return &driver{program: p} }

func (d *driver) receive(c *kernel.Context) error {
	switch c.Event() {
	case "_start", "go":
		c.Delay("go", d.Every/2+rand.N(d.Every+1))
		if c.Event() == "go" && !d.quiet.Load() {
			d.any(c)
		}
	case "work":
		keys := d.node.Status().Keys
		for _, k := range keys[:min(len(keys), workKeys)] {
			for range workTimes {
				d.post(c, cluster.Place(k.Kind, k.Key), "work")
			}
		}
		d.note(Note{What: Working, N: int64(len(keys))})
	}
	return nil
}

func (d *driver) any(c *kernel.Context) {
	to := kernel.Address("sink@" + d.Others[rand.IntN(len(d.Others))])
	if rand.IntN(3) > 0 {
		to = cluster.Place(kind, rand.IntN(d.Keys))
	}
	d.post(c, to, "note")
}

func (d *driver) post(c *kernel.Context, to kernel.Address, event string) {
	d.n++
	id := fmt.Sprintf("%s post %d", d.life(), d.n)
	d.note(Note{What: Tried, ID: id, To: string(to)})
	if err := c.Post(to, event, id, d.life(), d.n); err != nil {
		d.note(Note{What: Refused, ID: id, Text: err.Error()})
	}
}

// monitors watches every other node's sink, one monitor at a time for each.
type monitors struct {
	*program
	n     int
	up    map[string]bool
	until map[string]string // the monitor that has not told yet
}

func newMonitors(p *program) *monitors {
	return &monitors{program: p, up: map[string]bool{}, until: map[string]string{}}
}

func (m *monitors) receive(c *kernel.Context) error {
	switch c.Event() {
	case "_start":
		return m.node.Watch(c, "changed")
	case "changed":
		ch := c.Arg(0).(cluster.Change)
		m.note(Note{What: Changed, To: ch.Node, Text: ch.String()})
		if !ch.Drained {
			m.up[ch.Node] = ch.State == cluster.Up
			m.watch(c, ch.Node)
		}
	case "told":
		node, id := c.Arg(1).(string), c.Arg(2).(string)
		m.note(Note{What: Told, ID: id, To: node})
		if m.until[node] == id {
			delete(m.until, node)
		}
		m.watch(c, node)
	}
	return nil
}

func (m *monitors) watch(c *kernel.Context, node string) {
	if !m.up[node] || m.until[node] != "" {
		return
	}
	m.n++
	id := fmt.Sprintf("%s monitor %d", m.life(), m.n)
	m.note(Note{What: Monitored, ID: id, To: node})
	m.until[node] = id
	if err := c.Monitor(kernel.Address("sink@"+node), "told", node, id); err != nil {
		delete(m.until, node)
		m.note(Note{What: Told, ID: id, To: node, Text: err.Error()})
	}
}
