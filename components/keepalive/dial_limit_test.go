package keepalive

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// TestA77_StagesHaveLimits of their own, which name themselves; the request's Timeout
// covers all of them and says "connect".
func TestA42_A77_A78_StagesHaveLimits(t *testing.T) {
	cfg := Config{LookupTimeout: 2 * time.Second, ConnectTimeout: 3 * time.Second, HandshakeTimeout: time.Hour, MaxPerHost: 1}
	simulating(t, cfg, func(s *sim) {
		s.net.silent["db"] = nil
		s.net.Between("localhost", "10.0.0.1", silent)
		s.net.SetHost("two", "10.0.0.1", "fd00::1")
		s.net.Between("localhost", "two", silent)
		for _, tc := range []struct {
			addr, function, text string
			timeout, after       time.Duration
		}{
			{"db", "resolve", "Config.LookupTimeout of 2s passed", 0, 2 * time.Second},
			{"10.0.0.1", "connect", "Config.ConnectTimeout of 3s passed", 0, 3 * time.Second},
			{"two", "connect", "Config.ConnectTimeout of 3s passed", 0, 3 * time.Second},
			{"db", "connect", "before the request had a connection", time.Second, time.Second},
			{"two", "connect", "before the request had a connection", time.Second, time.Second},
		} {
			began := s.k.Now()
			s.ask(tc.addr, 80, tc.timeout)
			s.pass(tc.after - 1)
			if len(s.got) > 0 {
				t.Fatalf("%+v: too early: %+v", tc, s.got)
			}
			s.pass(1)
			r := s.failed(tc.function)
			var timeout net.Error
			if !errors.Is(r.Err, ErrTimeout) || !errors.Is(r.Err, syscall.ETIMEDOUT) || !strings.Contains(r.Err.Error(), tc.text) ||
				!errors.As(r.Err, &timeout) || !timeout.Timeout() {
				t.Errorf("%+v: got %v after %v", tc, r.Err, s.k.Now().Sub(began))
			}
			if st, err := s.pool.Stats(); err != nil || st.Load != (Load{}) {
				t.Errorf("%+v: %+v, %v", tc, st, err)
			}
		}
	})
}

// TestA77_WaitTimeoutIsForTheQueue: it ends with the wait, and is not that of the
// attempt that follows.
func TestA77_A78_WaitTimeoutIsForTheQueue(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, Timeout: 3 * time.Second, WaitTimeout: time.Second})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, 3 * time.Second}, startTimer{2, time.Second}, stopTimer{2}, dial{1, 1, key("a")})
	p.do(timeUp{2}) // was on its way
	p.do(allocate{req: 2, key: key("a")}, startTimer{3, 3 * time.Second}, startTimer{4, time.Second})
	p.do(allocate{req: 3, key: key("a")}, startTimer{5, 3 * time.Second}, startTimer{6, time.Second})
	p.do(timeUp{4}, stopTimer{3}, failed(2, "a", "wait", &passed{stageLimit{"WaitTimeout", time.Second}}))
	p.do(cancel{3}, stopTimer{6}, stopTimer{5})
	p.do(allocate{req: 4, key: key("a")}, startTimer{7, 3 * time.Second}, startTimer{8, time.Second})
	p.do(dialFailed{1, "connect", errRefused}, stopTimer{1}, failed(1, "a", "connect", errRefused), stopTimer{8}, dial{2, 4, key("a")})
	p.do(dialed{2}, stopTimer{7}, answer{req: 4, conn: 2})
	p.do(allocate{req: 5, key: key("a")}, startTimer{9, 3 * time.Second}, startTimer{10, time.Second})
	p.do(release{2, clean}, stopTimer{10}, stopTimer{9}, answer{req: 5, conn: 2, from: Deferred})
}

func TestA77_WaitTimeoutIsReported(t *testing.T) {
	simulating(t, Config{MaxPerHost: 1, WaitTimeout: 2 * time.Second}, func(s *sim) {
		s.serve("10.0.0.1:80")
		s.ask("10.0.0.1", 80, 0)
		s.pass(time.Second)
		held := s.reply()
		s.ask("10.0.0.1", 80, 0)
		s.pass(2 * time.Second)
		if r := s.failed("wait"); r.at != 3*time.Second || !errors.Is(r.Err, ErrTimeout) || !strings.Contains(r.Err.Error(), "Config.WaitTimeout of 2s passed") {
			t.Errorf("got %v after %v", r.Err, r.at)
		}
		_ = held.Conn.Close()
	})
}

// TestA53_LimitOfOneWaiter: others of the same lookup have their own time.
func TestA53_A54_LimitOfOneWaiter(t *testing.T) {
	simulating(t, Config{LookupTimeout: 2 * time.Second}, func(s *sim) {
		s.net.silent["db"] = nil
		s.ask("db", 80, 0)
		s.pass(time.Second)
		s.ask("db", 81, 0)
		s.pass(time.Second)
		if r := s.failed("resolve"); r.Port != 80 {
			t.Errorf("got %+v", r)
		}
		s.happened("0s lookup db")
		s.pass(time.Second)
		s.failed("resolve")
		s.happened("0s lookup db", "3s cancel lookup db")
	})
}

