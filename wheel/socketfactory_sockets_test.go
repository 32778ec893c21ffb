package wheel_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// An echo server and its client over datagram sockets that SocketFactories made: the
// server's is bound, in a turn of its own, the client's connected.
func TestW42_W52_W54_DatagramServerAndClient(t *testing.T) {
	for network, bind := range map[string]string{"udp": ":0", "udp4": "127.0.0.1:0", "udp6": ":0", "unixgram": "server"} {
		t.Run(network, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				local := ""
				if network == "unixgram" {
					dir := t.TempDir()
					bind, local = filepath.Join(dir, "server"), filepath.Join(dir, "client")
				}
				server, client := newPackets(t, nil), newPackets(t, nil)
				server.packet = func(_ *kernel.Context, p wheel.Packet) error {
					server.put(p)
					if string(p.Data) == "bye" {
						server.d.CloseFlushed()
					}
					return nil
				}
				client.packet = func(_ *kernel.Context, p wheel.Packet) error {
					if p.Addr != nil {
						t.Errorf("a connected socket's packet is from %v", p.Addr)
					}
					if client.note("packet %s", p.Data); string(p.Data) == "bye" {
						client.d.CloseFlushed()
						return nil
					}
					client.put(wheel.Packet{Data: []byte("bye")})
					return nil
				}
				client.begin = func(*kernel.Context) error { client.put(wheel.Packet{Data: []byte("hello")}); return nil }

				start := func(s *packets, cfg wheel.SocketFactoryConfig, next func(*kernel.Context, net.Addr) error) *session.Session {
					made, ended := false, ""
					t.Cleanup(func() {
						if ended != "nil" {
							t.Errorf("a factory ended with %q", ended)
						}
					})
					cfg.SuccessEvent, cfg.CloseEvent, cfg.FailureEvent = gotConn, "factory_closed", failed
					return session.New(
						session.Handle("_start", func(c *kernel.Context) error {
							f, err := wheel.NewSocketFactory(c, cfg)
							if err != nil {
								return err
							}
							made = true
							return next(c, f.Addr())
						}),
						session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
							if !made {
								t.Error("the socket came before its maker had returned")
							}
							s.conn = conn.(net.PacketConn)
							_, err := c.Spawn(s.session())
							return err
						}),
						session.On(failed, func(_ *kernel.Context, e *wheel.Error) error { t.Error(e); return nil }),
						session.On("factory_closed", func(_ *kernel.Context, err error) error { ended += cause(err); return nil }),
						session.Handle("_child", func(*kernel.Context) error { return nil }),
					)
				}
				run(t, k, start(server, wheel.SocketFactoryConfig{Network: network, BindAddress: bind}, func(c *kernel.Context, at net.Addr) error {
					_, err := c.Spawn(start(client, wheel.SocketFactoryConfig{Network: network, RemoteAddress: at.String(), BindAddress: local},
						func(_ *kernel.Context, at net.Addr) error {
							if at != nil {
								t.Errorf("a client's Addr is %v", at)
							}
							return nil
						}))
					return err
				}))
				server.want("closed nil")
				client.want("packet hello", "packet bye", "closed nil")
			})
		})
	}
}

// A socket for datagrams that nobody took is closed with its wheel.
func TestW2_W52_CloseBeforeTheSocketWasTaken(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Network: "udp", BindAddress: ":0"}}
		s.begin = func(*kernel.Context) error { s.factory.Close(); return nil }
		run(t, k, s.session())
		s.want()
		again, err := net.ListenPacket("udp", s.factory.Addr().String())
		if err != nil {
			t.Fatalf("the address is still taken: %v", err)
		}
		_ = again.Close()
	})
}

// A server of the dual kind hears IPv4 clients, and answers them.
func TestW52_W54_DatagramsOfBothFamilies(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, err := net.ListenPacket("udp", "[::]:0")
		if err != nil {
			t.Skip(err)
		}
		_, port, _ := net.SplitHostPort(near.LocalAddr().String())
		s := newPackets(t, near)
		n := 0
		s.packet = func(_ *kernel.Context, p wheel.Packet) error {
			s.put(p)
			if n++; n == 2 {
				s.d.CloseFlushed()
			}
			return nil
		}
		beside(t, func() {
			for _, host := range []string{"127.0.0.1", "::1"} {
				conn, err := net.Dial("udp", net.JoinHostPort(host, port))
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				b := make([]byte, 10)
				if _, err := conn.Write([]byte(host)); err != nil {
					t.Error(err)
				}
				if n, err := conn.Read(b); err != nil || string(b[:n]) != host {
					t.Errorf("%s got %q, %v", host, b[:n], err)
				}
			}
		})
		run(t, k, s.session())
		s.want("closed nil")
	})
}

