package wheel_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// Clients of every bad kind, and some good ones, at one server: the good ones are
// served, and of none anything stays.
func TestG11_G12_HostileClients(t *testing.T) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) { hostile(t, mode, false, 500, 1) })
		t.Run(mode.String()+", lean", func(t *testing.T) { hostile(t, mode, true, 500, 1) })
	}
}

func TestSoakHostileClients(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes a while; set USHER_SOAK=1")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%v, seed %d", mode, seed), func(t *testing.T) {
				hostile(t, mode, seed > 0, min(10_000, int(limit.Cur-500)/2), seed)
			})
		}
	}
}

// besieged is a server of which each connection has a session.
type besieged struct {
	factory        *wheel.SocketFactory
	lean           bool
	n, made, ended int
	leaving        bool // all but those who stall are done
	open           map[kernel.Address]bool
	silent         atomic.Int32 // wheels that ended without saying so
}

func hostile(t *testing.T, mode kernel.Mode, lean bool, n int, seed uint64) {
	observer := strict(t)
	observer.Dropped = func(r kernel.Record, why kernel.Reason) {
		if r.Event != "go_away" { // to one that had just gone
			t.Errorf("dropped event %q to %v: %v", r.Event, r.To, why)
		}
	}
	k := kernel.New(kernel.Config{Mode: mode, Observer: observer})
	run(t, k, session.New(session.Handle("_start", func(*kernel.Context) error { return nil })))
	runtime.GC() // finalizers of earlier tests' connections
	goroutines, files := runtime.NumGoroutine(), descriptors(t)

	s := &besieged{n: n, lean: lean, open: make(map[kernel.Address]bool)}
	lease, err := k.SpawnHeld(s.session())
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- k.Run(t.Context()) }()

	at := s.factory.Addr().String()
	var busy, stalled sync.WaitGroup
	dials := make(chan struct{}, 64) // at once: the backlog is not what is tested
	random := rand.New(rand.NewPCG(seed, uint64(mode)))
	for i := range n {
		kind := random.IntN(len(attacks))
		if i < len(attacks) {
			kind = i // each at least once
		}
		a, r := attacks[kind], rand.New(rand.NewPCG(seed, uint64(i)))
		group := &busy
		if a.stalls {
			group = &stalled
		}
		group.Go(func() {
			dials <- struct{}{}
			conn, err := net.Dial("tcp", at)
			<-dials
			if err != nil {
				t.Errorf("client %d: %v", i, err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * patience))
			if err := a.do(conn.(*net.TCPConn), r); err != nil {
				t.Errorf("client %d, %s: %v", i, a.name, err)
			}
		})
	}
	busy.Wait()
	if err := lease.Post("enough"); err != nil {
		t.Fatal(err)
	}
	lease.Release()
	stalled.Wait()
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if s.made != n || s.ended != n || len(s.open) > 0 || len(k.Sessions()) > 0 {
		t.Errorf("%d sessions made and %d ended, want %d; left: %v", s.made, s.ended, n, k.Sessions())
	}
	if silent := s.silent.Load(); silent > 0 {
		t.Errorf("%d wheels ended without saying so", silent)
	}
	if g, ok := settled(runtime.NumGoroutine, goroutines); !ok {
		t.Errorf("%d goroutines, %d before", g, goroutines)
	}
	if f, ok := settled(func() int { return descriptors(t) }, files); !ok {
		t.Errorf("%d descriptors, %d before", f, files)
	}
}

func (s *besieged) session() *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			s.factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: ":0", Lean: s.lean, SuccessEvent: gotConn})
			return err
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			s.made++
			if raw, err := conn.(syscall.Conn).SyscallConn(); err == nil { // it is to be full soon
				_ = raw.Control(func(fd uintptr) {
					_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 32<<10)
				})
			}
			child, err := c.Spawn(s.client(conn))
			s.open[child] = true
			return errors.Join(err, s.farewell(c))
		}),
		session.Handle("_child", func(c *kernel.Context) error {
			if c.Arg(0) == "lose" {
				s.ended++
				delete(s.open, c.Arg(1).(kernel.Address))
			}
			return nil
		}),
		session.Handle("enough", func(c *kernel.Context) error {
			s.leaving = true
			return s.farewell(c)
		}),
	)
}

// farewell has those go who would stay for ever.
func (s *besieged) farewell(c *kernel.Context) error {
	if !s.leaving || s.made < s.n {
		return nil
	}
	s.factory.Drain()
	for child := range s.open {
		if err := c.Post(child, "go_away"); err != nil && !errors.Is(err, kernel.ErrNoSession) {
			return err
		}
	}
	return nil
}

