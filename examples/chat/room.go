package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
)

// room is the session that knows who is there.
type room struct {
	members map[kernel.Address]*member // by their connections' sessions
	guests  int
	closed  bool
}

type member struct {
	name string
	conn *client
}

func (r *room) start(c *kernel.Context) error {
	c.Sig("INT", "interrupted")
	c.Sig("TERM", "interrupted")
	return nil
}

// interrupted closes the door; who is inside still gets what was said.
func (r *room) interrupted(c *kernel.Context) error {
	if r.closed {
		return nil // again: now everything stops at once
	}
	r.closed = true
	c.SigHandled()
	r.tell(c, nil, "* the room closes")
	return tcp.Drain.Post(c, "door", time.Second)
}

func (r *room) joined(c *kernel.Context, conn *client) error {
	r.guests++
	m := &member{fmt.Sprint("guest", r.guests), conn}
	r.members[c.Sender()] = m
	r.tell(c, m, "* %s has joined", m.name)
	return conn.Send(c, fmt.Sprintf("* welcome, %s; /nick NAME, /who, /quit", m.name))
}

func (r *room) left(c *kernel.Context, _ *client) error {
	if m := r.members[c.Sender()]; m != nil {
		delete(r.members, c.Sender())
		r.tell(c, nil, "* %s has left", m.name)
	}
	return nil
}

func (r *room) said(c *kernel.Context, line string) error {
	m := r.members[c.Sender()]
	line = printable(line)
	command, rest, _ := strings.Cut(line, " ")
	switch {
	case m == nil || line == "":
		return nil
	case !strings.HasPrefix(line, "/"):
		r.tell(c, m, "%s: %s", m.name, line)
		return nil
	case command == "/nick":
		return r.rename(c, m, rest)
	case command == "/who":
		return m.conn.Send(c, "* here: "+strings.Join(r.names(), ", "))
	case command == "/quit":
		err := tcp.Shutdown.Post(c, c.Sender(), struct{}{}) // after what was sent before
		return errors.Join(err, r.left(c, m.conn))          // whatever else comes is not heard
	}
	return m.conn.Send(c, "* there is no "+command)
}

var goodName = regexp.MustCompile(`^[\pL\pN_-]{1,20}$`)

func (r *room) rename(c *kernel.Context, m *member, name string) error {
	switch {
	case !goodName.MatchString(name):
		return m.conn.Send(c, "* want a name of 1 to 20 letters or digits")
	case slices.Contains(r.names(), name):
		return m.conn.Send(c, "* somebody is called "+name)
	}
	r.tell(c, nil, "* %s is now %s", m.name, name)
	m.name = name
	return nil
}

func (r *room) names() (names []string) {
	for _, m := range r.members {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return names
}

// tell sends a line to all but one.
func (r *room) tell(c *kernel.Context, but *member, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	for _, m := range r.members {
		if m != but {
			_ = m.conn.Send(c, line) // one who is just leaving does not mind
		}
	}
}

// printable keeps a line from playing with other people's terminals.
func printable(line string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return -1
	}, line))
}
