package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// What the town takes.
const (
	Open   kernel.Event[struct{}]         = "open"
	Report kernel.Event[*backend.Request] = "report" // orders' last word: made, paid, asked again
	Exited kernel.Event[*os.ProcessState] = "exited"
)

// patience is how long orders may take to be paid when no more are made.
const patience = 20 * time.Second

// town is the session that starts the services, kills one, and ends it all.
type town struct {
	duration time.Duration
	server   *backend.Server
	display  *backend.Display

	programs          map[kernel.WheelID]*process
	killed, restarted int
	made, paid, asked int
	reported          bool
	early, over       bool // interrupted, and everybody is sent home
	troubles          []error
}

// process is a service that runs.
type process struct {
	name   string
	run    *wheel.Run
	killed bool
}

func (t *town) start(c *kernel.Context) error {
	c.Sig("INT", "interrupted")
	c.Sig("TERM", "interrupted")
	return c.AliasSet("the town stands")
}

// open starts everybody, in no order: messages wait for nobody here.
func (t *town) open(c *kernel.Context, _ struct{}) error {
	for _, name := range []string{billing, stock, orders} {
		if err := t.begin(c, name); err != nil {
			return err
		}
	}
	c.Delay("kill", t.duration*2/5)
	c.Delay("finish", t.duration)
	c.Delay("late", t.duration+patience)
	return nil
}

// begin starts a service as a process of its own.
func (t *town) begin(c *kernel.Context, name string) error {
	run, err := wheel.NewRun(c, wheel.RunConfig{
		Func: name, ProgramArgs: []string{t.server.Addr().String()},
		ExitEvent: Exited, NoStdin: true, KillOnClose: true,
	})
	if err == nil {
		t.programs[run.ID()] = &process{name: name, run: run}
	}
	return err
}

// kill ends stock in the rudest way there is.
func (t *town) kill(c *kernel.Context) error {
	for _, p := range t.programs {
		if p.name == stock {
			p.killed = true
			t.killed++
			_ = t.display.Say("stock is killed with SIGKILL")
			return syscall.Kill(p.run.PID(), syscall.SIGKILL)
		}
	}
	return nil
}

func (t *town) again(c *kernel.Context) error {
	if t.over {
		return nil
	}
	t.restarted++
	_ = t.display.Say("stock is started again")
	return t.begin(c, stock)
}

func (t *town) exited(c *kernel.Context, state *os.ProcessState) error {
	p := t.programs[c.Wheel()]
	delete(t.programs, c.Wheel())
	switch {
	case p.killed:
		c.Delay("again", t.duration/5)
	case !state.Success():
		t.trouble(fmt.Errorf("%s ended: %v", p.name, state))
		return t.close(c)
	case !t.reported:
		t.trouble(fmt.Errorf("%s ended too early", p.name))
		return t.close(c)
	}
	if t.over && len(t.programs) == 0 {
		t.leave(c)
	}
	return nil
}

// finish has orders make no more, and report when all are paid.
func (t *town) finish(c *kernel.Context) error {
	c.AlarmClear("kill")
	return t.server.Send(backend.Message{Name: Finish.Name(), To: orders})
}

func (t *town) interrupted(c *kernel.Context) error {
	if t.over {
		return nil // again: now everything stops at once
	}
	c.SigHandled()
	t.early = true
	c.AlarmClear("finish")
	return t.finish(c)
}

func (t *town) report(c *kernel.Context, r *backend.Request) error {
	if len(r.Args) != 3 {
		return r.Fail("report wants three numbers")
	}
	t.made, _ = r.Args[0].(int)
	t.paid, _ = r.Args[1].(int)
	t.asked, _ = r.Args[2].(int)
	t.reported = true
	if t.made == 0 && !t.early || t.paid != t.made {
		t.trouble(fmt.Errorf("%d orders of %d were paid", t.paid, t.made))
	}
	return errors.Join(r.Reply(), t.close(c))
}

func (t *town) late(c *kernel.Context) error {
	t.trouble(errors.New("orders has not reported"))
	return t.close(c)
}

func (t *town) trouble(err error) { t.troubles = append(t.troubles, err) }

// close sends everybody home.
func (t *town) close(c *kernel.Context) error {
	if t.over {
		return nil
	}
	t.over = true
	for _, event := range []string{"kill", "again", "finish", "late"} {
		c.AlarmClear(event)
	}
	if len(t.programs) == 0 || !t.reported {
		t.leave(c)
		return nil
	}
	return t.server.Send(backend.Message{Name: Quit.Name(), To: backend.Everyone})
}

// leave ends what is here; who has not gone yet is killed.
func (t *town) leave(c *kernel.Context) {
	t.display.Close()
	t.server.Shutdown()
	for _, p := range t.programs {
		p.run.Close()
	}
	_ = c.AliasRemove("the town stands")
	_ = c.AliasRemove("town")
}

func (t *town) summary() string {
	s := fmt.Sprintf("%d orders made, %d paid, %d asked for again", t.made, t.paid, t.asked)
	if t.killed > 0 {
		s += fmt.Sprintf("; stock was killed %d× and came back %d×", t.killed, t.restarted)
	}
	return s
}
