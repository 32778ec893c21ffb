package wheeltest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

func lookup(t *testing.T, n kernel.Network, name string) string {
	t.Helper()
	addrs, err := n.Lookup(context.Background(), name)
	if err != nil {
		if dns := (*net.DNSError)(nil); !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != name {
			t.Errorf("lookup %s: %v, want a *net.DNSError", name, err)
		}
		return "none"
	}
	return fmt.Sprint(addrs)
}

func TestLookup(t *testing.T) {
	l := newLab(t, wheeltest.Config{LookupDelay: 7 * ms})
	l.SetHost("Db.Example.", "10.0.0.2", "fd00::2")
	for name, want := range map[string]string{
		"db.example": "[{10.0.0.2 } {fd00::2 }]", "DB.EXAMPLE.": "[{10.0.0.2 } {fd00::2 }]",
		"localhost": "[{127.0.0.1 } {::1 }]", "10.9.8.7": "[{10.9.8.7 }]", "::1": "[{::1 }]", "nowhere": "none",
	} {
		expect(t, name, lookup(t, l, name), want)
	}
	l.SetHost("db.example", "10.0.0.3")
	expect(t, "changed", lookup(t, l, "db.example"), "[{10.0.0.3 }]")

	var got []net.IPAddr
	answers := 0
	done := func(list []net.IPAddr, err error) { got = list; answers++ }
	l.LookupAsync(context.Background(), "db.example", done)
	l.LookupAsync(context.Background(), "db.example", done)()
	l.advance(7*ms - 1)
	expect(t, "answers too early", answers, 0)
	l.advance(1)
	expect(t, "answers", answers, 1)
	expect(t, "answer", fmt.Sprint(got), "[{10.0.0.3 }]")

	ended, end := context.WithCancel(context.Background())
	end()
	var failure error
	l.LookupAsync(ended, "db.example", func(_ []net.IPAddr, err error) { failure = err })
	l.advance(7 * ms)
	wantError(t, "lookup whose context has ended", failure, context.Canceled)

	l.SetHost("db.example")
	expect(t, "after its end", lookup(t, l, "db.example"), "none")
	o := l.dial(context.Background(), "tcp", "db.example:80")
	l.advance(7 * ms)
	if dns := (*net.DNSError)(nil); !errors.As(o.err, &dns) || !dns.IsNotFound {
		t.Errorf("dial of an unknown name: %v, want a *net.DNSError", o.err)
	}
}

// All addresses of a name are tried; the first one's error tells.
func TestDialTriesAllAddresses(t *testing.T) {
	l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: ms}})
	l.SetHost("db.example", "10.0.0.2", "fd00::2")
	o := l.dial(context.Background(), "tcp", "db.example:80")
	l.advance(4*ms - 1)
	expect(t, "answers", o.times, 0)
	l.advance(1)
	wantError(t, "nobody listens", o.err, syscall.ECONNREFUSED)
	if !strings.Contains(o.err.Error(), "10.0.0.2:80") {
		t.Errorf("error %q does not name the first address", o.err)
	}
	ln := l.listen("tcp6", "[fd00::2]:80")
	o = l.dial(context.Background(), "tcp", "db.example:80")
	l.advance(4 * ms)
	if o.err != nil || o.conn.RemoteAddr().String() != "[fd00::2]:80" {
		t.Errorf("dial: %v, %v", o.conn, o.err)
	}
	o = l.dial(context.Background(), "tcp4", "db.example:80")
	l.advance(2 * ms)
	wantError(t, "IPv4 only", o.err, syscall.ECONNREFUSED)
	_ = ln
}

// inWords is an error that has no name.
type inWords string

func (w inWords) Error() string { return string(w) }

const (
	errMismatch = inWords("mismatched local address type")
	errNotFound = inWords("no such host")
)

