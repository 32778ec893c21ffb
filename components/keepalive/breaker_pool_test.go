package keepalive

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// refusing is a port that nobody listens on.
func refusing(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

func TestBreaker_OfAPool(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{Breaker: Breaker{Failures: 2, Cooldown: time.Hour}})
		u := newUser(t, k, p)
		port := refusing(t)
		for range 2 {
			u.allocate(port)
			if r := u.take(); r.Function != "connect" || !errors.Is(r.Err, syscall.ECONNREFUSED) {
				t.Fatalf("got %+v", r)
			}
		}
		before := k.Now()
		u.allocate(port)
		r := u.take()
		var e *CircuitError
		if r.Conn != nil || r.Function != "breaker" || !errors.As(r.Err, &e) || !errors.Is(r.Err, ErrCircuitOpen) || !errors.Is(r.Err, syscall.ECONNREFUSED) {
			t.Fatalf("got %+v", r)
		}
		if in := e.Until.Sub(before); in > time.Hour || in < 50*time.Minute {
			t.Errorf("the next probe is due in %v", in)
		}
		s, err := p.Stats()
		if err != nil || s.Keys[0].Circuit != CircuitOpen || !s.Keys[0].Until.Equal(e.Until) || s.Total.Refused != (Refusals{Failed: 2, CircuitOpen: 1}) {
			t.Errorf("stats %+v, %v", s, err)
		}
	})
}

// The peer comes back, and the first probe after that finds it.
func TestBreaker_RecoversByItself(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{Breaker: Breaker{Failures: 1, Cooldown: time.Millisecond, MaxCooldown: 5 * time.Millisecond}})
		u := newUser(t, k, p)
		port := refusing(t)
		probes := func() int { s, _ := p.Stats(); return s.Total.Failed }
		until(t, "probes fail", func() bool {
			u.allocate(port)
			r := u.take()
			return r.Err != nil && probes() >= 3
		})
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Skip("the port was taken: ", err)
		}
		defer ln.Close()
		until(t, "a probe succeeds", func() bool {
			u.allocate(port)
			r := u.take()
			return r.Err == nil
		})
		if s, err := p.Stats(); err != nil || s.Keys[0].Circuit != CircuitClosed || s.Total.Tripped != s.Total.Failed {
			t.Errorf("stats %+v, %v", s, err)
		}
	})
}

func TestBreaker_Report(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{Breaker: Breaker{Failures: 3}})
		u := newUser(t, k, p)
		e := newEcho(t)
		c := u.conn(e.port())
		for _, ok := range []bool{false, false, true, false, false} {
			c.Report(ok)
		}
		if s, err := p.Stats(); err != nil || s.Keys[0].Circuit != CircuitClosed {
			t.Fatalf("stats %+v, %v", s, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		c.Report(false) // what its user found out afterwards
		u.allocate(e.port())
		if r := u.take(); r.Function != "breaker" || !errors.Is(r.Err, ErrCircuitOpen) {
			t.Fatalf("got %+v", r)
		}
		p.Shutdown()
		c.Report(false) // nobody cares
	})
}

func TestMaxLifetime_OfAPool(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{MaxLifetime: time.Nanosecond})
		u := newUser(t, k, p)
		for range 2 {
			u.allocate(e.port())
			r := u.take()
			if r.Err != nil || r.FromCache != "" {
				t.Fatalf("got %+v", r)
			}
			if err := r.Conn.Release(); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := p.Stats(); err != nil || s.Load != (Load{}) || s.Total.Aged != 2 || s.Total.Fresh != 2 {
			t.Errorf("stats %+v, %v", s, err)
		}
	})
}

func TestMaxLifetime_EndsWhileIdle(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{KeepAlive: time.Hour, MaxLifetime: 50 * time.Millisecond})
		if err := newUser(t, k, p).conn(e.port()).Release(); err != nil {
			t.Fatal(err)
		}
		until(t, "it is closed", func() bool { s, err := p.Stats(); return err == nil && s.Load == (Load{}) })
		if s, err := p.Stats(); err != nil || s.Total.Aged != 1 {
			t.Errorf("stats %+v, %v", s, err)
		}
	})
}

func TestMaxWaiting_OfAPool(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		p := startPool(t, k, Config{MaxPerHost: 1, MaxWaiting: 1})
		u := newUser(t, k, p)
		c := u.conn(e.port())
		waits := u.allocate(e.port())
		u.allocate(e.port())
		if r := u.take(); r.Function != "queue" || !errors.Is(r.Err, ErrTooManyWaiting) {
			t.Fatalf("got %+v", r)
		}
		if err := c.Release(); err != nil {
			t.Fatal(err)
		}
		if r := u.take(); r.ID != waits || r.Err != nil {
			t.Fatalf("got %+v", r)
		}
	})
}

// Pools of one kernel have limits, counts and a name of their own.
func TestA15_PoolsAreIndependent(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		one, two := startPool(t, k, Config{MaxOpen: 1}), startPool(t, k, Config{MaxOpen: 1})
		newUser(t, k, one).conn(e.port())
		newUser(t, k, two).conn(e.port())
		e.accepted(t, 2)
		one.Shutdown()
		if s, err := two.Stats(); err != nil || s.Load != (Load{Lent: 1}) || s.Total.Opened != 1 {
			t.Errorf("stats %+v, %v", s, err)
		}
		if one.alias == two.alias {
			t.Errorf("both are %q", one.alias)
		}
	})
}

// A request that waits while the circuit opens is answered then, and not again when
// its Config.WaitTimeout would have passed.
func TestA45_BreakerAnswersThoseThatWaitOnce(t *testing.T) {
	simulating(t, Config{MaxPerHost: 1, WaitTimeout: time.Second, Breaker: Breaker{Failures: 1, Cooldown: time.Hour}}, func(s *sim) {
		for range 2 {
			s.ask("10.0.0.1", 80, 0) // where nobody listens
		}
		s.pass(time.Minute)
		if len(s.got) != 2 || !errors.Is(s.got[0].Err, ErrCircuitOpen) || !errors.Is(s.got[1].Err, syscall.ECONNREFUSED) {
			t.Errorf("got %+v, want the one that waited refused by the circuit, and the other by its peer", s.got)
		}
	})
}
