package keepalive

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// static is a Resolver that knows some names.
type static map[string][]string

func (s static) LookupIPAddr(_ context.Context, host string) (list []net.IPAddr, err error) {
	for _, a := range s[host] {
		list = append(list, net.IPAddr{IP: net.ParseIP(a)})
	}
	if list == nil {
		err = &net.DNSError{Err: "not one of these", Name: host, IsNotFound: true}
	}
	return list, err
}

func TestA46_A47_LiteralsAreNotLookedUp(t *testing.T) {
	simulating(t, Config{}, func(s *sim) {
		s.serve("10.0.0.1:80", "[fd00::1]:80")
		for _, literal := range []string{"10.0.0.1", "fd00::1"} {
			s.ask(literal, 80, 0)
			s.pass(time.Second)
			s.connected()
		}
		s.happened("0s dial 10.0.0.1:80", "30ms accepted at 10.0.0.1:80", "1s dial [fd00::1]:80", "1.03s accepted at [fd00::1]:80")
		s.net.asked = nil
		for _, name := range []string{"127.1", "localhost", "[::1]"} {
			s.ask(name, 80, 0)
			s.pass(time.Second)
			s.got = nil
		}
		s.happened("2s lookup 127.1", "3s lookup localhost", "3s dial 127.0.0.1:80", "3.02s dial [::1]:80", "4s lookup [::1]")
	})
}

// TestA48_OneLookupForAll that ask for a host at a time, whatever the port, and for a
// scheme that no table of services has; each gets an answer of its own. Later ones
// ask again.
func TestA48_A49_A51_A55_OneLookupForAll(t *testing.T) {
	simulating(t, Config{}, func(s *sim) {
		s.net.SetHost("db", "10.0.0.1")
		s.serve("10.0.0.1:80", "10.0.0.1:81")
		want := map[RequestID]int{s.ask("db", 80, 0): 80, s.ask("db", 80, 0): 80, s.ask("db", 81, 0): 81}
		s.pass(time.Second)
		for _, r := range s.got {
			if r.Err != nil || want[r.ID] != r.Port {
				t.Errorf("got %+v", r)
				continue
			}
			delete(want, r.ID)
			_ = r.Conn.Close()
		}
		if n := s.net.Stats().Lookups; n != 1 || len(want) != 0 {
			t.Errorf("%d lookups, and without an answer: %v", n, want)
		}
		s.got = nil

		s.net.FailLookup("db", &net.DNSError{Err: "server misbehaving", Name: "db", IsTemporary: true})
		s.ask("db", 80, 0)
		s.ask("db", 81, 0)
		s.pass(time.Second)
		for _, r := range s.got {
			var dns *net.DNSError
			if r.Function != "resolve" || !errors.As(r.Err, &dns) || !dns.IsTemporary || !strings.Contains(r.Err.Error(), "server misbehaving") {
				t.Errorf("got %+v", r)
			}
		}
		if n := s.net.Stats().Lookups; n != 2 || len(s.got) != 2 {
			t.Errorf("%d lookups, %d answers", n, len(s.got))
		}
	})
}

// TestA59_R9_FailureServesTheNext of the host at once, whatever stage has failed.
func TestA51_A59_R9_FailureServesTheNext(t *testing.T) {
	simulating(t, Config{MaxPerHost: 1}, func(s *sim) {
		s.net.SetHost("db", "10.0.0.1")
		s.net.FailLookup("db", errRefused)
		s.net.FailDial("10.0.0.1:80", errRefused)
		s.serve("10.0.0.1:80")
		for range 3 {
			s.ask("db", 80, 0)
		}
		s.pass(time.Second)
		var functions []string
		for _, r := range s.got {
			functions = append(functions, r.Function)
			if r.Conn != nil {
				_ = r.Conn.Release()
			}
		}
		if got := strings.Join(functions, ","); got != "resolve,connect," || s.got[2].at > 100*time.Millisecond {
			t.Errorf("got %q after %v", got, s.got[2].at)
		}
	})
}

