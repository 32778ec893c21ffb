package keepalive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// poe is testdata/lines.pl, a server in Perl's POE.
type poe struct {
	port int
	kill func() // kill -9
}

func newPOE(t *testing.T) *poe {
	t.Helper()
	if out, err := exec.Command("perl", "-MPOE", "-MPOE::Component::Server::TCP", "-e", "POE::Kernel->run").CombinedOutput(); err != nil {
		t.Skipf("no Perl with POE here (Debian: libpoe-perl): %v, %.100s", err, out)
	}
	cmd := exec.Command("perl", filepath.Join("testdata", "lines.pl"))
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &poe{kill: func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}}
	t.Cleanup(p.kill)
	line, _ := bufio.NewReader(out).ReadString('\n')
	if p.port, err = strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "port "))); err != nil {
		p.kill()
		t.Fatalf("%v says %q\n%s", cmd.Args, line, wrong.String())
	}
	return p
}

const (
	evBack kernel.Event[string] = "back"
	evEnd  kernel.Event[error]  = "end"
)

// ask sends one line, in a session of its own and with a wheel of its own, on a
// connection from the pool. The channel brings the answer, or why there is none.
func (s *poe) ask(t *testing.T, k *kernel.Kernel, p *Pool, line string) <-chan string {
	t.Helper()
	out := make(chan string, 1)
	var conn *Conn
	_, err := k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			_, err := p.Allocate(c, Request{Scheme: "lines", Addr: "127.0.0.1", Port: s.port, Event: evGot})
			return err
		}),
		session.On(evGot, func(c *kernel.Context, r Response) error {
			if r.Err != nil {
				out <- cause(r.Err)
				return nil
			}
			conn = r.Conn
			rw, err := Start(c, conn, wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: evBack, CloseEvent: evEnd})
			if err != nil {
				return err
			}
			return rw.Put(line)
		}),
		session.On(evBack, func(_ *kernel.Context, answer string) error {
			err := conn.Release() // before anybody knows of the answer
			out <- answer
			return err
		}),
		session.On(evEnd, func(_ *kernel.Context, reason error) error {
			err := conn.Close()
			out <- cause(reason)
			return err
		}),
	))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func cause(err error) string {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return "closed"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	}
	return err.Error()
}

// brings waits for what an exchange brings.
func brings(t *testing.T, out <-chan string) string {
	t.Helper()
	select {
	case got := <-out:
		return got
	case <-deadline(t).Done():
		t.Fatal("an exchange has no end")
		return ""
	}
}

func says(t *testing.T, out <-chan string, want string) {
	t.Helper()
	if got := brings(t, out); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func stats(t *testing.T, p *Pool) Stats {
	t.Helper()
	s, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settled wants these numbers when all is done, and nothing lent.
func settled(t *testing.T, p *Pool, want Counters) {
	t.Helper()
	until(t, "nothing is lent", func() bool { s := stats(t, p); return s.Lent+s.Opening+s.Waiting == 0 })
	got := stats(t, p).Total
	got.Dead, got.Spoiled = got.Dead+got.Spoiled, 0 // whether the end was there at the release or came behind it
	if got != want {
		t.Errorf("the pool counts %+v, want %+v", got, want)
	}
}

func TestA90_A92_A93_RealPOEServer(t *testing.T) {
	s := newPOE(t)
	first := 1 // the server's number of the next connection
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{})
		tooEarly := 0
		// Behind an answer after which the server has closed, or sent more, the next line
		// comes on another connection.
		for _, step := range []struct {
			line      string
			conn, nth int
		}{
			{"a", 0, 1}, {"b", 0, 2}, {"slow", 0, 3}, {"bye", 0, 4},
			{"c", 1, 1}, {"twice", 1, 2},
			{"d", 2, 1}, {"e", 2, 2}, {"bye", 2, 3},
			{"bye", 3, 1}, {"f", 4, 1},
		} {
			got := brings(t, s.ask(t, k, p, step.line))
			for ; got == "closed" || got == "reset"; tooEarly++ { // the end of the connection was still on its way
				got = brings(t, s.ask(t, k, p, step.line))
			}
			if want := fmt.Sprintf("%d %d %s", first+step.conn, step.nth, strings.ToUpper(step.line)); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		if tooEarly > 3 {
			t.Errorf("%d lines were sent on dying connections, of which there were 3", tooEarly)
		}
		first += 5
		settled(t, p, Counters{Fresh: 5, Immediate: 6 + tooEarly, Opened: 5, Dead: 4})
	})
}

// Those who wait for a slow server get its one connection in the order in which they
// asked.
func TestA58_A89_RealPOEServer_Slow(t *testing.T) {
	s := newPOE(t)
	first := 1
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{MaxPerHost: 1})
		var outs []<-chan string
		lines := []string{"slow", "a", "b", "c"}
		for i, line := range lines {
			outs = append(outs, s.ask(t, k, p, line))
			until(t, "it is in the queue", func() bool { s := stats(t, p); return s.Opening+s.Lent+s.Waiting == i+1 })
		}
		for i, line := range lines {
			says(t, outs[i], fmt.Sprintf("%d %d %s", first, i+1, strings.ToUpper(line)))
		}
		first++
		settled(t, p, Counters{Fresh: 1, Deferred: 3, Opened: 1})
	})
}

// The server is killed in the middle of an answer: its user gets the end, the others
// what there is to say of a server that is not there.
func TestA75_A84_A93_RealPOEServer_Killed(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := newPOE(t)
		p := startPool(t, k, Config{})
		idle, half := s.ask(t, k, p, "slow"), s.ask(t, k, p, "half")
		brings(t, idle)
		until(t, "one connection is idle", func() bool { s := stats(t, p); return s.Idle == 1 && s.Lent == 1 })
		s.kill()
		says(t, half, "closed")
		says(t, s.ask(t, k, p, "a"), "refused")
		settled(t, p, Counters{Fresh: 2, Refused: Refusals{Failed: 1}, Opened: 2, Failed: 1, Dead: 2})
	})
}

// Sixty sessions at a time share four connections.
func TestA3_A45_RealPOEServer_Crowd(t *testing.T) {
	s := newPOE(t)
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p := startPool(t, k, Config{MaxPerHost: 4})
		var outs []<-chan string
		for i := range 60 {
			outs = append(outs, s.ask(t, k, p, fmt.Sprint("line ", i)))
		}
		on, sum := map[string]int{}, 0
		for i, out := range outs {
			var conn, nth, line int
			answer := brings(t, out)
			if n, err := fmt.Sscanf(answer, "%d %d LINE %d", &conn, &nth, &line); n != 3 || line != i {
				t.Fatalf("line %d: %q, %v", i, answer, err)
			}
			on[fmt.Sprint(conn)] = max(on[fmt.Sprint(conn)], nth)
		}
		for _, n := range on {
			sum += n
		}
		if len(on) != 4 || sum != 60 {
			t.Errorf("the lines of each connection were %v; want 60 on 4", on)
		}
		if c := stats(t, p).Total; c.Immediate+c.Deferred != 56 || c.Opened != 4 {
			t.Errorf("the pool counts %+v; want 4 connections, lent 56 times after their first", c)
		}
	})
}
