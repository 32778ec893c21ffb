package tcp_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// A configuration that cannot work is refused by the name of its field, before
// there is any session.
func TestC1_C2_C21_ServerConfigIsChecked(t *testing.T) {
	type edit = func(*serverConfig)
	raw := func(*kernel.Context, net.Conn) error { return nil }
	hook := func(*kernel.Context, *conn) error { return nil }
	for field, f := range map[string]edit{
		"ServerConfig.Network":          func(c *serverConfig) { c.Network = "udp" },
		"ServerConfig.Address is empty": func(c *serverConfig) { c.Network = "unix" },
		"ServerConfig.Address":          func(c *serverConfig) { c.Address, c.Listener = ":0", listen(t) },
		"ServerConfig.Concurrency":      func(c *serverConfig) { c.Concurrency = -2 },
		"ServerConfig.HandshakeTimeout": func(c *serverConfig) { c.HandshakeTimeout = -1 },
		"ServerConfig.Filter":           func(c *serverConfig) { c.Filter = nil },
		"ServerConfig.ClientInput":      func(c *serverConfig) { c.ClientInput = nil },
		"beside ClientInput":            func(c *serverConfig) { c.Acceptor, c.Filter = raw, nil },
		"beside Filter":                 func(c *serverConfig) { c.Acceptor, c.ClientInput = raw, nil },
		"beside ClientLow": func(c *serverConfig) {
			c.Acceptor, c.ClientInput, c.Filter, c.ClientLow = raw, nil, nil, hook
		},
		"Limits.HighMark is 0":                      func(c *serverConfig) { c.ClientHigh = hook },
		"Limits.HighMark":                           func(c *serverConfig) { c.Limits.HighMark = -1 },
		"Limits.HighMark is 9":                      func(c *serverConfig) { c.Limits = tcp.Limits{HighMark: 9, MaxOutput: 8} },
		"Limits.LowMark is 1":                       func(c *serverConfig) { c.Limits.LowMark = 1 },
		"Limits.HighMark is 33554432":               func(c *serverConfig) { c.Limits = tcp.Limits{HighMark: 32 << 20} }, // over the default
		"Limits.LowMark is 9":                       func(c *serverConfig) { c.Limits = tcp.Limits{HighMark: 9, LowMark: 9} },
		"Limits.Credit":                             func(c *serverConfig) { c.Limits.Credit = -1 },
		"Limits.MaxOutput":                          func(c *serverConfig) { c.Limits.MaxOutput = -1 },
		"Limits.IdleTimeout":                        func(c *serverConfig) { c.Limits.IdleTimeout = -1 },
		"Limits.FlushTimeout":                       func(c *serverConfig) { c.Limits.FlushTimeout = -2 },
		"Events.Connected":                          func(c *serverConfig) { c.ClientConnected, c.Events = hook, ownedBy("x") },
		"Events.Owner":                              func(c *serverConfig) { c.Events.Error = failed },
		"Events.ConnectError":                       func(c *serverConfig) { c.Events.ConnectError, c.Events.Owner = failed, "x" },
		`ClientStates has a handler for "_start"`:   func(c *serverConfig) { c.ClientStates = []state{tcp.Handle("_start", hook)} },
		`ClientStates has a handler for "tcp_x"`:    func(c *serverConfig) { c.ClientStates = []state{tcp.Handle("tcp_x", hook)} },
		`ClientStates has a nil handler for "said"`: func(c *serverConfig) { c.ClientStates = []state{tcp.On[string, string](said, nil)} },
		`ClientStates has two handlers for "x"`:     func(c *serverConfig) { c.ClientStates = []state{tcp.Handle("x", hook), tcp.Handle("x", hook)} },
	} {
		cfg := withFilter(serverConfig{ClientInput: echo})
		f(&cfg)
		k := kerneltest.New(t)
		_, err := tcp.NewServer(k, cfg)
		if !errors.Is(err, tcp.ErrConfig) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
		if n := len(k.Sessions()); n != 0 {
			t.Errorf("%s: %d sessions were made", field, n)
		}
	}
}