// TestA52_A53_A54_LastWaiterEndsTheLookup, be it that it cancels or that its time is
// over; the others wait on. What is answered afterwards reaches nobody.
func TestA52_A53_A54_LastWaiterEndsTheLookup(t *testing.T) {
	simulating(t, Config{}, func(s *sim) {
		s.net.silent["db"] = nil
		s.net.silent["other"] = nil
		first, second := s.ask("db", 80, 0), s.ask("db", 81, 3*time.Second)
		s.ask("db", 82, 4*time.Second)
		s.ask("other", 80, 10*time.Second)
		s.pass(time.Second)
		if err := s.pool.Deallocate(first); err != nil {
			t.Fatal(err)
		}
		s.pass(2 * time.Second)
		if r := s.failed("connect"); r.ID != second || !errors.Is(r.Err, ErrTimeout) {
			t.Errorf("got %+v", r)
		}
		s.happened("0s lookup db", "0s lookup other")
		s.pass(2 * time.Second)
		s.failed("connect")
		s.happened("0s lookup db", "0s lookup other", "4s cancel lookup db")
		if st, err := s.pool.Stats(); err != nil || st.Load != (Load{Opening: 1}) {
			t.Errorf("%+v, %v", st, err)
		}
		s.net.silent["db"](nil, errors.New("too late")) // though no network should
		s.pass(time.Second)

		delete(s.net.silent, "db") // the next lookup is a new one
		s.net.SetHost("db", "10.0.0.1")
		s.serve("10.0.0.1:80")
		s.ask("db", 80, 0)
		s.pass(time.Second)
		s.connected()

		s.net.silent["other"](nil, errors.New("now"))
		s.pass(time.Second)
		if r := s.failed("resolve"); !strings.HasSuffix(r.Err.Error(), "now") {
			t.Errorf("got %v", r.Err)
		}
	})
}

// TestA41_A44_NoAddress: neither a name without one, nor an unknown name, has an errno.
func TestA41_A44_NoAddress(t *testing.T) {
	simulating(t, Config{Resolver: empty{}}, func(s *sim) {
		for range 2 {
			s.ask("db", 80, 0)
			s.pass(time.Second)
			r := s.failed("resolve")
			var errno syscall.Errno
			if errors.As(r.Err, &errno) || !strings.HasSuffix(r.Err.Error(), "lookup db: no address") {
				t.Errorf("got %v", r.Err)
			}
		}
	})
	simulating(t, Config{}, func(s *sim) {
		s.ask("nowhere", 80, 0)
		s.pass(time.Second)
		if r := s.failed("resolve"); !strings.HasSuffix(r.Err.Error(), "lookup nowhere: no such host") {
			t.Errorf("got %v", r.Err)
		}
	})
}

type empty struct{}

func (empty) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) { return nil, nil }

// TestA9_A10_ResolverIsThePoolsOwn: other pools of the kernel do not use it.
func TestA9_A10_A11_ResolverIsThePoolsOwn(t *testing.T) {
	simulating(t, Config{Resolver: static{"db": {"10.0.0.1"}}}, func(s *sim) {
		s.net.SetHost("db", "10.0.0.2")
		s.serve("10.0.0.1:80", "10.0.0.2:80")
		shared, another := startPool(t, s.k, Config{}), startPool(t, s.k, Config{})
		for _, p := range []*Pool{s.pool, shared, another} {
			s.pool = p
			s.ask("db", 80, 0)
			s.pass(time.Second)
			want := "10.0.0.2:80"
			if p.cfg.Resolver != nil {
				want = "10.0.0.1:80"
			}
			r := s.reply()
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if got := r.Conn.NetConn().RemoteAddr().String(); got != want {
				t.Errorf("connected to %v, want %v", got, want)
			}
			_ = r.Conn.Release()
			p.Shutdown()
		}
	})
}

// TestA57_A110_R10_ShutdownEndsItsOwnLookups: each request is answered, a lookup of
// another pool goes on, and what was shut down looks nothing up.
func TestA57_A110_R10_ShutdownEndsItsOwnLookups(t *testing.T) {
	simulating(t, Config{}, func(s *sim) {
		s.net.silent["db"] = nil
		first := s.pool
		s.ask("db", 80, 0)
		s.ask("db", 81, 0)
		s.pool = startPool(t, s.k, Config{Timeout: time.Minute})
		s.ask("db", 80, 0)
		first.Shutdown()
		s.pass(time.Second)
		for _, r := range s.got {
			if r.Function != "shutdown" || !errors.Is(r.Err, ErrShutDown) {
				t.Errorf("got %+v", r)
			}
		}
		if len(s.got) != 2 {
			t.Errorf("%d answers", len(s.got))
		}
		s.got = nil
		s.do(func(c *kernel.Context) error {
			if _, err := first.Allocate(c, Request{Scheme: "test", Addr: "db", Port: 80, Event: evGot}); !errors.Is(err, ErrShutDown) {
				t.Errorf("after Shutdown: %v", err)
			}
			return nil
		})
		s.happened("0s lookup db", "0s lookup db", "0s cancel lookup db")
		s.pass(time.Minute)
		s.failed("connect")
	})
}
