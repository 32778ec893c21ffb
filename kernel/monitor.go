package kernel

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
	t.monitors = append(t.monitors, m)
	return nil
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
		ev.cause = s.last
		_ = k.postOutside(m.who, &ev)
	}
}