func TestC24_C37_ClientConfigIsChecked(t *testing.T) {
	type edit = func(*clientConfig)
	for field, f := range map[string]edit{
		"ClientConfig.Network":         func(c *clientConfig) { c.Network = "udp" },
		"ClientConfig.RemoteAddress":   func(c *clientConfig) { c.RemoteAddress = "" },
		`RemoteAddress is "localhost"`: func(c *clientConfig) { c.RemoteAddress = "localhost" },
		"ClientConfig.BindAddress":     func(c *clientConfig) { c.BindAddress = "127.0.0.1" },
		"ClientConfig.TLS":             func(c *clientConfig) { c.RemoteAddress, c.TLS = ":1", &tls.Config{} },
		`names none; set it`:           func(c *clientConfig) { c.Network, c.RemoteAddress, c.TLS = "unix", "/x", &tls.Config{} },
		"ClientConfig.ServerInput":     func(c *clientConfig) { c.ServerInput = nil },
		"ClientConfig.Filter":          func(c *clientConfig) { c.Filter = nil },
		"ClientConfig.ConnectTimeout":  func(c *clientConfig) { c.ConnectTimeout = -1 },
		"ReconnectPolicy.Attempts":     func(c *clientConfig) { c.Reconnect.Attempts = -2 },
		"ReconnectPolicy.Min":          func(c *clientConfig) { c.Reconnect.Min = -1 },
		"ReconnectPolicy.Max":          func(c *clientConfig) { c.Reconnect.Min, c.Reconnect.Max = 2, 1 },
		"ReconnectPolicy.Jitter":       func(c *clientConfig) { c.Reconnect.Jitter = 1.5 },
		"Limits.HighMark":              func(c *clientConfig) { c.ServerLow = func(*kernel.Context, *conn) error { return nil } },
		"Events.Input":                 func(c *clientConfig) { c.Events = ownedBy("x") },
		"Events.Drain":                 func(c *clientConfig) { c.Events.Drain, c.Events.Owner = joined, "x" },
		`States has a handler for ""`:  func(c *clientConfig) { c.States = []state{{}} },
	} {
		cfg := clientConfig{RemoteAddress: "127.0.0.1:1", ServerInput: echo, Filter: filter.Line}
		f(&cfg)
		k := kerneltest.New(t)
		_, err := tcp.NewClient(k, cfg)
		if !errors.Is(err, tcp.ErrConfig) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
		if n := len(k.Sessions()); n != 0 {
			t.Errorf("%s: %d sessions were made", field, n)
		}
	}
}

func TestAliasTaken(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(serverConfig{Alias: "x", ClientInput: echo})
		at := s.Addr().String()
		if _, err := tcp.NewServer(r.k, withFilter(serverConfig{Alias: "x", ClientInput: echo})); !errors.Is(err, kernel.ErrAliasTaken) {
			t.Errorf("a server: %v", err)
		}
		if _, err := tcp.NewClient(r.k, clientConfig{Alias: "x", RemoteAddress: at, ServerInput: echo, Filter: lines}); !errors.Is(err, kernel.ErrAliasTaken) {
			t.Errorf("a client: %v", err)
		}
	})
}

// Each connection has a filter of its own, from one function.
func TestC20_C37_AFilterForEachConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		made := make(chan bool, 10)
		cfg := serverConfig{ClientInput: echo, Filter: func() filter.Filter[string, string] {
			made <- true
			f, err := filter.NewLine(filter.LineConfig{InputLiteral: ";", OutputLiteral: "\n"})
			if err != nil {
				t.Error(err)
			}
			return f
		}}
		s := r.server(cfg)
		a, b := r.dial(s.Addr()), r.dial(s.Addr())
		a.send("half of ")
		b.send("another;")
		b.line("another")
		a.send("one;")
		a.line("half of one")
		if len(made) != 2 {
			t.Errorf("%d filters were made, want 2", len(made))
		}
	})
}

func TestNilFilter(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowReported())
		s := r.server(serverConfig{ClientInput: echo, Filter: func() filter.Filter[string, string] { return nil }})
		r.dial(s.Addr()).end()
		r.await("report: connection failed as it began: bad configuration")
	})
}

