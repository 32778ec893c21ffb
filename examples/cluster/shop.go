package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// shop is the alias of the session that starts the nodes and the customers, kills a node,
// has it replaced, and ends it all.
const shop = "shop"

// What the shop is told.
const (
	Added   kernel.Event[answer]           = "added"
	Asked   kernel.Event[error]            = "asked" // a customer got no answer, and asks again
	Gone    kernel.Event[error]            = "gone"  // a customer went home
	Changed kernel.Event[cluster.Change]   = "changed"
	Exited  kernel.Event[*os.ProcessState] = "exited"
)

const (
	victim   = "node-2"
	patience = 30 * time.Second // for what should take a few seconds
)

type manager struct {
	story
	node      *cluster.Node
	directory cluster.Static
	duration  time.Duration

	programs map[kernel.WheelID]*process
	shopping int               // customers
	waiting  map[string]uint64 // for an answer under another token than this: at first, and after the kill
	opened   time.Time         // when all had an answer
	killed   bool
	replaced bool
	closing  bool
}

// process is a node's that runs.
type process struct {
	name   string
	run    *wheel.Run
	killed bool
}

func newManager(node *cluster.Node, directory cluster.Static, duration time.Duration) *manager {
	return &manager{
		story: newStory(), node: node, directory: directory, duration: duration,
		programs: map[kernel.WheelID]*process{}, waiting: map[string]uint64{},
	}
}

func (m *manager) session() kernel.Receiver {
	return session.New(
		session.Handle("_start", m.start),
		session.On(Changed, m.changed),
		session.On(Added, m.added),
		session.On(Asked, m.asked),
		session.On(Gone, m.gone),
		session.On(Exited, m.exited),
		session.Handle("look", m.look),
		session.Handle("kill", m.kill),
		session.Handle("replace", m.replace),
		session.Handle("close", m.close),
		session.Handle("interrupted", m.close),
		session.Handle("late", m.late),
	)
}

func (m *manager) start(c *kernel.Context) error {
	c.Sig("INT", "interrupted")
	c.Sig("TERM", "interrupted")
	for _, name := range []string{"node-1", "node-2", "node-3"} {
		if err := m.begin(c, name); err != nil {
			return err
		}
	}
	for _, name := range customers {
		if _, err := c.Spawn(newCustomer(name), kernel.Alias(name)); err != nil {
			return err
		}
		m.shopping++
		m.waiting[name] = 0
	}
	m.say("three nodes are started; they give no leases for 3 s, for they do not know what they gave before")
	c.Delay("late", patience)
	return m.node.Watch(c, Changed.Name())
}

// begin starts a node as a process of its own.
func (m *manager) begin(c *kernel.Context, name string) error {
	run, err := wheel.NewRun(c, wheel.RunConfig{
		Func: program, ProgramArgs: arguments(name, m.directory),
		ExitEvent: Exited, NoStdin: true, KillOnClose: true,
	})
	if err == nil {
		m.programs[run.ID()] = &process{name: name, run: run}
	}
	return err
}

// changed: a node has come, is lost, or is back.
func (m *manager) changed(_ *kernel.Context, ch cluster.Change) error {
	if ch.State != cluster.Connecting && !m.closing {
		m.say("%v", ch)
	}
	return nil
}

func (m *manager) added(c *kernel.Context, a answer) error {
	m.hear(a, !m.opened.IsZero(), c.Now())
	if over, waits := m.waiting[a.name]; !waits || a.Epoch == over {
		return nil
	}
	delete(m.waiting, a.name)
	switch {
	case len(m.waiting) > 0:
	case m.opened.IsZero():
		m.opened = c.Now()
		m.say("every cart is on a node: %s", m.where())
		c.Delay("look", time.Second)
		c.Delay("kill", m.duration/5)
		c.Delay("close", m.duration)
		c.Delay("late", m.duration+patience)
	case m.killed && !m.replaced:
		c.Delay("replace", time.Second/2)
	}
	return nil
}

// kill ends a node in the rudest way there is.
func (m *manager) kill(*kernel.Context) error {
	for name, last := range m.carts {
		if last.Node == victim {
			m.waiting[name] = last.Epoch
		}
	}
	for _, p := range m.programs {
		if p.name == victim {
			p.killed, m.killed = true, true
			m.say("%s is killed with SIGKILL, and %d carts with it", victim, len(m.waiting))
			return p.run.Kill(os.Kill)
		}
	}
	return nil
}

func (m *manager) replace(c *kernel.Context) error {
	if m.closing {
		return nil
	}
	m.replaced = true
	m.say("%s is started again, in another process", victim)
	return m.begin(c, victim)
}

// close sends the customers home, when the nodes have had time to settle.
func (m *manager) close(c *kernel.Context) error {
	interrupted := c.Event() == "interrupted"
	switch {
	case interrupted && m.closing:
		return nil // again: now everything stops at once
	case interrupted:
		c.SigHandled()
	case m.killed && !m.replaced && len(m.troubles) == 0:
		c.Delay("close", time.Second)
		return nil
	}
	m.closing = true
	for _, event := range []string{"look", "kill", "replace", "close"} {
		c.AlarmClear(event)
	}
	for _, name := range customers {
		if err := c.Post(kernel.Address(name), home); err != nil && !errors.Is(err, kernel.ErrNoSession) {
			return err
		}
	}
	return nil
}

// gone: with a customer that went home.
func (m *manager) gone(c *kernel.Context, err error) error {
	if err != nil {
		m.trouble(err)
		c.Delay("close", 0)
	}
	if err := c.Post(c.Sender(), stop); err != nil {
		return err
	}
	if m.shopping--; m.shopping > 0 {
		return nil
	}
	m.ghost(c)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return m.node.Leave(ctx) // and so will the others
}

// ghost does what a node would that was paused while it wrote, and that wakes up long
// after its cart was given to another one.
func (m *manager) ghost(c *kernel.Context) {
	for name, old := range m.moved {
		_, err := Write.Call(c, disk, Page{name, old.Epoch, 1_000_000})
		if err == nil {
			m.trouble(fmt.Errorf("the disk took what %s wrote of %s's cart under a token that is over", old.Node, name))
			return
		}
		m.say("%s wakes up, and writes into %s's cart. The disk says: %v", old.Node, name, err)
		return
	}
}

func (m *manager) exited(c *kernel.Context, state *os.ProcessState) error {
	p := m.programs[c.Wheel()]
	delete(m.programs, c.Wheel())
	if !p.killed && (!state.Success() || !m.closing) {
		m.trouble(fmt.Errorf("%s ended: %v", p.name, state))
	}
	if m.closing && len(m.programs) == 0 {
		c.Kernel().Stop()
	}
	return nil
}

func (m *manager) late(c *kernel.Context) error {
	m.trouble(fmt.Errorf("it takes too long; %d customers wait", len(m.waiting)))
	c.Kernel().Stop() // which kills what runs
	return nil
}
