package keepalive

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/wheeltest"
)

// silent is where nothing arrives.
var silent = wheeltest.Link{Drop: true}

// TestA50_FirstToConnectWins: an address that refuses is followed at once, one that
// is silent after 250 ms, families in turn; who is late is given up.
func TestA50_FirstToConnectWins(t *testing.T) {
	simulating(t, Config{Resolver: static{"db": {"fd00::1", "fd00::2", "10.0.0.1", "10.0.0.2"}}}, func(s *sim) {
		s.net.Between("localhost", "10.0.0.1", silent)
		s.serve("10.0.0.1:80", "10.0.0.2:80")
		s.ask("db", 80, 0)
		s.pass(time.Second)
		// fd00::1 refuses after a round trip, 10.0.0.1 is silent, fd00::2 refuses.
		if r := s.connected(); r.at != 310*time.Millisecond {
			t.Errorf("connected after %v", r.at)
		}
		s.happened("0s dial [fd00::1]:80", "20ms dial 10.0.0.1:80", "270ms dial [fd00::2]:80", "290ms dial 10.0.0.2:80",
			"310ms cancel dial 10.0.0.1:80", "320ms accepted at 10.0.0.2:80")
		s.net.Between("localhost", "10.0.0.1", wheeltest.Link{}) // what was on its way comes now, too late
		s.pass(time.Second)
		if n := len(s.net.Conns()); n != 2 {
			t.Errorf("%d ends of connections are open, want both of one", n)
		}
	})
}

// TestA50_BothAtOnce: two addresses answer at the same instant. One connection is
// lent, the other closed.
func TestA50_BothAtOnce(t *testing.T) {
	simulating(t, Config{Resolver: static{"db": {"10.0.0.1", "10.0.0.2"}}}, func(s *sim) {
		s.net.Between("localhost", "10.0.0.1", wheeltest.Link{Delay: 135 * time.Millisecond}) // 270 ms, as 250 ms and 20 ms
		s.serve("10.0.0.1:80", "10.0.0.2:80")
		s.ask("db", 80, 0)
		s.pass(time.Second)
		if r := s.connected(); r.at != 270*time.Millisecond {
			t.Errorf("connected after %v", r.at)
		}
		if st, err := s.pool.Stats(); err != nil || st.Load != (Load{Idle: 1}) {
			t.Errorf("%+v, %v", st, err)
		}
		if n := len(s.net.Conns()); n != 2 {
			t.Errorf("%d ends of connections are open, want both of one", n)
		}
	})
}

func TestA40_A50_ErrorIsThatOfTheFirstAddress(t *testing.T) {
	simulating(t, Config{}, func(s *sim) {
		s.net.SetHost("db", "10.0.0.1", "10.0.0.2", "10.0.0.3")
		s.net.FailDial("10.0.0.1:80", syscall.EHOSTUNREACH)
		s.ask("db", 80, 0)
		s.pass(time.Second)
		r := s.failed("connect")
		if !errors.Is(r.Err, syscall.EHOSTUNREACH) || !strings.Contains(r.Err.Error(), "no route to host") {
			t.Errorf("got %v", r.Err)
		}
		s.happened("0s lookup db", "0s dial 10.0.0.1:80", "0s dial 10.0.0.2:80", "20ms dial 10.0.0.3:80")
		if st, err := s.pool.Stats(); err != nil || st.Load != (Load{}) {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

func TestA7_BindAddressChoosesTheFamily(t *testing.T) {
	simulating(t, Config{BindAddress: "192.0.2.1"}, func(s *sim) {
		s.net.SetHost("db", "fd00::1", "10.0.0.1", "fd00::2")
		s.net.SetHost("six", "fd00::1")
		s.serve("10.0.0.1:80")
		s.ask("db", 80, 0)
		s.pass(time.Second)
		if r := s.reply(); r.Err != nil || !strings.HasPrefix(r.Conn.NetConn().LocalAddr().String(), "192.0.2.1:") {
			t.Fatalf("got %+v", r)
		} else {
			_ = r.Conn.Release()
		}
		for _, addr := range []string{"six", "fd00::1"} {
			s.ask(addr, 80, 0)
			s.pass(time.Second)
			if r := s.failed("resolve"); !strings.Contains(r.Err.Error(), "no address of the family of Config.BindAddress, 192.0.2.1") {
				t.Errorf("got %v", r.Err)
			}
		}
	})
}

func TestA50_FamiliesTakeTurns(t *testing.T) {
	for given, want := range map[string]string{
		"":                             "",
		"::1":                          "::1",
		"::1 ::2 ::3 1.1.1.1":          "::1 1.1.1.1 ::2 ::3",
		"1.1.1.1 1.1.1.2 ::1 ::2 ::3":  "1.1.1.1 ::1 1.1.1.2 ::2 ::3",
		"1.1.1.1 ::ffff:1.1.1.1 ::1":   "1.1.1.1 ::1", // each once
		"fe80::1%eth0 fe80::1 1.1.1.1": "fe80::1%eth0 1.1.1.1 fe80::1",
	} {
		var addrs, list []netip.Addr
		for _, a := range strings.Fields(given) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		for _, a := range strings.Fields(want) {
			list = append(list, netip.MustParseAddr(a))
		}
		if got := interleave(eligible(addrs, "")); !slices.Equal(got, list) {
			t.Errorf("%q: got %v, want %v", given, got, list)
		}
	}
}