func TestC21_Marks(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Limits = tcp.Limits{HighMark: 1 << 20, LowMark: 1 << 10}
		cfg.ClientInput = func(_ *kernel.Context, conn *conn, line string) error { return conn.Put(strings.Repeat(line, 4<<20)) }
		cfg.ClientHigh = func(_ *kernel.Context, conn *conn) error {
			r.note("high %v %v", conn.High(), conn.Buffered() > 1<<20)
			conn.PauseInput()
			return nil
		}
		cfg.ClientLow = func(_ *kernel.Context, conn *conn) error {
			r.note("low %v %v", conn.High(), conn.Buffered() <= 1<<10)
			conn.ResumeInput()
			return nil
		}
		p := r.dial(r.server(cfg).Addr())
		p.send("ab\n")
		r.await("high true true")
		p.send("c\n")
		p.line(strings.Repeat("ab", 4<<20))
		r.await("low false true")
		p.line(strings.Repeat("c", 4<<20)) // it waited for the low mark
		r.await("flushed", 2)
		if log := r.entries(); log[2] != "high true true" || log[3] != "low false true" || log[4] != "flushed" {
			t.Errorf("the log is %q", log)
		}
	})
}

// A filter may be changed between two records of one read.
func TestSetFilter(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.ClientInput = func(_ *kernel.Context, conn *conn, line string) error {
			if line == "semicolons" {
				f, err := filter.NewLine(filter.LineConfig{InputLiteral: ";"})
				if err != nil {
					return err
				}
				return conn.SetFilter(f)
			}
			return conn.Put(line)
		}
		p := r.dial(r.server(cfg).Addr())
		p.send("one\nsemicolons\ntwo;three\n;")
		p.line("one")
		p.line("two")
		p.line("three")
		p.Close()
		r.await("disconnected nil")
	})
}

// scripted is a listener whose accepts end as a test says.
type scripted struct {
	net.Listener
	errs chan error
}

func (l *scripted) Accept() (net.Conn, error) {
	if err := <-l.errs; err != nil {
		return nil, err
	}
	return l.Listener.Accept()
}

// An accept that cannot go on ends the listening as a shutdown does; the alias goes.
func TestC5_AcceptFails(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, callback := range []bool{true, false} {
			r := newRig(t, m, kerneltest.AllowReported())
			l := &scripted{listen(t), make(chan error, 3)}
			cfg := r.noted()
			cfg.ClientPreConnect = nil
			cfg.Listener, cfg.Alias = l, "server"
			if callback {
				cfg.Error = func(_ *kernel.Context, e *wheel.Error) error { r.note("error %s %s", e.Op, cause(e)); return nil }
			}
			cfg.Stopped = func(*kernel.Context) error { r.note("stopped"); return nil }
			s := r.server(cfg)
			l.errs <- nil
			p := r.dial(s.Addr())
			r.await("connected")
			l.errs <- errors.New("broken")
			r.until("the alias is gone", func() bool { _, ok := r.k.Resolve("server"); return !ok })
			p.send("still there\n")
			p.line("still there")
			r.await("flushed")
			p.Close()
			r.await("stopped")
			told := "error accept broken"
			if !callback {
				told = "report: accept failed: broken"
			}
			r.want("connected", told, "input still there", "flushed", "error read EOF", "disconnected nil", "stopped")
		}
	})
}

// A server that is shut down while it is full does not let in who has waited.
func TestC15_C16_ShutdownWhileFull(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		cfg := r.noted()
		cfg.Concurrency = 1
		s := r.server(cfg)
		p := r.dial(s.Addr())
		r.await("connected")
		q := r.dial(s.Addr())
		s.Shutdown()
		q.hungUp()
		refused(t, s.Addr())
		p.send("hello\n")
		p.line("hello")
		p.Close()
		r.ended(s.Session())
		if count(r.entries(), "connected") != 1 {
			t.Errorf("the log is %q", r.entries())
		}
	})
}

// Describe shows what State says, without waiting for anybody.
func TestDescriptions(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(serverConfig{Alias: "echo", ClientInput: echo})
		cfg := r.notedClient(s.Addr())
		cl := r.client(cfg)
		r.await("connected")
		d := r.k.Descriptions()
		if got := d["echo "+string(s.Session())]; got != s.State() {
			t.Errorf("the server: %+v of %v", got, d)
		}
		if got := d["tcp client "+string(cl.Session())]; got != cl.State() {
			t.Errorf("the client: %+v of %v", got, d)
		}
		cl.Shutdown()
		r.ended(cl.Session())
	})
}