// client echoes lines of 1000 bytes at most to whom reads them.
func (s *besieged) client(conn net.Conn) *session.Session {
	var rw *lineWheel
	over := false
	drop := func() error {
		over = true
		// Without this the system would go on offering what nobody reads. It is an
		// error where the wheel has ended.
		if tcp, ok := wheel.TCPConn(conn); ok {
			_ = tcp.SetLinger(0)
		}
		rw.Close()
		return nil
	}
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			f, err := filter.NewLine(filter.LineConfig{MaxLength: 1000, MaxBuffer: 128 << 10})
			if err != nil {
				return err
			}
			rw, err = wheel.NewReadWrite(c, conn, lineConfig{Filter: f, InputEvent: gotLine, CloseEvent: closed, MaxOutput: 64 << 10})
			return err
		}),
		session.On(gotLine, func(_ *kernel.Context, line string) error {
			if rw.Put(line) == nil {
				return nil
			}
			return drop()
		}),
		session.On(closed, func(*kernel.Context, error) error { over = true; return nil }),
		session.Handle("go_away", func(*kernel.Context) error { return drop() }),
		session.Handle("_stop", func(*kernel.Context) error {
			if !over {
				s.silent.Add(1)
			}
			return nil
		}),
	)
}

// attack is what one client does. It fails when a server owes it something else.
type attack struct {
	name   string
	stalls bool // until the server has it go away
	do     func(conn *net.TCPConn, r *rand.Rand) error
}

var attacks = []attack{
	{name: "good", do: func(conn *net.TCPConn, r *rand.Rand) error {
		for i := range 1 + r.IntN(5) {
			if err := echoed(conn, fmt.Sprintf("line %d\n", i)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "half closes", do: func(conn *net.TCPConn, r *rand.Rand) error {
		sent := bytes.Repeat([]byte("a line like others\r\n"), 1+r.IntN(100))
		if _, err := conn.Write(sent); err != nil {
			return err
		}
		if err := conn.CloseWrite(); err != nil {
			return err
		}
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, sent) {
			return fmt.Errorf("got %d of %d bytes back, %w", len(got), len(sent), err)
		}
		return nil
	}},
	{name: "resets", do: func(conn *net.TCPConn, r *rand.Rand) error {
		if r.IntN(2) == 0 {
			if err := echoed(conn, "a line\n"); err != nil {
				return err
			}
		}
		_, _ = conn.Write(make([]byte, r.IntN(100)))
		return conn.SetLinger(0)
	}},
	{name: "closes at once", do: func(*net.TCPConn, *rand.Rand) error { return nil }},
	{name: "closes on output", do: func(conn *net.TCPConn, r *rand.Rand) error {
		_, err := conn.Write(bytes.Repeat([]byte("x\n"), r.IntN(1000)))
		return err
	}},
	{name: "garbage", do: func(conn *net.TCPConn, r *rand.Rand) error {
		b := make([]byte, 2000+r.IntN(200_000))
		for i := range b {
			if b[i] = byte(r.Uint32()); b[i] == '\n' || b[i] == '\r' {
				b[i] = 'x'
			}
		}
		if _, err := conn.Write(b); err != nil {
			return err
		}
		return echoed(conn, "\nthat was one long line\n", "that was one long line\r\n")
	}},
	// It is dropped for its output, unless the system has stopped its input before: both
	// ends of the connection then have no room.
	{name: "never reads", stalls: true, do: func(conn *net.TCPConn, _ *rand.Rand) error {
		lines := bytes.Repeat(append(bytes.Repeat([]byte("x"), 900), '\n'), 20)
		for {
			if _, err := conn.Write(lines); err != nil {
				return hungUp(err)
			}
		}
	}},
	{name: "stalls", stalls: true, do: func(conn *net.TCPConn, r *rand.Rand) error {
		_, _ = conn.Write([]byte("half a line, and then nothing"[:r.IntN(20)]))
		_, err := conn.Read(make([]byte, 1))
		return hungUp(err)
	}},
}

// echoed sends a line and wants it back.
func echoed(conn net.Conn, line string, want ...string) error {
	if len(want) == 0 {
		want = []string{line[:len(line)-1] + "\r\n"}
	}
	if _, err := io.WriteString(conn, line); err != nil {
		return err
	}
	got := make([]byte, len(want[0]))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want[0] {
		return fmt.Errorf("got %q, want %q, %w", got, want[0], err)
	}
	return nil
}

// hungUp is what a client may find that the server has closed on.
func hungUp(err error) error {
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return err
	}
	return nil
}
