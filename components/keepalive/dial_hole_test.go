package keepalive

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// hole is a network whose dials end with their context, or when they are let go,
// whatever that says.
type hole struct {
	kernel.Network
	deaf bool
	dial chan net.Conn // what a deaf one's dial gives
	seen chan string
}

func (h *hole) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if h.seen != nil {
		h.seen <- address
	}
	if h.deaf {
		return <-h.dial, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (h *hole) Lookup(ctx context.Context, host string) ([]net.IPAddr, error) {
	h.seen <- host
	<-ctx.Done()
	h.seen <- "gave up " + host
	return nil, ctx.Err()
}

func TestA42_A77_A78_BlackHole(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		k := runningWith(t, kernel.Config{Mode: m, Network: &hole{}})
		for _, tc := range []struct {
			cfg  Config
			text string
		}{
			{Config{MaxPerHost: 1, Timeout: 10 * time.Millisecond}, ErrTimeout.Error()},
			{Config{MaxPerHost: 1, ConnectTimeout: 10 * time.Millisecond}, (&passed{stageLimit{"ConnectTimeout", 10 * time.Millisecond}}).Error()},
		} {
			u := newUser(t, k, startPool(t, k, tc.cfg))
			for range 3 { // each has the one place that there is
				r := u.get(Request{Addr: "192.0.2.1", Port: 1})
				if r.Function != "connect" || !errors.Is(r.Err, syscall.ETIMEDOUT) || errors.Unwrap(r.Err).Error() != tc.text {
					t.Errorf("got %+v", r)
				}
			}
			u.empties()
		}
	}
}

// TestA53_A54_LookupOnAGoroutine ends when the last who waits for it cancels, and
// with the pool.
func TestA48_A53_A54_LookupOnAGoroutine(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		h := &hole{seen: make(chan string, 10)}
		k := runningWith(t, kernel.Config{Mode: m, Network: h})
		for _, cfg := range []Config{{}, {Resolver: lookupOf{h}}} {
			u := newUser(t, k, startPool(t, k, cfg))
			var ids []RequestID
			ask := func() {
				u.do(func(c *kernel.Context) error {
					id, err := u.pool.Allocate(c, Request{Scheme: "test", Addr: "db", Port: 1, Event: evGot})
					ids = append(ids, id)
					return err
				})
			}
			ask()
			ask()
			want := func(what string) {
				t.Helper()
				select {
				case got := <-h.seen:
					if got != what {
						t.Fatalf("%s, want %s", got, what)
					}
				case <-deadline(t).Done():
					t.Fatalf("nothing happens; want %s", what)
				}
			}
			want("db")
			for _, id := range ids {
				if len(h.seen) > 0 {
					t.Fatal(<-h.seen)
				}
				if err := u.pool.Deallocate(id); err != nil {
					t.Fatal(err)
				}
			}
			want("gave up db")
			u.empties()
			ask()
			want("db")
			u.pool.Shutdown()
			want("gave up db")
		}
	}
}

// lookupOf is a network's Lookup as a Resolver.
type lookupOf struct{ n kernel.Network }

func (l lookupOf) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return l.n.Lookup(ctx, host)
}

// TestA106_ConnectionAfterTheEnd of the pool, by a network that does not listen to
// its context, is closed.
func TestA106_ConnectionAfterTheEnd(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for name, end := range map[string]func(*user){
			"Shutdown": func(u *user) { u.pool.Shutdown() },
			"Stop":     func(u *user) { u.k.Stop() },
		} {
			t.Run(m.String()+" "+name, func(t *testing.T) {
				h := &hole{deaf: true, dial: make(chan net.Conn), seen: make(chan string, 1)}
				k := kernel.New(kernel.Config{Mode: m, Network: h, Observer: &kernel.Observer{}})
				release := k.Hold("test")
				over := make(chan error, 1)
				go func() { over <- k.Run(background) }()
				u := newUser(t, k, startPool(t, k, Config{}))
				u.do(func(c *kernel.Context) error {
					_, err := u.pool.Allocate(c, Request{Scheme: "test", Addr: "192.0.2.1", Port: 1, Event: evGot})
					return err
				})
				<-h.seen
				end(u)
				release()
				u.lease.Release()
				near, far := net.Pipe()
				if name == "Stop" {
					if err := <-over; err != nil {
						t.Fatal(err)
					}
				}
				h.dial <- near
				ends(t, far)
				if name == "Shutdown" {
					if err := <-over; err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

// ends waits for a connection's end, and wants nothing before.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d bytes and %v, want the end", n, err)
	}
}

// TestA101_ConnectionAfterTheCancel is kept for the next, but one that would still
// have to shake hands is closed.
func TestA101_ConnectionAfterTheCancel(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		h := &hole{deaf: true, dial: make(chan net.Conn), seen: make(chan string, 1)}
		k := runningWith(t, kernel.Config{Mode: m, Network: h})
		for scheme, kept := range map[string]Load{"test": {Idle: 1}, "https": {}} {
			u := newUser(t, k, startPool(t, k, Config{}))
			u.do(func(c *kernel.Context) error {
				id, err := u.pool.Allocate(c, Request{Scheme: scheme, Addr: "192.0.2.1", Port: 1, Event: evGot})
				if err != nil {
					return err
				}
				return u.pool.Deallocate(id)
			})
			<-h.seen
			near, far := net.Pipe()
			h.dial <- near
			until(t, "the attempt has ended", func() bool { s, err := u.pool.Stats(); return err == nil && s.Load == kept })
			u.pool.Shutdown()
			ends(t, far)
		}
	}
}

// TestInlet_ClosesWhatNobodyTakes, be it there when the pool ends or come later.
func TestInlet_ClosesWhatNobodyTakes(t *testing.T) {
	var in inlet
	for _, leave := range []func(word){
		func(w word) { in.add(w); in.close() },
		in.put,
	} {
		near, far := net.Pipe()
		leave(word{conn: near, take: func(*kernel.Context) { t.Error("it is taken") }})
		ends(t, far)
	}
}
