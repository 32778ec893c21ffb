package wheel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
)

// names is a name server for one test: it answers over a pipe, and knows a few names.
type names map[string][]string

// serve has Go's own resolver ask it.
func (n names) serve(t *testing.T) {
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked, conn := net.Pipe()
		go n.answer(conn)
		return asked, nil
	}}
}

// answer speaks DNS over a stream, RFC 1035: each message has its length before it.
func (n names) answer(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := conn.Read(size[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := conn.Read(question); err != nil {
			return
		}
		reply := n.reply(question)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func (n names) reply(question []byte) []byte {
	name, at := "", 12
	for question[at] > 0 {
		end := at + 1 + int(question[at])
		name += string(question[at+1:end]) + "."
		at = end
	}
	at++ // behind the name: type and class
	asked := binary.BigEndian.Uint16(question[at:])
	reply := append([]byte(nil), question[:at+4]...)
	reply[2], reply[3] = 0x84, 0 // an answer, by who should know
	for i := 6; i < 12; i++ {
		reply[i] = 0
	}
	addrs, ok := n[strings.TrimSuffix(name, ".")]
	if !ok {
		reply[3] = 3 // no such name
	}
	for _, a := range addrs {
		ip, kind := net.ParseIP(a), uint16(28)
		if v4 := ip.To4(); v4 != nil {
			ip, kind = v4, 1
		}
		if kind != asked {
			continue
		}
		reply[7]++
		reply = append(reply, 0xc0, 12) // the name in the question
		reply = binary.BigEndian.AppendUint16(reply, kind)
		reply = append(reply, 0, 1, 0, 0, 0, 60)
		reply = binary.BigEndian.AppendUint16(reply, uint16(len(ip)))
		reply = append(reply, ip...)
	}
	return reply
}

// listenAt returns a listener on an address, and its port.
func listenAt(t *testing.T, address string) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("this machine does not have %s: %v", address, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return l, port
}

// silence makes an address of this machine's where nobody answers: the backlog of
// its listener is full.
func silence(t *testing.T, network, host, port string) {
	t.Helper()
	family, sa := syscall.AF_INET, syscall.Sockaddr(nil)
	to, err := net.ResolveTCPAddr(network, net.JoinHostPort(host, port))
	if err != nil {
		t.Fatal(err)
	}
	if v4 := to.IP.To4(); v4 != nil {
		sa = &syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(v4)}
	} else {
		family, sa = syscall.AF_INET6, &syscall.SockaddrInet6{Port: to.Port, Addr: [16]byte(to.IP.To16())}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, sa); err != nil {
		t.Skip(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		conn, err := net.DialTimeout(network, to.String(), 100*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Skip("this system answers for a listener with a full backlog")
}

// W40: of the addresses of a name, those that refuse or are silent do not matter, if
// one answers. Families are raced; within one, each address has its share of the time.
func TestW40_AllAddressesOfAName(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T) (addrs []string, port string){
		"refused": func(t *testing.T) ([]string, string) {
			_, port := listenAt(t, "127.0.0.1:0")
			return []string{"127.0.0.2", "127.0.0.1"}, port
		},
		"IPv6 refused": func(t *testing.T) ([]string, string) {
			_, port := listenAt(t, "127.0.0.1:0")
			return []string{"::1", "127.0.0.1"}, port
		},
		"IPv4 refused": func(t *testing.T) ([]string, string) {
			_, port := listenAt(t, "[::1]:0")
			return []string{"::1", "127.0.0.1"}, port
		},
		"IPv6 silent": func(t *testing.T) ([]string, string) {
			_, port := listenAt(t, "127.0.0.1:0")
			silence(t, "tcp6", "::1", port)
			return []string{"::1", "127.0.0.1"}, port
		},
		"silent": func(t *testing.T) ([]string, string) {
			_, port := listenAt(t, "127.0.0.1:0")
			silence(t, "tcp4", "127.0.0.3", port)
			return []string{"127.0.0.3", "127.0.0.1"}, port
		},
	} {
		t.Run(name, func(t *testing.T) {
			addrs, port := prepare(t)
			names{"several.test": addrs}.serve(t)
			s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
				RemoteAddress: "several.test:" + port, ConnectTimeout: 10 * time.Second,
			}}
			if name == "silent" {
				s.cfg.ConnectTimeout = 3 * time.Second // of which the first gets 2
			}
			run(t, kernel.New(kernel.Config{Observer: strict(t)}), s.session())
			if s.want("closed nil"); s.conns != 1 {
				t.Errorf("%d connections", s.conns)
			}
		})
	}
}

// A name that is nobody's is a connect that failed, with the resolver's reason.
func TestW39_W40_NameThatIsNobodys(t *testing.T) {
	names{}.serve(t)
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{RemoteAddress: "nobody.test:80"}}
		var reason error
		s.failed = func(e *wheel.Error) { reason = e }
		run(t, k, s.session())
		var e *wheel.Error
		var dns *net.DNSError
		if !errors.As(reason, &e) || e.Op != "connect" || !errors.As(reason, &dns) || !dns.IsNotFound {
			t.Errorf("failure %v", reason)
		}
	})
}

