package backend

import (
	"errors"
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel"
)

// showing is the session of a Display.
type showing struct {
	d       *Display
	every   time.Duration
	screen  *screen
	quiet   map[uint64]bool // connections that were silent when it looked last
	hurried bool            // a change is to be shown soon
	over    bool
}

// soon gathers what changes at about the same time in one picture.
const soon = 20 * time.Millisecond

func (p *showing) start(c *kernel.Context) error {
	p.d.self = c.Self()
	if _, err := evWatchServer.Call(c, p.d.srv.self, evServerChange); err != nil {
		return err
	}
	return evTick.Yield(c, struct{}{})
}

func (p *showing) tick(c *kernel.Context, _ struct{}) error {
	if p.over {
		return nil
	}
	p.hurried = false
	if !p.show(c) {
		return nil
	}
	evTick.Delay(c, p.every, struct{}{})
	return nil
}

// last ends the display.
func (p *showing) last(c *kernel.Context, _ struct{}) error {
	if !p.over && p.show(c) {
		p.end(c)
	}
	return nil
}

// show shows how things are now; false: the display has ended.
func (p *showing) show(c *kernel.Context) bool {
	v, err := evStatus.Call(c, p.d.srv.self, struct{}{})
	if err != nil {
		p.write(c, errors.Join(p.screen.print("the server has ended"), p.screen.draw()))
		p.end(c)
		return false
	}
	list := v.([]ConnStatus)
	if p.screen.live() {
		return p.write(c, p.screen.draw(p.screen.picture(p.title(c, list), rowsOf(list, c.Now()))...))
	}
	return p.write(c, p.silence(c, list))
}

func (p *showing) title(c *kernel.Context, list []ConnStatus) string {
	services, n := map[string]bool{}, 0
	for _, s := range list {
		if s.Liveness != LiveDisconnected {
			n++
			services[s.Name] = services[s.Name] || s.Name != ""
		}
	}
	delete(services, "")
	return fmt.Sprintf("%s on %v · %d connected, %d services · %s", p.d.srv.cfg.Alias, p.d.srv.addr, n, len(services), c.Now().Format(time.TimeOnly))
}

func (p *showing) changed(c *kernel.Context, ch ServerChange) error {
	switch {
	case p.over:
	case p.screen.live():
		if !p.hurried {
			p.hurried = true
			evTick.Delay(c, min(soon, p.every), struct{}{})
		}
	default:
		p.write(c, p.screen.print(p.line(c, ch.Conn, wordsOf(ch))))
	}
	return nil
}

// silence tells who has fallen silent, and who has not stayed so.
func (p *showing) silence(c *kernel.Context, list []ConnStatus) error {
	before := p.quiet
	p.quiet = map[uint64]bool{}
	for _, s := range list {
		quiet := s.Liveness == LiveInactive
		if quiet {
			p.quiet[s.ID] = true
		}
		if s.Liveness == LiveDisconnected || quiet == before[s.ID] {
			continue
		}
		what := "heard again: " + string(s.Liveness)
		if quiet {
			what = "silent since " + s.Last.Format(time.TimeOnly)
		}
		if err := p.screen.print(p.line(c, s, what)); err != nil {
			return err
		}
	}
	return nil
}

func (p *showing) line(c *kernel.Context, s ConnStatus, what string) string {
	name := s.Name
	if name == "" {
		name = noName
	}
	return fmt.Sprintf("%s  %-16s #%d  %s", c.Now().Format(time.TimeOnly), name, s.ID, what)
}

func wordsOf(ch ServerChange) string {
	switch ch.What {
	case Came:
		return "came from " + ch.Conn.Addr
	case Went:
		return fmt.Sprintf("went; %d messages received, %d sent", ch.Conn.Received, ch.Conn.Sent)
	}
	return string(ch.What)
}

func (p *showing) say(c *kernel.Context, text string) error {
	if !p.over {
		p.write(c, p.screen.print(text))
	}
	return nil
}

// write ends the display when its output is no good any more.
func (p *showing) write(c *kernel.Context, err error) bool {
	if err != nil && !p.over {
		c.Kernel().Report("backend", "display ended: its output fails", err)
		p.end(c)
	}
	return err == nil
}

// end leaves nothing that would hold the session.
func (p *showing) end(c *kernel.Context) {
	p.over = true
	c.AlarmClear(evTick.Name())
	_, _ = evWatchServer.Call(c, p.d.srv.self, "")
}
