package wheeltest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

type kernelNetwork = kernel.Network

// systemNetwork is the real one.
type systemNetwork struct{ kernel.Network }

func system() systemNetwork { return systemNetwork{kernel.New(kernel.Config{}).Network()} }

// answers is what somebody sees of an error who matches it.
func answers(err error) string {
	if err == nil {
		return "nil"
	}
	var list []string
	for _, e := range []struct {
		name string
		err  error
	}{
		{"EOF", io.EOF}, {"net.ErrClosed", net.ErrClosed},
		{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded},
		{"context.DeadlineExceeded", context.DeadlineExceeded}, {"context.Canceled", context.Canceled},
		{"ECONNREFUSED", syscall.ECONNREFUSED}, {"ECONNRESET", syscall.ECONNRESET},
		{"EPIPE", syscall.EPIPE}, {"ENOENT", syscall.ENOENT}, {"ENOTCONN", syscall.ENOTCONN},
		{"EADDRINUSE", syscall.EADDRINUSE}, {"EMSGSIZE", syscall.EMSGSIZE},
		{"net.ErrWriteToConnected", net.ErrWriteToConnected},
	} {
		if errors.Is(err, e.err) {
			list = append(list, e.name)
		}
	}
	if netErr := net.Error(nil); errors.As(err, &netErr) {
		list = append(list, fmt.Sprintf("timeout=%v", netErr.Timeout()))
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		list = append(list, fmt.Sprintf("op=%s net=%s source=%v", op.Op, op.Net, op.Source != nil))
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) { // before or after the lookup
			list = append(list, fmt.Sprintf("addr=%v", op.Addr != nil))
		}
	}
	if sys := (*os.SyscallError)(nil); errors.As(err, &sys) {
		list = append(list, "call="+sys.Syscall)
	}
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		list = append(list, fmt.Sprintf("notfound=%v", dns.IsNotFound))
	}
	if len(list) == 0 {
		return err.Error()
	}
	return strings.Join(list, " ")
}

// scene notes what is seen of one network.
type scene struct {
	t   *testing.T
	n   kernelNetwork
	log []string

	network, address string
}

func (s *scene) note(what string, err error) { s.log = append(s.log, what+": "+answers(err)) }

func (s *scene) read(c net.Conn) {
	s.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	n, err := c.Read(make([]byte, 100))
	s.note(fmt.Sprintf("read %d", n), err)
}

func (s *scene) write(c net.Conn) {
	n, err := c.Write([]byte("x"))
	s.note(fmt.Sprintf("write %d", n), err)
}

func (s *scene) closeWrite(c net.Conn) {
	s.note("close write", c.(interface{ CloseWrite() error }).CloseWrite())
}

func (s *scene) pair() (client, server net.Conn) {
	client, server = dialled(s.t, s.n, s.network, s.address)
	s.t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	return client, server
}

func (s *scene) listen() net.Listener {
	l, err := s.n.Listen(context.Background(), s.network, s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = l.Close() })
	return l
}

// abort closes a connection with a reset.
func abort(c net.Conn) {
	if c, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = c.SetLinger(0)
	}
	_ = c.Close()
}

