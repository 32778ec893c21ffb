package backend

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

var modes = []kernel.Mode{kernel.Parallel, kernel.Serial}

func eachMode(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) { f(t, running(t, m)) })
	}
}

// running is a kernel that runs until the test ends. What peers do to it must
// not reach its log, but for what the test looks at.
func running(t *testing.T, m kernel.Mode) *kernel.Kernel {
	t.Helper()
	k, _ := stoppable(t, m)
	return k
}

// stoppable is running, with a function that ends it and waits for that.
func stoppable(t *testing.T, m kernel.Mode) (*kernel.Kernel, func()) {
	t.Helper()
	k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{
		Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
	}})
	return k, kerneltest.Start(t, k)
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// doubling answers "double" and "fail", and is silent to "hush".
func doubling() *session.Session {
	return session.New(
		session.On(kernel.Event[*Request]("double"), func(_ *kernel.Context, r *Request) error {
			if len(r.Args) == 0 {
				return r.Fail("double what?")
			}
			n := number(r.Args, 0) // whatever the serializer makes of it
			_ = r.Reply(2 * n)     // a client that is gone does not mind
			return nil
		}),
		session.On(kernel.Event[*Request]("fail"), func(_ *kernel.Context, r *Request) error {
			return r.Fail("as you asked")
		}),
		session.On(kernel.Event[*Request]("hush"), func(*kernel.Context, *Request) error { return nil }),
	)
}

// doubler is a server with a doubling session behind it.
func doubler(t *testing.T, k *kernel.Kernel, cfg ServerConfig) *Server {
	t.Helper()
	l, err := k.SpawnHeld(doubling())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Release)
	cfg.Commands = map[string]kernel.Address{"double": l.Address(), "fail": l.Address(), "hush": l.Address()}
	s, err := NewServer(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func port(s *Server) int { return s.Addr().(*net.TCPAddr).Port }

func connect(t *testing.T, k *kernel.Kernel, cfg Config) *Conn {
	t.Helper()
	c, err := Connect(deadline(t), k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// until asks again and again, without a pause longer than the scheduler's, until
// ok or the deadline.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := deadline(t)
	for !ok() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Fatalf("in vain: %s", what)
		}
		runtime.Gosched()
	}
}
