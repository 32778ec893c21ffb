//go:build unix

package prefork

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

var elastic = pool("elastic", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 1, MinSpareServers: 2, MaxSpareServers: 3, MaxClients: 8,
		MaxRequests: Unlimited, CheckSpares: quick, Server: serveLines,
	}
})

func TestP15_P75_PoolGrowsAndShrinks(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := elastic.run(t, mode, nil)
		r.showing("__") // P79: also without any event
		var clients []*client
		for range 4 {
			c := r.dial()
			c.ask("hello")
			clients = append(clients, c)
		}
		r.showing("WWWW__")
		for _, c := range clients {
			_ = c.Close()
		}
		s := r.until("three idle workers", func(s Stats) bool {
			return strings.Count(s.Letters, "_") == 3 && len(s.Workers) == 3
		})
		if s.Lost != 0 {
			t.Errorf("retiring is no loss: %+v", s)
		}
		for range 8 { // whoever is left serves
			c := r.dial()
			c.ask("hello")
			_ = c.Close()
		}
	})
}

func TestP4_MaxClientsIsTheLimit(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := elastic.run(t, mode, nil)
		var clients []*client
		for range 8 {
			c := r.dial()
			c.ask("hello")
			clients = append(clients, c)
		}
		r.showing("WWWWWWWW")
		late := r.dial()
		late.say("hello")
		_ = clients[3].Close()
		if late.answer() != "hello" {
			t.Error("wrong answer")
		}
		if s := r.stats(); s.Started != 8 {
			t.Errorf("%d processes were started, want 8", s.Started)
		}
	})
}

// Two doors, so that one may slip a connection in while the other's ends the
// worker.
var shortLived = pool("short-lived", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0", unixAddress(dir)}, StartServers: 4, MinSpareServers: 2, MaxClients: 4, MaxRequests: 3,
		ConnsPerServer: 2, CheckSpares: quick, Server: serveLines,
	}
})

// A client that hammers notices nothing of workers that come and go.
func TestP19_P66_R19_RecyclingLosesNoConnection(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		const recyclings = 60 // per mode
		r := shortLived.run(t, mode, nil)
		var served atomic.Int64
		var hammers sync.WaitGroup
		for i := range 8 {
			hammers.Go(func() {
				for !t.Failed() && r.stats().Started < recyclings+4 {
					if err := r.visit(i % 2); err != nil {
						t.Errorf("after %d connections: %v", served.Load(), err)
						return
					}
					served.Add(1)
				}
			})
		}
		hammers.Wait()
		s := r.stats()
		t.Logf("%d connections, %d workers", served.Load(), s.Started)
		if s.Lost != 0 {
			t.Errorf("%d workers were lost", s.Lost)
		}
	})
}

// visit is one connection with one answer, for any goroutine.
func (r *running) visit(i int) error {
	a := r.Addrs()[i]
	return visit(a.Network(), a.String())
}

func visit(network, address string) error {
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprint(conn, "hello\r\n"); err != nil {
		return err
	}
	answer := make([]byte, 16)
	n, err := conn.Read(answer)
	if err == nil && string(answer[:n]) != "hello\r\n" {
		err = fmt.Errorf("answer %q", answer[:n])
	}
	return err
}

var three = pool("three", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 3, MinSpareServers: 3, MaxClients: 3,
		MaxRequests: Unlimited, CheckSpares: quick, Server: serveLines,
	}
})

// idle returns the pid of a worker that is idle.
func (r *running) idle() int {
	r.t.Helper()
	for _, w := range r.stats().Workers {
		if w.State == StateIdle {
			return w.PID
		}
	}
	r.t.Fatalf("nobody is idle: %s", r.stats().Letters)
	return 0
}

func TestP84_LostWorkersAreReplacedAndOthersUndisturbed(t *testing.T) {
	ends := map[string]func(t *testing.T, c *client, pid int){
		"killed": func(t *testing.T, _ *client, pid int) { kill(t, pid, syscall.SIGKILL) },
		"exit":   func(_ *testing.T, c *client, _ int) { c.say("exit") },
		"panic":  func(_ *testing.T, c *client, _ int) { c.say("panic") },
	}
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		for name, end := range ends {
			t.Run(name, func(t *testing.T) {
				r := three.run(t, mode, nil)
				r.showing("___")
				one, two := r.dial(), r.dial()
				pid := one.pid()
				two.pid()
				r.showing("WW_")
				end(t, one, pid)
				one.cut()
				r.until("a replacement", func(s Stats) bool { return s.Started == 4 && s.Lost == 1 })
				r.showing("W__")
				if two.ask("hello") != "hello" {
					t.Error("the other worker was disturbed")
				}
			})
		}
	})
}

func TestP84_KilledIdleWorkerIsReplaced(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := three.run(t, mode, nil)
		r.showing("___")
		one, two := r.dial(), r.dial()
		one.pid()
		two.pid()
		r.showing("WW_")
		victim := r.idle()
		kill(t, victim, syscall.SIGKILL)
		r.until("a replacement", func(s Stats) bool { return s.Started == 4 && s.Lost == 1 })
		r.showing("WW_")
		if one.ask("hello") != "hello" || two.ask("hello") != "hello" {
			t.Error("the others were disturbed")
		}
		if r.idle() == victim {
			t.Error("it is the same process")
		}
	})
}
