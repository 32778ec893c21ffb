package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

func inModes(t *testing.T, f func(t *testing.T, k *kernel.Kernel, s *tcp.Server)) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			k := kerneltest.New(t, kerneltest.Mode(m), kerneltest.AllowReported(), kerneltest.AllowDropped())
			s, err := open(k, "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			kerneltest.Start(t, k)
			f(t, k, s)
		})
	}
}

// person is somebody at a terminal.
type person struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func enter(t *testing.T, s *tcp.Server, name string) *person {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	p := &person{conn, t, bufio.NewReader(conn)}
	welcome := p.hear()
	guest, _, _ := strings.Cut(strings.TrimPrefix(welcome, "* welcome, "), ";")
	p.say("/nick " + name)
	p.hears(fmt.Sprintf("* %s is now %s", guest, name))
	return p
}

func (p *person) say(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p, line); err != nil {
		p.t.Error(err)
	}
}

func (p *person) hear() string {
	p.t.Helper()
	line, err := p.in.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimRight(line, "\r\n")
}

func (p *person) hears(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got := p.hear(); got != want {
			p.t.Fatalf("hears %q, want %q", got, want)
		}
	}
}

func (p *person) hearsTheEnd() {
	p.t.Helper()
	if line, err := p.in.ReadString('\n'); err == nil || line != "" {
		p.t.Errorf("hears %q, want the end", line)
	}
}

// Everybody hears what one says, in the order in which it was said.
func TestTalk(t *testing.T) {
	inModes(t, func(t *testing.T, _ *kernel.Kernel, s *tcp.Server) {
		ann := enter(t, s, "ann")
		bob := enter(t, s, "bob")
		ann.hears("* guest2 has joined", "* guest2 is now bob")
		cal := enter(t, s, "cal")
		for _, p := range []*person{ann, bob} {
			p.hears("* guest3 has joined", "* guest3 is now cal")
		}
		const n = 100
		for i := range n {
			ann.say(fmt.Sprint("number ", i))
		}
		for _, p := range []*person{bob, cal} {
			for i := range n {
				p.hears(fmt.Sprint("ann: number ", i))
			}
		}
		bob.say("/who")
		bob.hears("* here: ann, bob, cal")
		bob.say("/nick ann")
		bob.hears("* somebody is called ann")
		bob.say("/nick a b")
		bob.hears("* want a name of 1 to 20 letters or digits")
		bob.say("/dance")
		bob.hears("* there is no /dance")
		bob.say("  ")
		bob.say("\x1b[2Jhi\x07")
		cal.hears("bob: [2Jhi")
	})
}

// One leaves in good order, one hangs up, one is cut off in the middle of a line,
// one shouts too long: the others hear of it, and go on.
func TestDepartures(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel, s *tcp.Server) {
		ann := enter(t, s, "ann")
		for i, leave := range []func(*person){
			func(p *person) { p.say("goodbye\n/quit\nnobody hears this"); p.hearsTheEnd(); p.Close() },
			func(p *person) { p.say("goodbye"); p.Close() },
			func(p *person) {
				p.say("goodbye")
				ann.hears("guest: goodbye")
				fmt.Fprint(p, "in mid-li")
				_ = p.Conn.(*net.TCPConn).SetLinger(0)
				p.Close()
			},
			func(p *person) {
				p.say("goodbye\n" + strings.Repeat("x", 2000))
				p.hearsTheEnd()
				p.Close()
			},
		} {
			p := enter(t, s, "guest")
			ann.hears(fmt.Sprintf("* guest%d has joined", i+2), fmt.Sprintf("* guest%d is now guest", i+2))
			leave(p)
			if i != 2 {
				ann.hears("guest: goodbye")
			}
			ann.hears("* guest has left")
		}
		ann.say("/who")
		ann.hears("* here: ann")
		waitFor(t, k, 3) // room, door, ann
	})
}

func TestInterrupted(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel, s *tcp.Server) {
		ann := enter(t, s, "ann")
		if err := k.Signal("", "TERM"); err != nil {
			t.Fatal(err)
		}
		ann.hears("* the room closes")
		ann.Close()
		waitFor(t, k, 1) // the room waits for the kernel to be idle
	})
}

// waitFor waits until so many sessions are left.
func waitFor(t *testing.T, k *kernel.Kernel, sessions int) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(30 * time.Second); len(k.Sessions()) > sessions; <-look.C {
		if time.Now().After(end) {
			t.Fatalf("%d sessions are left, want %d", len(k.Sessions()), sessions)
		}
	}
}