// TestA45_R1_LimitAndConnectionAtOnce: what comes first decides, and there is one
// answer.
func TestA45_R1_LimitAndConnectionAtOnce(t *testing.T) {
	simulating(t, Config{ConnectTimeout: 20 * time.Millisecond, LookupTimeout: 10 * time.Millisecond}, func(s *sim) {
		s.serve("10.0.0.1:80", "10.0.0.2:80")
		s.net.answers = static{"db": {"10.0.0.1", "10.0.0.2"}, "none": {}}
		s.net.late = 10 * time.Millisecond
		ends := map[string]int{}
		for range 20 {
			for _, addr := range []string{"10.0.0.1", "db", "none"} {
				s.ask(addr, 80, 0)
				s.pass(time.Second)
				r := s.reply()
				switch {
				case r.Err == nil:
					_ = r.Conn.Close()
				case !errors.Is(r.Err, ErrTimeout) && addr != "none":
					t.Errorf("got %v", r.Err)
				}
				ends[r.Function]++
				if st, err := s.pool.Stats(); err != nil || st.Opening+st.Lent != 0 {
					t.Errorf("%+v, %v", st, err)
				}
				if st, _ := s.pool.Stats(); st.Idle > 0 { // it came after all
					s.ask(addr, 80, 0)
					s.pass(time.Second)
					_ = s.reply().Conn.Close()
				}
			}
		}
		if ends[""] == 0 || ends["connect"]+ends["resolve"] == 0 {
			t.Errorf("ended %v; want some of each", ends)
		}
	})
}

// TestA109_ClocksDoNotKeepThePool: not that of a stage that is over, nor that for an
// address that need not be tried any more.
func TestA109_ClocksDoNotKeepThePool(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		s := newSim(t, seed, Config{LookupTimeout: time.Hour, ConnectTimeout: time.Hour}, wheeltest.Link{Delay: 10 * time.Millisecond})
		s.net.SetHost("db", "10.0.0.1", "10.0.0.2", "10.0.0.3")
		s.serve("10.0.0.1:80")
		s.ask("db", 80, 0)
		s.pass(40 * time.Millisecond)
		_ = s.reply().Conn.Close()
		s.lease.Release()
		kerneltest.Run(t, s.k)
		if now := s.k.Now().Sub(kerneltest.Epoch); now > 100*time.Millisecond {
			t.Errorf("the pool ends after %v", now)
		}
		s.happened("0s lookup db", "0s dial 10.0.0.1:80", "30ms accepted at 10.0.0.1:80")
	})
}

// TestA106_PoolEndsWithItsKernel, without Shutdown, in the middle of each stage.
func TestA106_PoolEndsWithItsKernel(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		s := newSim(t, seed, Config{LookupTimeout: time.Hour, ConnectTimeout: time.Hour}, wheeltest.Link{Delay: 10 * time.Millisecond})
		s.net.silent["db"] = nil
		s.net.Between("localhost", "10.0.0.1", silent)
		s.serve("10.0.0.2:80")
		s.net.answers = static{"two": {"10.0.0.1", "10.0.0.1"}, "three": {"10.0.0.1", "10.0.0.3", "10.0.0.1"}}
		for _, addr := range []string{"db", "10.0.0.1", "two", "three"} {
			s.ask(addr, 80, 0)
		}
		s.pass(time.Second)
		s.ask("10.0.0.2", 80, 0)
		s.pass(15 * time.Millisecond)
		s.k.Stop()
		kerneltest.Run(t, s.k)
		now := s.k.Now()
		for _, ln := range s.listeners {
			ln.Close()
		}
		s.pass(time.Minute)
		s.net.Check(t)
		if d := now.Sub(kerneltest.Epoch); d != 1015*time.Millisecond || len(s.got) > 0 {
			t.Errorf("it takes until %v, and %d answers", d, len(s.got))
		}
		if s.k.Advance(s.k.Now().Add(2 * time.Hour)) {
			t.Error("a clock goes on")
		}
		if last := s.net.asked[len(s.net.asked)-5:]; !slices.Contains(last, "1.015s cancel lookup db") {
			t.Errorf("the last that happens is %q", last)
		}
	})
}

func TestA13_StageLimitsAreChecked(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Config.WaitTimeout is -1ns; want 0 for no other limit than Timeout, or more":      {WaitTimeout: NoLimit},
		"Config.LookupTimeout is -1ns; want 0 for no other limit than Timeout, or more":    {LookupTimeout: NoLimit},
		"Config.ConnectTimeout is -1s; want 0 for no other limit than Timeout, or more":    {ConnectTimeout: -time.Second},
		"Config.HandshakeTimeout is -2ns; want 0 for no other limit than Timeout, or more": {HandshakeTimeout: -2},
	} {
		if _, err := cfg.complete(); !errors.Is(err, ErrArgument) || !strings.HasSuffix(err.Error(), field) {
			t.Errorf("got %v; want ErrArgument: %s", err, field)
		}
	}
}
