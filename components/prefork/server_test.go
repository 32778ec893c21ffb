//go:build unix

package prefork

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

const (
	gotConn kernel.Event[net.Conn] = "got_conn"
	gotLine kernel.Event[string]   = "got_line"
	gone    kernel.Event[error]    = "gone"
	quit    kernel.Event[struct{}] = "quit"
)

// serveLines is a server that does what a line says, and echoes what it does not
// know. Every connection is a session.
func serveLines(c *kernel.Context, w *Worker) error {
	at, err := c.Spawn(session.New(
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			v := &visitor{w: w}
			_, err := c.Spawn(session.New(
				session.Handle("_start", func(c *kernel.Context) (err error) {
					v.rw, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[string, string]{
						Filter: filter.Line(), InputEvent: gotLine, CloseEvent: gone,
					})
					return err
				}),
				session.On(gotLine, v.line),
				session.On(gone, func(*kernel.Context, error) error { return nil }),
			))
			return err
		}),
		session.On(quit, func(c *kernel.Context, _ struct{}) error { c.Stop(); return nil }),
	), kernel.Alias("server"))
	if err == nil {
		w.Serve(at, gotConn)
	}
	return err
}

type visitor struct {
	w  *Worker
	rw *wheel.ReadWrite[string, string]
}

func (v *visitor) line(c *kernel.Context, line string) error {
	v.w.Requested()
	switch line {
	case "pid":
		line = strconv.Itoa(os.Getpid())
	case "exit":
		os.Exit(3)
	case "panic":
		panic("as asked")
	case "block":
		<-make(chan struct{})
	case "quit":
		if err := quit.Post(c, "server", struct{}{}); err != nil {
			return err
		}
	case "setup":
		line = fmt.Sprint(setUp)
	case "extend":
		v.w.Extend(patience)
	case "fifo":
		all, err := os.ReadFile(filepath.Join(os.Getenv(dirVariable), "fifo"))
		if err != nil {
			return err
		}
		line = strings.TrimSpace(string(all))
	case "generation":
		line = strconv.Itoa(v.w.Generation())
	case "version":
		line = version
	case "bye":
		v.rw.CloseFlushed()
		return nil
	}
	_ = v.rw.Put(line) // the client may be gone
	return nil
}

// client speaks to serveLines the blocking way.
type client struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dial(t *testing.T, network, address string) *client {
	t.Helper()
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{conn, t, bufio.NewReader(conn)}
}

func (r *running) dial() *client {
	r.t.Helper()
	a := r.Addrs()[0]
	return dial(r.t, a.Network(), a.String())
}

func (f *foreign) dial(i int) *client {
	f.t.Helper()
	network, address, _ := strings.Cut(f.addrs[i], " ")
	return dial(f.t, network, address)
}

// refused waits until nobody can connect.
func (f *foreign) refused(i int) {
	f.t.Helper()
	network, address, _ := strings.Cut(f.addrs[i], " ")
	until(f.t, "refused connections", func() bool {
		conn, err := net.Dial(network, address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "%s\r\n", line); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) answer() string {
	c.t.Helper()
	s, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("no answer: %v\n%s", err, stacks())
	}
	return strings.TrimSpace(s)
}

func (c *client) ask(line string) string {
	c.t.Helper()
	c.say(line)
	return c.answer()
}

func (c *client) pid() int {
	c.t.Helper()
	pid, err := strconv.Atoi(c.ask("pid"))
	if err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// cut waits until the other side has closed the connection, and closes this one.
func (c *client) cut() {
	c.t.Helper()
	if s, err := c.r.ReadString('\n'); err == nil || os.IsTimeout(err) {
		c.t.Fatalf("read %q, %v; want the connection's end", s, err)
	}
	_ = c.Close()
}

// until asks again and again, for what no event tells.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("waited in vain for %s\n%s", what, stacks())
		}
	}
}

func stacks() string {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	return b.String()
}

// processes are those of a test's programs: dir is in their environment.
func processes(t *testing.T, dir string) (pids []int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("no /proc to look for processes in")
	}
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		env, err := os.ReadFile(path)
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if err == nil && pid != os.Getpid() && bytes.Contains(env, []byte(dirVariable+"="+dir+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func nobodyLeft(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	until(t, "the end of all processes", func() bool { return len(processes(t, dir)) == 0 })
}

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}
