package wheel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

const (
	nextStep kernel.Event[struct{}] = "next_step"
	giveUp   kernel.Event[struct{}] = "give_up"
)

// visitor is a client of the echo service.
type visitor struct {
	*simulation
	id      int
	r       *rand.Rand
	guest   *guest // nil until the server has heard of him
	factory *wheel.SocketFactory
	rw      *lineWheel

	clean    bool // does nothing that could cost a line
	at       int  // at which event he does something sudden; never, if clean
	events   int
	steps    int
	in, out  int  // frames
	waits    bool // for a LowEvent
	shut     bool // no more is sent
	flushing bool
	end      string
	sent     []string // that the server takes
	came     []string
}

func newVisitor(s *simulation, id int) *visitor {
	r := rand.New(rand.NewPCG(s.seed, uint64(id)))
	return &visitor{simulation: s, id: id, r: r, clean: id%2 == 0, at: 1 + r.IntN(30), steps: 3 + r.IntN(12)}
}

func (v *visitor) String() string { return fmt.Sprint("visitor ", v.id) }

func (v *visitor) session() *session.Session {
	note := func(then func()) func(*kernel.Context, struct{}) error {
		return func(c *kernel.Context, _ struct{}) error {
			v.hears(c, "")
			then()
			v.sudden(c)
			return nil
		}
	}
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			nextStep.Delay(c, upTo(v.r, 200*time.Millisecond), struct{}{})
			return nil
		}),
		session.Handle("_stop", func(c *kernel.Context) error {
			if v.left--; v.left == 0 {
				return goHome.PostFrom(c.Kernel(), v.echo.self, struct{}{}) // what a session posts goes with it
			}
			return nil
		}),
		session.On(gotConn, v.connected),
		session.On(failed, func(c *kernel.Context, err *wheel.Error) error { v.hears(c, err); v.sudden(c); return nil }),
		session.On(closed, func(c *kernel.Context, err error) error {
			v.hears(c, err)
			if v.rw != nil && c.Wheel() == v.rw.ID() {
				v.over(c, endOf(err))
			}
			return nil
		}),
		session.On(gotLine, v.line),
		session.On(flushed, note(func() {})),
		session.On(full, note(func() { v.waits = v.rw.High() })),
		session.On(drained, note(func() { v.waits = false })),
		session.On(nextStep, func(c *kernel.Context, _ struct{}) error { return v.step(c) }),
		session.On(resumeThat, func(*kernel.Context, kernel.WheelID) error { v.rw.ResumeInput(); return nil }),
		session.On(giveUp, func(c *kernel.Context, _ struct{}) error { v.close(c); return nil }),
	)
}

func (v *visitor) connected(c *kernel.Context, conn net.Conn) (err error) {
	v.hears(c, conn.LocalAddr())
	if v.rw, err = wheel.NewReadWrite(c, conn, everyEvent(lineFrames(0, 0, 10*longest))); err != nil {
		return err
	}
	v.begins(v.rw)
	if !v.clean {
		giveUp.Delay(c, 5*time.Minute, struct{}{})
	}
	nextStep.Delay(c, 0, struct{}{})
	return v.send(fmt.Sprintf("visitor %d", v.id))
}

// over is the end of his ReadWrite.
func (v *visitor) over(c *kernel.Context, end string) {
	v.end, v.shut = end, true
	c.AlarmRemoveAll()
}

func (v *visitor) close(c *kernel.Context) {
	v.over(c, "Close")
	v.rw.Close()
	v.ends(v.rw.ID())
}

func (v *visitor) send(s string) error {
	err := v.rw.Put(s)
	if errors.Is(err, wheel.ErrClosed) {
		v.shut = true
		return nil // what ended it has its event
	}
	if err == nil && len(s) <= longest {
		v.sent = append(v.sent, s)
	}
	return err
}