// Where a connection comes from, and how it looks at both ends.
func TestLocalAddress(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	l.SetHost("web", "10.0.0.7", "fd00::7")
	_ = l.listen("tcp", ":80")
	_ = l.listen("tcp", "10.0.0.8:81")
	for _, tt := range []struct {
		from    kernel.AsyncNetwork
		local   string
		to      string
		want    string
		failure error
	}{
		{l, "", "127.0.0.1:80", "127.0.0.1:32768", nil},
		{l, "", "[::1]:80", "[::1]:32769", nil},
		{l, "", "192.0.2.1:80", "192.0.2.1:32770", nil},
		{l, "", ":80", "[::1]:32771", nil},
		{l.On("web"), "", "192.0.2.1:80", "10.0.0.7:32772", nil},
		{l.On("web"), "", "[2001:db8::1]:80", "[fd00::7]:32773", nil},
		{l.On("10.0.0.8"), "", "192.0.2.1:80", "10.0.0.8:32774", nil},
		{l.On("10.0.0.8"), "", "[2001:db8::1]:80", "", syscall.ENETUNREACH},
		{l, "web", "192.0.2.1:80", "10.0.0.7:32775", nil},
		{l, ":98", "192.0.2.1:80", "192.0.2.1:98", nil},
		{l, "fd00::7", "192.0.2.1:80", "", errMismatch},
		{l, "nowhere", "192.0.2.1:80", "", errNotFound},
		{l.On("10.0.0.8"), "", ":81", "10.0.0.8:32776", nil},
		{l.On("10.0.0.8"), "", "[::]:81", "", syscall.ENETUNREACH},
		{l, "10.0.0.7:99", "192.0.2.1:80", "10.0.0.7:99", nil},
		{l, "10.0.0.7:99", "192.0.2.1:80", "", syscall.EADDRINUSE},
		{l, "127.0.0.1:80", "192.0.2.1:80", "", syscall.EADDRINUSE},
	} {
		t.Run(fmt.Sprint(tt.local, " to ", tt.to), func(t *testing.T) {
			var conn net.Conn
			var err error
			tt.from.DialAsync(kernel.WithLocalAddress(context.Background(), tt.local), "tcp", tt.to,
				func(c net.Conn, e error) { conn, err = c, e })
			l.settle()
			if text, ok := tt.failure.(inWords); ok && err != nil && strings.Contains(err.Error(), string(text)) {
				return
			}
			if tt.failure != nil {
				wantError(t, "dial", err, tt.failure)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			expect(t, "local address", conn.LocalAddr().String(), tt.want)
		})
	}
}

func TestListenConflicts(t *testing.T) {
	share := kernel.WithReusePort(context.Background())
	plain := context.Background()
	type try struct {
		ctx              context.Context
		network, address string
	}
	for _, tt := range []struct {
		name          string
		first, second try
		conflict      bool
	}{
		{"same", try{plain, "tcp", "10.0.0.1:80"}, try{plain, "tcp", "10.0.0.1:80"}, true},
		{"other address", try{plain, "tcp", "10.0.0.1:80"}, try{plain, "tcp", "10.0.0.2:80"}, false},
		{"other port", try{plain, "tcp", "10.0.0.1:80"}, try{plain, "tcp", "10.0.0.1:81"}, false},
		{"every address and one of them", try{plain, "tcp", ":80"}, try{plain, "tcp", "127.0.0.1:80"}, true},
		{"every address and another host's", try{plain, "tcp", ":80"}, try{plain, "tcp", "10.0.0.1:80"}, false},
		{"one family each", try{plain, "tcp4", ":80"}, try{plain, "tcp6", ":80"}, false},
		{"both families and one", try{plain, "tcp", ":80"}, try{plain, "tcp4", ":80"}, true},
		{"one family and both", try{plain, "tcp6", ":80"}, try{plain, "tcp", ":80"}, true},
		{"shared", try{share, "tcp", ":80"}, try{share, "tcp", ":80"}, false},
		{"shared by one", try{share, "tcp", ":80"}, try{plain, "tcp", ":80"}, true},
		{"path", try{plain, "unix", "/run/a"}, try{plain, "unix", "/run/a"}, true},
		{"other path", try{plain, "unix", "/run/a"}, try{plain, "unix", "/run/b"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := wheeltest.New(wheeltest.Config{})
			first, err := n.Listen(tt.first.ctx, tt.first.network, tt.first.address)
			if err != nil {
				t.Fatal(err)
			}
			_, err = n.Listen(tt.second.ctx, tt.second.network, tt.second.address)
			if tt.conflict {
				wantError(t, "listen", err, syscall.EADDRINUSE)
			} else {
				expect(t, "error", err, nil)
			}
			_ = first.Close()
			if tt.conflict {
				_, err = n.Listen(tt.second.ctx, tt.second.network, tt.second.address)
				expect(t, "error after the first has gone", err, nil)
			}
		})
	}
}

// Who listens on every address is found at those of its own host only, and one
// with an address of its own is found first.
func TestWhoIsFound(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	l.SetHost("web", "10.0.0.7", "fd00::7")
	wild, err := l.On("web").Listen(context.Background(), "tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "address", wild.Addr().String(), "[::]:80")
	_ = l.listen("tcp4", "127.0.0.1:80")
	for to, want := range map[string]error{
		"10.0.0.7:80": nil, "[fd00::7]:80": nil, "web:80": nil, "127.0.0.1:80": nil,
		"[::1]:80": syscall.ECONNREFUSED, "10.0.0.8:80": syscall.ECONNREFUSED, "10.0.0.7:81": syscall.ECONNREFUSED,
	} {
		o := l.dial(context.Background(), "tcp", to)
		l.settle()
		if !errors.Is(o.err, want) {
			t.Errorf("dial %s: %v, want %v", to, o.err, want)
		}
	}
}

// A unix socket's file outlives it where its owner said so, and then refuses.
func TestUnixFiles(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	dial := func() error {
		o := l.dial(context.Background(), "unix", "/run/it")
		l.settle()
		return o.err
	}
	wantError(t, "no file", dial(), syscall.ENOENT)
	ln := l.listen("unix", "/run/it")
	ln.SetUnlinkOnClose(false)
	expect(t, "somebody", dial(), nil)
	c, err := ln.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "addresses", c.LocalAddr().String()+" "+c.RemoteAddr().String(), "/run/it @")
	_ = ln.Close()
	wantError(t, "nobody", dial(), syscall.ECONNREFUSED)
	_, err = l.Listen(context.Background(), "unix", "/run/it")
	wantError(t, "listen", err, syscall.EADDRINUSE)
	l.Unlink("/run/it")
	wantError(t, "no file", dial(), syscall.ENOENT)
	_ = l.listen("unix", "/run/it").Close()
	wantError(t, "closed the usual way", dial(), syscall.ENOENT)
}

// A unix socket that dials may have a path, too.
func TestUnixFromPath(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	ln := l.listen("unix", "@abstract")
	from := kernel.WithLocalAddress(context.Background(), "/run/me")
	first, second := l.dial(from, "unix", "@abstract"), l.dial(from, "unix", "@abstract")
	l.settle()
	c, err := ln.TryAccept()
	if err != nil || c.RemoteAddr().String() != "/run/me" {
		t.Errorf("accept: %v, %v", c, err)
	}
	expect(t, "error", first.err, nil)
	wantError(t, "the same path again", second.err, syscall.EADDRINUSE)
	ln.SetUnlinkOnClose(false)
	_ = ln.Close()
	o := l.dial(context.Background(), "unix", "@abstract")
	l.settle()
	wantError(t, "abstract names have no files", o.err, syscall.ENOENT)
}

// Ports run out, and say so.
func TestPortsRunOut(t *testing.T) {
	n := wheeltest.New(wheeltest.Config{})
	var err error
	count := 0
	for ; err == nil && count < 1<<16; count++ {
		_, err = n.ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	}
	wantError(t, "listen", err, syscall.EADDRINUSE)
	expect(t, "how many there were", count-1, 60999-32768+1)
}

// complaints are those of a test that is expected to fail.
type complaints struct {
	testing.TB
	lines []string
}

func (c *complaints) Helper()                   {}
func (c *complaints) Errorf(f string, a ...any) { c.lines = append(c.lines, fmt.Sprintf(f, a...)) }

func TestOpenAndCheck(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	l.Cut("localhost", "10.0.0.9")
	ln := l.listen("tcp", "10.0.0.1:80")
	p := l.packets("udp", "10.0.0.1:53")
	o := l.dial(context.Background(), "tcp", "10.0.0.1:80")
	hangs := l.dial(context.Background(), "tcp", "10.0.0.9:80")
	l.settle()
	if c := (&complaints{TB: t}); len(l.Open()) != 4 {
		t.Errorf("open: %q %v", l.Open(), c)
	}
	c, err := ln.TryAccept()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "connections", fmt.Sprint(l.Conns()), fmt.Sprint([]net.Conn{o.conn, c}))
	got := &complaints{TB: t}
	l.Check(got)
	for i, want := range []string{
		"tcp listener 10.0.0.1:80, made at wheeltest/rig_test.go:",
		"udp socket 10.0.0.1:53, made at wheeltest/packet_test.go:",
		"dial tcp 10.0.0.9:80, made at wheeltest/rig_test.go:",
		"tcp 192.0.2.1:32768->10.0.0.1:80, made at wheeltest/rig_test.go:",
		"tcp 10.0.0.1:80->192.0.2.1:32768, made at wheeltest/rig_test.go:",
	} {
		if i >= len(got.lines) || !strings.HasPrefix(got.lines[i], "still open: "+want) {
			t.Errorf("Check does not say %q in line %d of:\n%s", want, i, strings.Join(got.lines, "\n"))
		}
	}
	_, _ = ln.Close(), p.Close()
	_, _ = c.Close(), o.conn.Close()
	hangs.cancel()
	l.Check(t)
	expect(t, "open", len(l.Open()), 0)
	_, err = ln.TryAccept()
	wantError(t, "accept", err, net.ErrClosed)
	wantReadError(t, o.conn, net.ErrClosed)
	_, _, err = p.TryReadFrom(nil)
	wantError(t, "read", err, net.ErrClosed)
	if _, err := p.TryWriteTo(nil, &net.UDPAddr{}); errors.Is(err, wheel.ErrAgain) {
		t.Error("a closed socket can be tried again")
	}
}
