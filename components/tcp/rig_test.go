package tcp_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// patience bounds every wait of these tests; nothing waits for it when all is well.
const patience = time.Minute

type (
	conn         = tcp.Conn[string, string]
	serverConfig = tcp.ServerConfig[string, string]
	clientConfig = tcp.ClientConfig[string, string]
	state        = tcp.State[string, string]
)

func eachMode(t *testing.T, f func(t *testing.T, m kernel.Mode)) {
	t.Helper()
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) { f(t, m) })
	}
}

// rig is a running kernel, strict about what gets lost, and a log of what happens,
// reports included.
type rig struct {
	t    *testing.T
	k    *kernel.Kernel
	stop func()

	mu      sync.Mutex
	changed sync.Cond
	log     []string
}

func newRig(t *testing.T, m kernel.Mode, opts ...kerneltest.Option) *rig {
	t.Helper()
	r := &rig{t: t}
	r.changed.L = &r.mu
	reports := &kernel.Observer{Reported: func(component, what string, err error) {
		r.note("report: %s: %s", what, cause(err))
	}}
	r.k = kerneltest.New(t, append([]kerneltest.Option{kerneltest.Config(kernel.Config{Observer: reports}), kerneltest.Mode(m)}, opts...)...)
	r.stop = kerneltest.Start(t, r.k)
	return r
}

func (r *rig) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf(format, args...))
	r.changed.Broadcast()
}

func (r *rig) look(f func(log []string) bool) bool {
	late := time.AfterFunc(patience, func() { r.mu.Lock(); defer r.mu.Unlock(); r.changed.Broadcast() })
	defer late.Stop()
	end := time.Now().Add(patience)
	r.mu.Lock()
	defer r.mu.Unlock()
	for !f(r.log) {
		if !time.Now().Before(end) {
			return false
		}
		r.changed.Wait()
	}
	return true
}

// await waits until the log has the entry n times, once without n.
func (r *rig) await(entry string, n ...int) {
	r.t.Helper()
	want := 1
	if len(n) > 0 {
		want = n[0]
	}
	if !r.look(func(log []string) bool { return count(log, entry) >= want }) {
		r.t.Fatalf("in vain: %q, %d times; the log is\n%s", entry, want, strings.Join(r.entries(), "\n"))
	}
}

func count(log []string, entry string) (n int) {
	for _, e := range log {
		if e == entry {
			n++
		}
	}
	return n
}

func (r *rig) entries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

func (r *rig) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = nil
}

// want compares the whole log.
func (r *rig) want(entries ...string) {
	r.t.Helper()
	if got := r.entries(); !slices.Equal(got, entries) {
		r.t.Errorf("the log is\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(entries, "\n  "))
	}
}

// ended waits until a session is gone.
func (r *rig) ended(at kernel.Address) {
	r.t.Helper()
	r.until(fmt.Sprintf("%v ends", at), func() bool { _, ok := r.k.Resolve(at); return !ok })
}

// until asks again each time the kernel has handled something of ours.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) {
			r.t.Fatalf("in vain: %s; the log is\n%s", what, strings.Join(r.entries(), "\n"))
		}
		r.turn()
	}
}

// turn waits until a handler has run, so that waiting is no busy loop.
func (r *rig) turn() {
	r.t.Helper()
	ran := make(chan struct{})
	l, err := r.k.SpawnHeld(session.New(session.Handle("turn", func(*kernel.Context) error { close(ran); return nil })))
	if err != nil {
		r.t.Fatal(err)
	}
	defer l.Release()
	if err := l.Post("turn"); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-ran:
	case <-time.After(patience):
		r.t.Fatalf("no handler runs; the log is\n%s", strings.Join(r.entries(), "\n"))
	}
}