// arrived waits until whatever was sent to c, and can be read without reading it
// away, is there: one byte is left of it.
func (s *scene) arrived(c net.Conn) {
	s.t.Helper()
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for what another write brings about.
func until(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !what(); {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

var scenes = map[string]func(*scene){
	"read after the peer's close": func(s *scene) {
		a, b := s.pair()
		s.write(a)
		_ = a.Close()
		s.read(b)
		s.read(b)
		s.read(b)
	},
	"read after a reset keeps what had arrived": func(s *scene) {
		a, b := s.pair()
		s.write(a)
		abort(a)
		s.read(b)
		s.read(b)
		s.read(b)
		s.write(b)
	},
	"closed with unread input": func(s *scene) {
		a, b := s.pair()
		_, _ = b.Write([]byte("xy"))
		s.arrived(a)
		_ = a.Close()
		s.read(b)
		s.read(b)
		s.write(b)
	},
	"closed with unread input, and output": func(s *scene) {
		a, b := s.pair()
		_, _ = b.Write([]byte("xy"))
		s.arrived(a)
		s.write(a)
		_ = a.Close()
		s.read(b)
		s.read(b)
		s.read(b)
		s.write(b)
	},
	"write to a peer that has closed": func(s *scene) {
		a, b := s.pair()
		_ = a.Close()
		s.read(b)
		var err error
		until(s.t, func() bool { _, err = b.Write([]byte("x")); return err != nil })
		s.note("write", err)
		s.write(b)
		s.read(b)
		s.closeWrite(b)
	},
	"write after a reset that nobody has read": func(s *scene) {
		a, b := s.pair()
		abort(a)
		var err error
		until(s.t, func() bool { _, err = b.Write([]byte("x")); return err != nil })
		s.note("write", err)
		s.write(b)
		s.read(b)
		s.closeWrite(b)
	},
	"half closed": func(s *scene) {
		a, b := s.pair()
		s.closeWrite(a)
		s.closeWrite(a)
		s.read(b)
		s.write(a)
		s.write(b)
		s.read(a)
		s.closeWrite(b)
		s.read(a)
		s.closeWrite(a)
	},
	"used after close": func(s *scene) {
		a, _ := s.pair()
		_ = a.Close()
		s.read(a)
		s.write(a)
		s.closeWrite(a)
		s.note("close", a.Close())
		s.note("deadline", a.SetDeadline(time.Time{}))
	},
	"nothing read and written": func(s *scene) {
		a, b := s.pair()
		_, err := a.Read(nil)
		s.note("read", err)
		_, err = a.Write(nil)
		s.note("write", err)
		_ = b.Close()
		s.read(a)
		_, err = a.Read(nil)
		s.note("read", err)
	},
	"deadline": func(s *scene) {
		a, b := s.pair()
		s.write(b)
		_ = a.SetDeadline(time.Unix(1, 0))
		_, err := a.Read(make([]byte, 1))
		s.note("read", err)
		s.write(a)
		_ = a.SetDeadline(time.Now().Add(time.Millisecond))
		s.read(a)
		_, _ = a.Write(make([]byte, 1<<10))
		var sent int
		_ = a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		until(s.t, func() bool { n, err2 := a.Write(make([]byte, 1<<20)); sent += n; err = err2; return err2 != nil })
		s.note("write", err)
	},
	"dial refused": func(s *scene) {
		l := s.listen()
		_ = l.Close()
		_, err := s.n.Dial(context.Background(), s.network, l.Addr().String())
		s.note("dial", err)
	},
	"dial given up": func(s *scene) {
		l := s.listen()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := s.n.Dial(ctx, s.network, l.Addr().String())
		s.note("dial", err)
		ctx, cancel = context.WithTimeout(context.Background(), 0)
		defer cancel()
		_, err = s.n.Dial(ctx, s.network, l.Addr().String())
		s.note("dial", err)
	},
	"accept": func(s *scene) {
		l := s.listen()
		d := l.(interface{ SetDeadline(time.Time) error })
		_ = d.SetDeadline(time.Unix(1, 0))
		_, err := l.Accept()
		s.note("accept", err)
		_ = l.Close()
		_, err = l.Accept()
		s.note("accept", err)
		s.note("close", l.Close())
		s.note("deadline", d.SetDeadline(time.Time{}))
	},
	"listener closed under an accept": func(s *scene) {
		l := s.listen()
		go func() { _ = l.Close() }()
		_, err := l.Accept()
		s.note("accept", err)
	},
	"connections that nobody accepted": func(s *scene) {
		l := s.listen()
		c, err := s.n.Dial(context.Background(), s.network, l.Addr().String())
		s.note("dial", err)
		_ = l.Close()
		s.read(c)
		s.read(c)
		_ = c.Close()
	},
	"address in use": func(s *scene) {
		l := s.listen()
		_, err := s.n.Listen(context.Background(), s.network, l.Addr().String())
		s.note("listen", err)
	},
	"what makes no sense": func(s *scene) {
		for _, bad := range [][2]string{{"tcp", "127.0.0.1"}, {"tcp4", "[::1]:80"}, {"tcp", "127.0.0.1:http2"}, {"foo", "bar"}, {"tcp", "127.0.0.1:99999"}} {
			_, err := s.n.Dial(context.Background(), bad[0], bad[1])
			s.note("dial", err)
			_, err = s.n.Listen(context.Background(), bad[0], bad[1])
			s.note("listen", err)
			_, err = s.n.ListenPacket(context.Background(), bad[0], bad[1])
			s.note("listen packet", err)
		}
	},
}

// What a program can tell from an error is the same as with the system's network.
func TestErrorsAreThoseOfTheSystem(t *testing.T) {
	for name, play := range scenes {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(name+"/"+network, func(t *testing.T) {
				real, ours := &scene{t: t, n: system(), network: network}, &scene{t: t, n: wheeltest.New(wheeltest.Config{}), network: network}
				real.address, ours.address = "127.0.0.1:0", "127.0.0.1:0"
				if network == "unix" {
					real.address, ours.address = filepath.Join(t.TempDir(), "socket"), "socket"
				}
				play(real)
				play(ours)
				for i := range max(len(real.log), len(ours.log)) {
					if i >= len(ours.log) || i >= len(real.log) || real.log[i] != ours.log[i] {
						t.Fatalf("step %d differs:\nsystem %s\nours   %s", i, strings.Join(real.log, "\n       "), strings.Join(ours.log, "\n       "))
					}
				}
			})
		}
	}
}
