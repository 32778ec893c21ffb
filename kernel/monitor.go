package kernel

import "slices"

// monitor is one session's wish to hear of another's end.
type monitor struct {
	who   *session
	event string
	args  []any
}

// Monitor has event posted to this session, once, when another one has stopped:
// with its ID, then args. ErrNoSession when there is none (it stopped already).
// A monitor holds nobody.
func (c *Context) Monitor(to Address, event string, args ...any) error {
	c.check()
	t := c.resolve(to)
	if t == nil {
		if to.elsewhere() {
			return c.monitorElsewhere(to, event, args)
		}
		return c.refuse("Monitor", postError(to, event, args, ErrNoSession))
	}
	m := monitor{c.s, event, append([]any{t.addr}, args...)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return c.refuse("Monitor", postError(to, event, args, ErrNoSession))
	}
	t.monitors = append(withRoom(t.monitors), m)
	return nil
}

// withRoom makes room for one more. Monitors of sessions that have ended make way
// first: whoever lives long and is watched by many keeps none of them.
func withRoom(list []monitor) []monitor {
	if len(list) < cap(list) {
		return list
	}
	list = slices.DeleteFunc(list, func(m monitor) bool { return m.who.state.Load()&bDead != 0 })
	if len(list) > cap(list)/2 { // so that the next time is as many monitors away
		list = slices.Grow(list, len(list)+1)
	}
	return list
}

func (k *Kernel) tellMonitors(s *session) {
	s.mu.Lock()
	list := s.monitors
	s.monitors = nil
	s.mu.Unlock()
	for _, m := range list {
		if m.who.isDoomed() { // who ends, too, does not care any more
			continue
		}
		ev := newEvent(m.event, nil, m.args)
		ev.cause, ev.ref = s.last, uncounted
		_ = k.postOutside(m.who, &ev)
	}
}

// Tell is Post, but for QueueLimit: what is told once, such as an end, must not get lost
// because its receiver is busy. It is for components.
func (k *Kernel) Tell(to Address, event string, args ...any) error {
	t := k.dir.find(to)
	if t == nil {
		return postError(to, event, args, ErrNoSession)
	}
	ev := newEvent(event, nil, args)
	ev.ref = uncounted
	if err := k.postOutside(t, &ev); err != nil {
		return postError(to, event, args, err)
	}
	return nil
}