func (r *rig) server(cfg serverConfig) *tcp.Server {
	r.t.Helper()
	if cfg.Filter == nil && cfg.Acceptor == nil {
		cfg.Filter = filter.Line
	}
	s, err := tcp.NewServer(r.k, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) client(cfg clientConfig) *tcp.Client {
	r.t.Helper()
	cfg.Filter = filter.Line
	if cfg.ServerInput == nil && cfg.Events.Input == "" {
		cfg.ServerInput = func(_ *kernel.Context, _ *conn, line string) error { r.note("input %s", line); return nil }
	}
	c, err := tcp.NewClient(r.k, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// echo answers lines.
func echo(_ *kernel.Context, conn *conn, line string) error { return conn.Put(line) }

// noted is a server configuration that writes everything down.
func (r *rig) noted() serverConfig {
	return serverConfig{
		ClientPreConnect: func(_ *kernel.Context, nc net.Conn) (net.Conn, error) { r.note("preconnect"); return nc, nil },
		ClientConnected:  func(*kernel.Context, *conn) error { r.note("connected"); return nil },
		ClientInput: func(_ *kernel.Context, conn *conn, line string) error {
			r.note("input %s", line)
			return conn.Put(line)
		},
		ClientFlushed: func(*kernel.Context, *conn) error { r.note("flushed"); return nil },
		ClientError: func(_ *kernel.Context, _ *conn, e *wheel.Error) error {
			r.note("error %s %s", e.Op, cause(e))
			return nil
		},
		ClientDisconnected: func(_ *kernel.Context, conn *conn) error { r.note("disconnected %s", cause(conn.Err())); return nil },
	}
}

// notedClient is the same for a client.
func (r *rig) notedClient(remote net.Addr) clientConfig {
	return clientConfig{
		RemoteAddress: remote.String(),
		Started:       func(*kernel.Context, *conn) error { r.note("started"); return nil },
		PreConnect:    func(_ *kernel.Context, nc net.Conn) (net.Conn, error) { r.note("preconnect"); return nc, nil },
		Connected:     func(*kernel.Context, *conn) error { r.note("connected"); return nil },
		ConnectError: func(_ *kernel.Context, _ *conn, e *wheel.Error) error {
			r.note("failed %s %s", e.Op, cause(e))
			return nil
		},
		ServerError: func(_ *kernel.Context, _ *conn, e *wheel.Error) error {
			r.note("error %s %s", e.Op, cause(e))
			return nil
		},
		Disconnected: func(_ *kernel.Context, conn *conn) error { r.note("disconnected %s", cause(conn.Err())); return nil },
	}
}

// cause is the end of an error's chain.
func cause(err error) string {
	if err == nil {
		return "nil"
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// peer is the far end, used the blocking way by the test.
type peer struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func newPeer(t *testing.T, nc net.Conn) *peer {
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return &peer{nc, t, bufio.NewReader(nc)}
}

func (r *rig) dial(at net.Addr) *peer {
	r.t.Helper()
	nc, err := net.Dial(at.Network(), at.String())
	if err != nil {
		r.t.Fatal(err)
	}
	return newPeer(r.t, nc)
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Errorf("peer writes: %v", err)
	}
}

// line reads one line.
func (p *peer) line(want string) {
	p.t.Helper()
	got, err := p.in.ReadString('\n')
	if err != nil || strings.TrimRight(got, "\r\n") != want {
		p.t.Fatalf("peer reads %q, %v; want %q", got, err, want)
	}
}

// end reads the end.
func (p *peer) end() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.in); err != nil || len(rest) > 0 {
		p.t.Errorf("peer reads %q, %v; want the end", rest, err)
	}
}

// hungUp waits for the end, of whatever kind, and hangs up, too.
func (p *peer) hungUp() {
	p.t.Helper()
	_, err := io.Copy(io.Discard, p.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Error("the other side does not hang up")
	}
	p.Close()
}

// reset closes the connection the rude way.
func (p *peer) reset() {
	p.t.Helper()
	if err := p.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		p.t.Error(err)
	}
	_ = p.Close()
}

// listen is a server of the test's own.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) *peer {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr()
}

var lines = filter.Line

func withFilter(cfg serverConfig) serverConfig { cfg.Filter = filter.Line; return cfg }

// shortLines makes filters that refuse lines of more than 64 bytes.
func shortLines() filter.Filter[string, string] {
	f, err := filter.NewLine(filter.LineConfig{MaxLength: 64})
	if err != nil {
		panic(err)
	}
	return f
}

func closeWrite(t *testing.T, p *peer) {
	t.Helper()
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Error(err)
	}
}

// refused checks that nobody listens any more.
func refused(t *testing.T, at net.Addr) {
	t.Helper()
	if nc, err := net.Dial(at.Network(), at.String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("somebody listens at %v: %v", at, err)
		if err == nil {
			nc.Close()
		}
	}
}

// hopeless makes filters that cannot read anything.
func hopeless() filter.Filter[string, string] { return unusable{filter.Line()} }

type unusable struct{ filter.Filter[string, string] }

func (u unusable) Next() (string, bool, error) {
	if u.Pending() == nil {
		return "", false, nil
	}
	return "", false, fmt.Errorf("no idea: %w", filter.ErrUnusable)
}
