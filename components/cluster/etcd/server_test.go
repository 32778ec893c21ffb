package etcd

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// patience is how long a test waits for anything.
const patience = 60 * time.Second

// server is a member of a real etcd, which listens on sockets in a folder: number 1n
// for clients, 2n for other members. Directories reach it through proxies.
type server struct {
	dir  string
	n    int
	args []string
	tls  *tls.Config  // how to reach it; nil: in plain text
	log  bytes.Buffer // read it after exited
	cmd  *exec.Cmd
	// exited is closed when the process is gone.
	exited chan struct{}
}

// newServers starts an etcd of several members.
func newServers(count int, secure *tls.Config, args ...string) (list []*server, err error) {
	dir, err := os.MkdirTemp("", "etcd")
	if err != nil {
		return nil, err
	}
	var all []string
	for n := range count {
		all = append(all, fmt.Sprintf("m%d=%s", n, socket(2, n)))
	}
	for n := range count {
		client := socket(1, n)
		if secure != nil {
			client = strings.Replace(client, "unix:", "unixs:", 1)
		}
		s := &server{dir: dir, n: n, tls: secure, args: append([]string{
			"--name", fmt.Sprint("m", n), "--data-dir", fmt.Sprint("data", n),
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", socket(2, n), "--initial-advertise-peer-urls", socket(2, n),
			"--initial-cluster", strings.Join(all, ","),
			"--heartbeat-interval", "10", "--election-timeout", "100", // lets etcd grant leases of one second
			"--logger", "zap", "--log-outputs", "stderr", "--log-level", "error", "--bcrypt-cost", "4",
		}, args...)}
		list = append(list, s)
		if err := s.launch(); err != nil {
			return list, err
		}
	}
	for _, s := range list {
		if err := s.ready(); err != nil {
			return list, err
		}
	}
	return list, nil
}

func socket(kind, n int) string { return fmt.Sprintf("unix://localhost:%d%d", kind, n) }

func (s *server) path(kind int) string {
	return filepath.Join(s.dir, strings.TrimPrefix(socket(kind, s.n), "unix://"))
}

// start starts a member that was killed.
func (s *server) start() error {
	if err := s.launch(); err != nil {
		return err
	}
	return s.ready()
}

// launch runs etcd under a thread that lives as long, so that the kernel ends it with
// the test binary.
func (s *server) launch() error {
	os.Remove(s.path(1)) // of one that was killed
	os.Remove(s.path(2))
	s.cmd = exec.Command("etcd", s.args...)
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = dieWithParent()
	s.exited = make(chan struct{})
	started := make(chan error)
	go func(cmd *exec.Cmd, exited chan struct{}) {
		runtime.LockOSThread()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}(s.cmd, s.exited)
	return <-started
}

func (s *server) ready() error {
	p, err := newProxy(s)
	if err != nil {
		return err
	}
	defer p.close()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{p.address()}, TLS: s.tls, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = c.Get(ctx, "ready")
	if err != nil && !strings.Contains(err.Error(), "user name is empty") { // authentication is on
		return fmt.Errorf("etcd: %w: %s", err, &s.log)
	}
	return nil
}

func (s *server) dial() (net.Conn, error) {
	return net.Dial("unix", s.path(1))
}

func (s *server) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if sig == syscall.SIGKILL {
		<-s.exited
	}
}

func (s *server) close() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	os.RemoveAll(s.dir)
}

// ownServers is for tests that hurt them.
func ownServers(t *testing.T, count int, secure *tls.Config, args ...string) []*server {
	t.Helper()
	needEtcd(t)
	list, err := newServers(count, secure, args...)
	for _, s := range list {
		t.Cleanup(s.close)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func ownServer(t *testing.T) *server {
	t.Helper()
	return ownServers(t, 1, nil)[0]
}

func needEtcd(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("etcd"); err != nil {
		t.Skip("no etcd here; Debian has it as etcd-server")
	}
}

var shared struct {
	once sync.Once
	list []*server
	err  error
}

// sharedServer is for tests that keep to a prefix of their own.
func sharedServer(t *testing.T) *server {
	t.Helper()
	needEtcd(t)
	shared.once.Do(func() { shared.list, shared.err = newServers(1, nil) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.list[0]
}

// TestMain also sees to it that directories leave no goroutine behind, and has the test
// binary be a node's process, too.
func TestMain(m *testing.M) {
	if status, ok := nodeProcess(); ok {
		os.Exit(status)
	}
	status := m.Run()
	for _, s := range shared.list {
		s.close()
	}
	if left := goroutines(); status == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		status = 1
	}
	os.Exit(status)
}

// goroutines waits for those of this package, etcd's client and gRPC to end, and
// returns what is left.
func goroutines() string {
	var left []string
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		buf := make([]byte, 1<<20)
		left = left[:0]
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			for _, name := range []string{"cluster/etcd.(*", "etcd/client", "google.golang.org/grpc"} {
				if strings.Contains(g, name) {
					left = append(left, g)
					break
				}
			}
		}
		if len(left) == 0 {
			return ""
		}
	}
	return strings.Join(left, "\n\n")
}

// proxy is the way from one directory to etcd.
type proxy struct {
	server *server
	ln     net.Listener

	mu    sync.Mutex
	open  chan struct{} // closed: bytes pass; else they wait
	shut  bool          // connections are closed as they come
	conns map[net.Conn]bool
}

func newProxy(s *server) (*proxy, error) { return newProxyAt(s, "127.0.0.1:0") }

func newProxyAt(s *server, address string) (*proxy, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &proxy{server: s, ln: ln, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.open)
	go p.accept()
	return p, nil
}

func (p *proxy) address() string { return p.ln.Addr().String() }

func (p *proxy) accept() {
	for {
		near, err := p.ln.Accept()
		if err != nil {
			return
		}
		if !p.keep(near) {
			continue
		}
		go func() {
			<-p.gate()
			far, err := p.server.dial()
			if err != nil || !p.keep(far) {
				near.Close()
				return
			}
			go p.copy(near, far)
			p.copy(far, near)
		}()
	}
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) gate() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

func (p *proxy) copy(to io.WriteCloser, from io.ReadCloser) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		<-p.gate()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hole has bytes wait from now on, as in a network that swallows packets.
func (p *proxy) hole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

// cut closes all connections and refuses others.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// heal ends hole and cut.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = false
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

func (p *proxy) close() {
	p.ln.Close()
	p.heal()
	p.cut()
}