// The echo of lines over IPv6 and over paths: addresses are the connection's.
func TestW53_W54_StreamsOfOtherFamilies(t *testing.T) {
	for network, bind := range map[string]string{"tcp6": ":0", "tcp": "[::1]:0", "unix": "path"} {
		t.Run(bind, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				at := bind
				if network == "unix" {
					at = filepath.Join(t.TempDir(), "echo")
				}
				cl := &client{send: []string{"a", "b"}, want: 2}
				srv := &echo{cfg: wheel.SocketFactoryConfig{Network: network, BindAddress: at}, left: 1}
				srv.ready = func(c *kernel.Context, at net.Addr) error {
					if ip, ok := at.(*net.TCPAddr); ok && (len(ip.IP) != net.IPv6len || !ip.IP.IsLoopback()) {
						t.Errorf("listens on %v", at)
					}
					cl.cfg = wheel.SocketFactoryConfig{Network: network, RemoteAddress: at.String()}
					_, err := c.Spawn(cl.session())
					return err
				}
				run(t, k, srv.session())
				if got := strings.Join(cl.got, ","); got != "a,b" {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// A path that exists makes listening fail, and stays; one's own goes with the wheel.
// A client without a path has none.
func TestW53_Paths(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		path := filepath.Join(t.TempDir(), "socket")
		stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		stale.SetUnlinkOnClose(false)
		_ = stale.Close()
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{Network: "unix", BindAddress: path}}
		var e *wheel.Error
		if _, err := k.Spawn(s.session()); !errors.As(err, &e) || e.Op != "listen" || !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listening on a stale path: %v", err)
		}
		if err := os.Remove(path); err != nil {
			t.Errorf("the stale path: %v", err)
		}

		s.begin = func(c *kernel.Context) error { return carryOn.Yield(c, struct{}{}) }
		s.conn = func(_ *kernel.Context, conn net.Conn) {
			if at, ok := conn.RemoteAddr().(*net.UnixAddr); !ok || at.Name != "" && at.Name != "@" {
				t.Errorf("the client's path is %v", conn.RemoteAddr())
			}
			s.factory.Close()
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the path after Close: %v", err)
			}
		}
		run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error {
			far, err := net.Dial("unix", path)
			if err != nil {
				return err
			}
			return far.Close()
		})))
		s.want()
	})
}

// Two servers share an address, and both get clients; a third one did not ask.
func TestW51_ReusePort(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		var servers [2]*wheel.SocketFactory
		clients, stop := make(map[kernel.WheelID]int), make(chan struct{})
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				cfg := wheel.SocketFactoryConfig{BindAddress: ":0", SuccessEvent: gotConn, ReusePort: true}
				for i := range servers {
					if servers[i], err = wheel.NewSocketFactory(c, cfg); err != nil {
						return err
					}
					cfg.BindAddress = servers[0].Addr().String()
				}
				cfg.ReusePort = false
				if _, err := wheel.NewSocketFactory(c, cfg); !errors.Is(err, syscall.EADDRINUSE) {
					t.Errorf("a third server: %v", err)
				}
				beside(t, func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						if conn, err := net.Dial("tcp", cfg.BindAddress); err == nil {
							_ = conn.Close()
						}
					}
				})
				return nil
			}),
			session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
				if clients[c.Wheel()]++; len(clients) == 2 {
					servers[0].Close()
					servers[1].Close()
					close(stop)
				}
				return conn.Close()
			}),
		))
		if clients[servers[0].ID()] == 0 || clients[servers[1].ID()] == 0 {
			t.Errorf("clients by server: %v", clients)
		}
	})
}

// A server that has just left, with connections that linger in the system, does not
// keep the next one from its address.
func TestW51_AddressOfAServerThatHasJustLeft(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		at := ":0"
		for range 3 {
			s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{BindAddress: at}}
			s.begin = func(c *kernel.Context) error {
				at = s.factory.Addr().String()
				return carryOn.Yield(c, struct{}{})
			}
			s.conn = func(_ *kernel.Context, conn net.Conn) { s.factory.Close() } // and conn, before its client
			run(t, k, s.session(session.On(carryOn, func(*kernel.Context, struct{}) error { s.dial(); return nil })))
			if s.conns != 1 {
				t.Errorf("%d connections", s.conns)
			}
		}
	})
}

// W47: each connection has its own event; W55: and outlives the wheel that made it.
func TestW47_W55_ConnectionsOutliveTheWheel(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const n = 10
		var h []*host
		var s *listening
		all := session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				s.factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: ":0", SuccessEvent: gotConn})
				beside(t, func() { chat(t, s.factory.Addr(), n) })
				return err
			}),
			session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
				one := newHost(t, conn)
				one.line = func(_ *kernel.Context, l string) error { return one.rw.Put("re: " + l) }
				if h = append(h, one); len(h) == n {
					s.factory.Close()
				}
				_, err := c.Spawn(one.session())
				return err
			}),
			session.Handle("_child", func(*kernel.Context) error { return nil }),
		)
		s = &listening{host: host{t: t}}
		run(t, k, all)
		for _, one := range h {
			one.want("read EOF", "closed nil")
		}
	})
}

// chat has n connections at once, says something over each when all are there, and
// hears it.
func chat(t *testing.T, at net.Addr, n int) {
	var conns []net.Conn
	for range n {
		conn, err := net.Dial(at.Network(), at.String())
		if err != nil {
			t.Errorf("dial: %v", err)
			return
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		far := &peer{conn, t}
		far.send("a\x00\xff\r\n") // W55: as it is
		if got := far.read(len("re: a\x00\xff\r\n")); got != "re: a\x00\xff\r\n" {
			t.Errorf("peer got %q", got)
		}
		_ = conn.Close()
	}
}