func (v *visitor) line(c *kernel.Context, s string) error {
	v.hears(c, s)
	v.came = append(v.came, s)
	if strings.HasPrefix(s, "switch") {
		if err := v.exchange(1-v.in, v.out); err != nil {
			return err
		}
	}
	v.sudden(c)
	return nil
}

func (v *visitor) exchange(in, out int) error {
	rw, err := wheel.Exchange(v.rw, everyEvent(lineFrames(in, out, 10*longest)))
	if err == nil {
		v.rw, v.in, v.out = rw, in, out
	}
	return err
}

// step connects, sends some lines, or is the last one.
func (v *visitor) step(c *kernel.Context) error {
	switch {
	case v.factory == nil:
		var err error
		v.factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
			RemoteAddress: echoAddress, SuccessEvent: gotConn, FailureEvent: failed, CloseEvent: closed,
		})
		v.begins(v.factory)
		return err
	case v.shut:
		return nil
	case v.waits:
	case v.steps == 0:
		return v.last()
	default:
		v.steps--
		if err := v.act(c); err != nil {
			return err
		}
	}
	nextStep.Delay(c, upTo(v.r, 100*time.Millisecond), struct{}{})
	return nil
}

func (v *visitor) act(c *kernel.Context) error {
	name := fmt.Sprintf(" %d.%d ", v.id, v.steps)
	switch v.r.IntN(8) {
	case 0:
		return v.send("long" + name + strings.Repeat("l", longest+v.r.IntN(longest)))
	case 1:
		return v.send("garbage" + name + v.garbage())
	case 2:
		return v.send("pause" + name)
	case 3:
		v.rw.PauseInput()
		resumeThat.DelayAdd(c, upTo(v.r, time.Second), v.rw.ID())
	case 4:
		if err := v.send("switch" + name); err != nil || v.shut {
			return err
		}
		return v.exchange(v.in, 1-v.out)
	case 5:
		v.rw.Conn().(*wheeltest.Conn).Stall(upTo(v.r, 500*time.Millisecond))
	}
	for i := range v.r.IntN(6) {
		if err := v.send(fmt.Sprint("plain", name, i, strings.Repeat("p", v.r.IntN(longest/2)))); err != nil {
			return err
		}
	}
	return nil
}

// garbage is any bytes that end no line.
func (v *visitor) garbage() string {
	b := make([]byte, v.r.IntN(longest/2))
	for i := range b {
		if b[i] = byte(v.r.IntN(256)); b[i] == '\n' || b[i] == ';' {
			b[i] = 0
		}
	}
	return string(b)
}

// last ends the visit in good order, one way or another.
func (v *visitor) last() error {
	v.shut = true
	switch v.r.IntN(3) {
	case 0:
		v.flushing = true
		v.rw.CloseFlushed()
		v.clean = false // the echo may come later than CloseFlushed waits
		return nil
	case 1:
		return v.send("bye")
	}
	if err := v.rw.ShutdownOutput(); !errors.Is(err, wheel.ErrClosed) {
		return err
	}
	return nil
}

// sudden is what he does without regard for anybody, in the handler of any event.
func (v *visitor) sudden(c *kernel.Context) {
	if v.events++; v.clean || v.events != v.at || v.rw == nil || v.end != "" {
		return
	}
	conn := v.rw.Conn().(*wheeltest.Conn)
	switch v.r.IntN(8) {
	case 0:
		v.close(c)
	case 1:
		v.flushing, v.shut = true, true
		v.rw.CloseFlushed()
	case 2:
		v.shut = true
		_ = v.rw.ShutdownOutput()
	case 3:
		v.over(c, "Stop")
		v.ends(v.rw.ID())
		c.Stop()
	case 4:
		conn.Reset()
	case 5:
		_ = conn.SetLinger(0)
		v.close(c)
	case 6:
		conn.Lose()
	case 7:
		_ = v.send("close")
		v.shut = true
	}
}
