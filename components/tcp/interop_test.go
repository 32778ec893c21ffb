package tcp_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// program is another program on this machine, with its standard input and output.
type program struct {
	t   *testing.T
	cmd *exec.Cmd
	io.WriteCloser
	out *bufio.Scanner
	err bytes.Buffer
}

// start runs a program. Without it the test is skipped, and says what to install.
func start(t *testing.T, pkg, name string, args ...string) *program {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("no %s here (Debian: %s): %v", name, pkg, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &program{t: t, cmd: exec.CommandContext(ctx, name, args...)}
	p.cmd.Stderr = &p.err
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.WriteCloser, p.out = in, bufio.NewScanner(out)
	return p
}

func (p *program) say(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Error(err)
	}
}

// line returns the next line of standard output.
func (p *program) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("%v says nothing more: %v\n%s", p.cmd.Args, p.out.Err(), p.err.String())
	}
	return strings.TrimRight(p.out.Text(), "\r")
}

// rest returns all the lines to the end, which has to be a clean one.
func (p *program) rest() (lines []string) {
	p.t.Helper()
	for p.out.Scan() {
		lines = append(lines, strings.TrimRight(p.out.Text(), "\r"))
	}
	if err := p.cmd.Wait(); err != nil || p.err.Len() > 0 {
		p.t.Errorf("%v ended with %v\n%s", p.cmd.Args, err, p.err.String())
	}
	return lines
}

func (p *program) want(lines ...string) {
	p.t.Helper()
	if got := p.rest(); !slices.Equal(got, lines) {
		p.t.Errorf("%v says\n  %s\nwant\n  %s", p.cmd.Args, strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// capitals is a server as testdata/server.pl is one.
func capitals(r *rig) serverConfig {
	cfg := r.noted()
	cfg.ClientPreConnect, cfg.ClientFlushed = nil, nil
	cfg.ClientInput = func(_ *kernel.Context, conn *conn, line string) error {
		r.note("input %s", line)
		if line == "bye" {
			defer conn.Shutdown()
		}
		return conn.Put(strings.ToUpper(line))
	}
	return cfg
}

func port(a net.Addr) string { return fmt.Sprint(a.(*net.TCPAddr).Port) }

// Half closed: the answer to what came before the end is still sent.
func TestInteropNetcat(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(capitals(r))
		p := start(t, "netcat-openbsd", "nc", "-N", "127.0.0.1", port(s.Addr()))
		p.say("hello\nthere\n")
		p.Close()
		p.want("HELLO", "THERE")
		r.await("disconnected nil")
		r.want("connected", "input hello", "input there", "error read EOF", "disconnected nil")
	})
}

func TestInteropSocat(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(capitals(r))
		p := start(t, "socat", "socat", "-", "TCP:"+s.Addr().String())
		p.say("hello\n")
		if got := p.line(); got != "HELLO" {
			t.Errorf("got %q", got)
		}
		p.say("bye\n")
		p.want("BYE")
		r.await("disconnected nil")
	})
}

// socat as the server: its input goes to our client, which answers.
func TestInteropSocatServer(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		path := filepath.Join(t.TempDir(), "s")
		p := start(t, "socat", "socat", "-", "UNIX-LISTEN:"+path)
		cfg := r.notedClient(nobody(t))
		cfg.Network, cfg.RemoteAddress, cfg.PreConnect = "unix", path, nil
		cfg.Reconnect = tcp.ReconnectPolicy{Attempts: tcp.NoLimit, Min: 10 * time.Millisecond, Max: 10 * time.Millisecond}
		cfg.ConnectError = func(*kernel.Context, *conn, *wheel.Error) error { return nil } // it does not listen yet
		cfg.ServerInput = func(_ *kernel.Context, conn *conn, line string) error {
			r.note("input %s", line)
			defer conn.Shutdown()
			return conn.Put(strings.ToUpper(line))
		}
		r.client(cfg)
		r.await("connected")
		p.say("hello\n")
		p.want("HELLO")
		r.await("disconnected nil")
	})
}