// The local address of a client, with and without a port, and a path.
func TestW41_W42_ClientFromALocalAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "client")
	for from, want := range map[string]string{
		"127.0.0.2":   "127.0.0.2:",
		"127.0.0.3:0": "127.0.0.3:",
		path:          path,
	} {
		inModes(t, func(t *testing.T, k *kernel.Kernel) {
			network, at := "tcp", "127.0.0.1:0"
			if from == path {
				_ = os.Remove(path)
				network, at = "unix", filepath.Join(t.TempDir(), "server")
			}
			l, err := net.Listen(network, at)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
				Network: network, RemoteAddress: l.Addr().String(), BindAddress: from,
			}}
			s.conn = func(_ *kernel.Context, conn net.Conn) {
				far, err := l.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer far.Close()
				for _, a := range []net.Addr{conn.LocalAddr(), far.RemoteAddr()} {
					if !strings.HasPrefix(a.String(), want) {
						t.Errorf("connected from %v, want %s", a, want)
					}
				}
			}
			run(t, k, s.session())
			s.want("closed nil")
		})
	}
}

// An address that is taken is what connecting says.
func TestW39_W42_LocalAddressThatIsTaken(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		l, _ := listenAt(t, "127.0.0.1:0")
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
			RemoteAddress: l.Addr().String(), BindAddress: l.Addr().String(),
		}}
		run(t, k, s.session())
		s.want("connect address already in use", "closed address already in use")
	})
}

// asynchronous is a kernel.AsyncNetwork whose dials a test answers.
type asynchronous struct {
	kernel.Network
	dial func(ctx context.Context, address string, done func(net.Conn, error)) (cancel func())
}

var _ kernel.AsyncNetwork = asynchronous{}

func (a asynchronous) DialAsync(ctx context.Context, _, address string, done func(net.Conn, error)) func() {
	return a.dial(ctx, address, done)
}

func (asynchronous) LookupAsync(context.Context, string, func([]net.IPAddr, error)) func() {
	panic("not asked for")
}

// tracked is a connection that says when it was closed.
type tracked struct {
	net.Conn
	mu     sync.Mutex
	closes int
}

func (c *tracked) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closes++
	return nil
}

// The time for a connect is the kernel's: in simulated mode not a moment passes, and
// what comes too late is closed.
func TestW45_ConnectTimeoutByTheKernelsClock(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		var done func(net.Conn, error)
		cancelled := 0
		late := new(tracked)
		k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: asynchronous{
			dial: func(_ context.Context, _ string, f func(net.Conn, error)) func() {
				done = f
				return func() { cancelled++ }
			},
		}}))
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
			RemoteAddress: "192.0.2.1:80", ConnectTimeout: time.Hour,
		}}
		s.failed = func(e *wheel.Error) {
			if !errors.Is(e, syscall.ETIMEDOUT) || !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("failure %v", e)
			}
		}
		if _, err := k.Spawn(s.session()); err != nil {
			t.Fatal(err)
		}
		kerneltest.Advance(t, k, time.Hour-1)
		s.want()
		kerneltest.Advance(t, k, 1)
		s.want("connect ConnectTimeout passed", "closed ConnectTimeout passed")
		done(late, nil) // a network that did not hear of the cancel
		if cancelled == 0 || late.closes != 1 {
			t.Errorf("the attempt was cancelled %d times, the late connection closed %d times", cancelled, late.closes)
		}
		kerneltest.Run(t, k)
	})
}

// A connection in time stops the clock.
func TestW43_W45_ConnectedInTime(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		var k *kernel.Kernel
		k = kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: asynchronous{
			dial: func(_ context.Context, address string, done func(net.Conn, error)) func() {
				stop := k.AfterFunc(time.Minute, func() { done(new(tracked), nil) })
				return func() { stop() }
			},
		}}))
		s := &listening{host: host{t: t}, cfg: wheel.SocketFactoryConfig{
			RemoteAddress: "192.0.2.1:80", ConnectTimeout: time.Minute + 1,
		}}
		if _, err := k.Spawn(s.session()); err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		if s.want("closed nil"); s.conns != 1 {
			t.Errorf("%d connections", s.conns)
		}
		if took := k.Now().Sub(kerneltest.Epoch); took != time.Minute {
			t.Errorf("the kernel ran for %v: a timer was left", took)
		}
	})
}
