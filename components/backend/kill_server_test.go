//go:build unix

package backend

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// killVariable has the test binary be a backend server, that listens there.
const killVariable = "USHER_TEST_BACKEND_LISTEN"

// killable is that server. It says where it listens, and of each request that it
// carries out which one it was: in one write each, which no kill cuts.
func killable(listen string) int {
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // the test has ended
		os.Exit(2)
	}()
	k := kernel.New(kernel.Config{})
	err := func() error {
		at, err := k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error { return c.AliasSet("work") }),
			session.On(kernel.Event[*Request]("work"), func(_ *kernel.Context, r *Request) error {
				if _, err := fmt.Println("did", text(r.Args, 0)); err != nil {
					return err
				}
				_ = r.Reply(r.Args...) // a client that is gone does not mind
				return nil
			}),
		))
		if err != nil {
			return err
		}
		s, err := NewServer(k, ServerConfig{Listen: listen, Commands: map[string]kernel.Address{"work": at}})
		if err != nil {
			return err
		}
		fmt.Println("listening", s.Addr())
		return k.Run(background)
	}()
	fmt.Fprintln(os.Stderr, err) // it was to be killed
	return 1
}

// killedServer is the process of one life of the server.
type killedServer struct {
	cmd   *exec.Cmd
	addr  string
	since time.Time     // it listens
	ended chan struct{} // all it said was read
}

// begin starts one, and returns when it listens.
func (r *killRig) begin(listen string) *killedServer {
	r.Helper()
	self, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	s := &killedServer{cmd: exec.Command(self), ended: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), killVariable+"="+listen)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	if _, err := s.cmd.StdinPipe(); err != nil {
		r.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = s.cmd.Process.Kill() })
	in := bufio.NewReader(out)
	said, err := in.ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(said), "listening ")
	if err != nil || !ok {
		r.Fatalf("the server says %q, %v", said, err)
	}
	s.addr, s.since = at, time.Now()
	go func() {
		defer close(s.ended)
		for {
			l, err := in.ReadString('\n')
			if what, ok := strings.CutPrefix(l, "did "); ok && err == nil {
				r.note(func() { r.did[strings.TrimSpace(what)]++ })
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

// kill ends it in the rudest way, in the midst of its work.
func (s *killedServer) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	_ = s.cmd.Wait()
}
