package wheeltest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// model is a correct wheel, simple enough to break: it reads a connection.
type model struct {
	fault string
	src   *kernel.Source
	conn  wheel.Pollable
	spare *kernel.Source // what a fault needs
}

func newModel(c *kernel.Context, w *World, fault string) *model {
	m := &model{fault: fault, conn: w.Conn("one", "two", "three").(wheel.Pollable)}
	m.src = c.NewSource("model", m.turn, m.end)
	m.src.Watch(fault != "does not hold its session")
	m.conn.Notify(m.src.Wake, nil)
	m.src.Wake()
	switch fault {
	case "an event in the constructor":
		m.src.Deliver(c, "data")
	case "a goroutine stays":
		go func() { <-held }()
	case "a second source stays", "goes on after Close":
		m.spare = c.NewSource("spare", func(c *kernel.Context) { m.spare.Deliver(c, "late") }, func() {})
		m.spare.Watch(true)
	case "a connection stays":
		w.Network.Pair()
	case "a listener stays":
		_, _ = w.Network.Listen(context.Background(), "tcp", ":0")
	}
	return m
}

// held is closed when goroutines that a fault left behind may go.
var held chan struct{}

func (m *model) ID() kernel.WheelID { return m.src.ID() }

func (m *model) Close() {
	m.src.Close()
	switch m.fault {
	case "goes on after Close":
		m.spare.Wake()
	case "does not end with its session":
		_ = m.conn.Close()
	}
}

func (m *model) end() {
	if m.fault == "Close leaves the connection open" || m.fault == "does not end with its session" {
		return
	}
	_ = m.conn.Close()
}

func (m *model) turn(c *kernel.Context) {
	buf := make([]byte, 100)
	for {
		n, err := m.conn.TryRead(buf)
		switch {
		case err == wheel.ErrAgain:
			return
		case err != nil:
			m.finish(c, err)
			return
		}
		if !m.deliver(c, string(buf[:n])) {
			return
		}
	}
}

var unlike atomic.Int64

func (m *model) deliver(c *kernel.Context, s string) bool {
	switch m.fault {
	case "an event without its ID":
		return c.Post(c.Self(), "data", s) == nil
	case "differs from run to run":
		s = fmt.Sprint(s, unlike.Add(1))
	}
	return m.src.Deliver(c, "data", s)
}

func (m *model) finish(c *kernel.Context, err error) {
	if m.fault == "the connection is open at CloseEvent" {
		defer m.conn.Close()
	} else {
		_ = m.conn.Close()
	}
	var reason error
	if err != io.EOF {
		reason = err
	}
	switch m.fault {
	case "no CloseEvent":
	case "CloseEvent with nothing":
		m.src.Deliver(c, Closed.Name())
	case "CloseEvent with something else":
		m.src.Deliver(c, Closed.Name(), "done")
	default:
		m.src.Deliver(c, Closed.Name(), reason)
	}
	switch m.fault {
	case "CloseEvent twice":
		m.src.Deliver(c, Closed.Name(), reason)
	case "an event after CloseEvent":
		m.src.Deliver(c, "data", "more")
	case "holds its session for ever":
		return
	case "the source stays":
		m.src.Watch(false)
		return
	}
	m.src.Close()
}

func modelCase(fault string) Case {
	return Case{Make: func(c *kernel.Context, w *World) (Wheel, error) { return newModel(c, w, fault), nil }}
}

func TestG11_CorrectWheelPasses(t *testing.T) { Run(t, modelCase("")) }

// What a check is worth shows when it meets the fault it is for.
func TestG11_BrokenWheelsFail(t *testing.T) {
	within, after := endsWithin, endsAfter
	endsWithin, endsAfter = 200*time.Millisecond, 20*time.Millisecond
	held = make(chan struct{})
	t.Cleanup(func() { endsWithin, endsAfter = within, after; close(held) })
	for _, tt := range []struct{ fault, check string }{
		{"CloseEvent twice", "ends"},
		{"CloseEvent with nothing", "ends"},
		{"CloseEvent with something else", "ends"},
		{"no CloseEvent", "ends"},
		{"an event after CloseEvent", "ends"},
		{"an event in the constructor", "ends"},
		{"an event without its ID", "ends"},
		{"does not hold its session", "ends"},
		{"holds its session for ever", "ends"},
		{"the source stays", "ends"},
		{"a second source stays", "close"},
		{"a goroutine stays", "ends"},
		{"a connection stays", "ends"},
		{"a listener stays", "ends"},
		{"the connection is open at CloseEvent", "ends"},
		{"goes on after Close", "close"},
		{"goes on after Close", "close later"},
		{"Close leaves the connection open", "close"},
		{"does not end with its session", "stop"},
		{"does not end with its session", "kernel stop"},
		{"differs from run to run", "replays"},
	} {
		t.Run(tt.fault+"/"+tt.check, func(t *testing.T) {
			i := slices.IndexFunc(checks, func(c check) bool { return c.name == tt.check })
			err := checks[i].on(modelCase(tt.fault), t.TempDir)
			if err == nil {
				t.Fatalf("the check %q does not see it", tt.check)
			}
			t.Log(err)
		})
	}
}

// A wheel that has no end of its own must not have one.
func TestEndlessCase(t *testing.T) {
	c := modelCase("")
	c.Endless = 2
	Run(t, c)
	c.Endless = 9
	if err := checks[0].on(c, t.TempDir); err == nil {
		t.Error("a wheel that ended after 4 events passes for one that sends 9")
	}
}

// A case that shows nothing is no proof.
func TestCaseWithoutEvents(t *testing.T) {
	err := checks[0].on(Case{Make: func(c *kernel.Context, w *World) (Wheel, error) {
		m := &model{conn: w.Conn().(wheel.Pollable)}
		m.src = c.NewSource("model", m.turn, m.end)
		m.src.Watch(true)
		m.conn.Notify(m.src.Wake, nil)
		return m, nil
	}}, t.TempDir)
	if err == nil {
		t.Error("it passes")
	}
}
