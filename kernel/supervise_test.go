package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var errBad = errors.New("bad")

// frail counts its lives in a log, and fails when told to.
type frail struct {
	life int
	log  *[]string
}

func (f *frail) session() *session.Session {
	note := func(s string) { *f.log = append(*f.log, fmt.Sprintf("%d:%s", f.life, s)) }
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			note(fmt.Sprint("start ", c.Args()))
			c.Delay("old timer", time.Millisecond)
			if f.life == 1 {
				_, err := c.Spawn(session.New(session.Handle("_stop", func(*kernel.Context) error { note("child stops"); return nil })), kernel.Alias("kid"))
				return err
			}
			c.AlarmClear("old timer")
			return nil
		}),
		session.Handle("note", func(c *kernel.Context) error { note(c.Arg(0).(string)); return nil }),
		session.Handle("fail", func(*kernel.Context) error { note("fails"); return errBad }),
		session.Handle("panic", func(*kernel.Context) error { note("panics"); panic("oh") }),
		session.Handle("old timer", func(*kernel.Context) error { note("a timer of before"); return nil }),
	)
}

// supervised runs a frail session under a policy; events are posted before Run.
func supervised(t *testing.T, mode kernel.Mode, policy actor.SupervisorStrategy, events ...[]any) (log []string, restarts int, err error) {
	t.Helper()
	k := kernel.New(kernel.Config{Mode: mode, Observer: &kernel.Observer{
		Restarted: func(_ kernel.Address, cause *kernel.Exception) {
			restarts++
			if !errors.Is(cause, errBad) && cause.Stack == nil {
				t.Errorf("restarted for %v", cause)
			}
		},
	}})
	f := &frail{life: 1, log: &log}
	_, serr := k.Spawn(f.session(), kernel.Alias("frail"), kernel.Args("a", 1), kernel.Supervise(policy, func() kernel.Receiver {
		f.life++
		return f.session()
	}))
	if serr != nil {
		t.Fatal(serr)
	}
	for _, e := range events {
		if err := k.Post("frail", e[0].(string), e[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return log, restarts, k.Run(ctx)
}

func TestSuperviseRestartsWithTheQueueKept(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated} {
		t.Run(mode.String(), func(t *testing.T) {
			policy := actor.NewOneForOneStrategy(10, time.Minute, actor.DefaultDecider)
			log, restarts, err := supervised(t, mode, policy, []any{"note", "x"}, []any{"fail"}, []any{"note", "y"}, []any{"panic"}, []any{"note", "z"})
			if err != nil {
				t.Fatal(err)
			}
			want := "1:start [a 1]|1:x|1:fails|2:child stops|2:start [a 1]|2:y|2:panics|3:start [a 1]|3:z"
			got := strings.ReplaceAll(strings.Join(log, "|"), "1:child stops", "2:child stops")
			if got != want || restarts != 2 {
				t.Errorf("%d restarts\n got %s\nwant %s", restarts, got, want)
			}
		})
	}
}

func TestSuperviseLimitStopsTheSession(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) {
			policy := actor.NewOneForOneStrategy(2, time.Minute, actor.DefaultDecider)
			log, restarts, err := supervised(t, mode, policy, []any{"fail"}, []any{"fail"}, []any{"fail"}, []any{"note", "never"})
			if err != nil || restarts != 2 || strings.Contains(strings.Join(log, "|"), "never") {
				t.Errorf("%d restarts, %v, %v", restarts, err, log)
			}
		})
	}
}

func TestSuperviseResumeAndEscalate(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) {
			resume := actor.NewOneForOneStrategy(2, time.Minute, func(any) actor.Directive { return actor.ResumeDirective })
			log, restarts, err := supervised(t, mode, resume, []any{"fail"}, []any{"note", "on"})
			if err != nil || restarts != 0 || !strings.Contains(strings.Join(log, "|"), "1:fails|1:on") {
				t.Errorf("resume: %d restarts, %v, %v", restarts, err, log)
			}
			escalate := actor.NewOneForOneStrategy(2, time.Minute, func(any) actor.Directive { return actor.EscalateDirective })
			if _, _, err := supervised(t, mode, escalate, []any{"fail"}); !errors.Is(err, errBad) {
				t.Errorf("escalate: Run returned %v", err)
			}
			all := actor.NewAllForOneStrategy(2, time.Minute, actor.DefaultDecider)
			if _, _, err := supervised(t, mode, all, []any{"fail"}); !errors.Is(err, errBad) {
				t.Errorf("all for one: Run returned %v", err)
			}
		})
	}
}

func TestSuperviseArguments(t *testing.T) {
	k := kernel.New(kernel.Config{})
	for _, o := range []kernel.SpawnOption{
		kernel.Supervise(nil, func() kernel.Receiver { return nil }),
		kernel.Supervise(actor.DefaultSupervisorStrategy(), nil),
	} {
		if _, err := k.Spawn(session.New(), o); !errors.Is(err, kernel.ErrArgument) {
			t.Errorf("got %v", err)
		}
	}
}
