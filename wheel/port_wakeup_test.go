package wheel_test

import (
	"net"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// gated is a connection whose every operation on its output waits for leave, after
// it has said that it began.
type gated struct {
	net.Conn
	began, leave chan struct{}
}

func newGated(t *testing.T) *gated {
	near, far := net.Pipe()
	_ = far.Close() // nothing comes
	return &gated{near, make(chan struct{}), make(chan struct{})}
}

func (g *gated) Write(p []byte) (int, error) {
	g.began <- struct{}{}
	<-g.leave
	return len(p), nil
}

func (g *gated) CloseWrite() error {
	g.began <- struct{}{}
	<-g.leave
	return nil
}

// A part of the output is written, its turn passes, and only then the rest is: the
// owner hears of that, too. This is for connections that have goroutines.
func TestW22_ThePartsOfTheOutputEndApart(t *testing.T) {
	for name, second := range map[string]func(h *host) string{
		"put":   func(h *host) string { h.must(h.rw.Put("b")); return "flushed" },
		"close": func(h *host) string { h.rw.CloseFlushed(); return "closed nil" },
	} {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				conn := newGated(t)
				h := newHost(t, conn)
				h.cfg.InputEvent, h.cfg.FlushedEvent = "", flushed
				want := ""
				h.begin = func(c *kernel.Context) error {
					h.must(h.rw.Put("a"))
					<-conn.began
					want = second(h)
					return carryOn.Yield(c, struct{}{}) // after the turn that CloseFlushed asks for
				}
				between := make(chan struct{})
				h.more = []session.State{
					session.On(carryOn, func(c *kernel.Context, _ struct{}) error {
						lease := c.Lease("the second part")
						beside(t, func() {
							conn.leave <- struct{}{} // the first part is written
							<-conn.began             // and the wheel was told so, in a turn that waits
							h.must(lease.Post(tryAgain.Name(), struct{}{}))
							lease.Release()
							<-between
							conn.leave <- struct{}{}
						})
						return nil
					}),
					session.On(tryAgain, func(*kernel.Context, struct{}) error { close(between); return nil }),
				}
				run(t, k, h.session())
				if len(h.log) == 0 || h.log[len(h.log)-1] != want {
					t.Errorf("events %q, want %q as the last", h.log, want)
				}
			})
		})
	}
}
