package wheel_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	goHome     kernel.Event[struct{}]       = "go_home"
	resumeThat kernel.Event[kernel.WheelID] = "resume_that"
)

// longest is what the server takes for a line.
const longest = 200

// frames are what ends a line, before and after each switch.
var frames = [2]string{"\n", ";"}

// lineFrames is a filter with one frame for what comes in and one for what goes out.
func lineFrames(in, out, most int) filter.Filter[string, string] {
	f, err := filter.NewLine(filter.LineConfig{InputLiteral: frames[in], OutputLiteral: frames[out], MaxLength: most})
	if err != nil {
		panic(err)
	}
	return f
}

// everyEvent is a configuration that leaves out nothing.
func everyEvent(f filter.Filter[string, string]) lineConfig {
	return lineConfig{
		Filter: f, InputEvent: gotLine, FlushedEvent: flushed, ErrorEvent: failed, CloseEvent: closed,
		HighMark: 500, LowMark: 100, HighEvent: full, LowEvent: drained, Credit: 1000,
	}
}

// echoService is the server.
type echoService struct {
	*simulation
	self    kernel.Address
	factory *wheel.SocketFactory
	guests  map[kernel.WheelID]*guest
}

// guest is a visitor as the service sees him.
type guest struct {
	rw            *lineWheel
	frame         int
	heard, echoed []string
	flushing      bool
	end           string
}

func (e *echoService) session() *session.Session {
	note := func(c *kernel.Context, _ struct{}) error { e.hears(c, ""); return nil }
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			e.factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
				BindAddress: echoAddress, SuccessEvent: gotConn, FailureEvent: failed, CloseEvent: closed,
			})
			if err == nil {
				e.begins(e.factory)
			}
			return err
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			e.hears(c, conn.RemoteAddr())
			cfg := everyEvent(lineFrames(0, 0, longest))
			cfg.IdleTimeout = 10 * time.Minute
			rw, err := wheel.NewReadWrite(c, conn, cfg)
			if err == nil {
				e.begins(rw)
				e.guests[rw.ID()] = &guest{rw: rw}
			}
			return err
		}),
		session.On(gotLine, func(c *kernel.Context, s string) error {
			e.hears(c, s)
			return e.line(c, e.guests[c.Wheel()], s)
		}),
		session.On(resumeThat, func(_ *kernel.Context, id kernel.WheelID) error {
			e.guests[id].rw.ResumeInput()
			return nil
		}),
		session.On(failed, func(c *kernel.Context, err *wheel.Error) error { e.hears(c, err); return nil }),
		session.On(closed, func(c *kernel.Context, err error) error {
			e.hears(c, err)
			if g := e.guests[c.Wheel()]; g != nil {
				g.end = endOf(err)
			}
			return nil
		}),
		session.On(flushed, note), session.On(full, note), session.On(drained, note),
		session.On(goHome, func(*kernel.Context, struct{}) error { e.factory.Drain(); return nil }),
	)
}

// line echoes a line, and does what it asks for.
func (e *echoService) line(c *kernel.Context, g *guest, s string) error {
	if g.heard == nil {
		var i int
		if _, err := fmt.Sscanf(s, "visitor %d", &i); err != nil {
			return err
		}
		e.visitors[i].guest = g
	}
	g.heard = append(g.heard, s)
	switch err := g.rw.Put(s); {
	case err == nil:
		g.echoed = append(g.echoed, s)
	case !errors.Is(err, wheel.ErrClosed): // which says that a write has failed; its event is to come
		return err
	}
	switch word, _, _ := strings.Cut(s, " "); word {
	case "switch":
		g.frame = 1 - g.frame
		cfg := everyEvent(lineFrames(g.frame, g.frame, longest))
		cfg.IdleTimeout = 10 * time.Minute
		rw, err := wheel.Exchange(g.rw, cfg)
		if err != nil {
			return err
		}
		g.rw = rw
	case "pause":
		g.rw.PauseInput()
		resumeThat.DelayAdd(c, 30*time.Millisecond, c.Wheel())
	case "bye":
		g.flushing = true
		g.rw.CloseFlushed()
	case "close":
		g.end = "Close"
		g.rw.Close()
		e.ends(c.Wheel())
	}
	return nil
}
