package tcp_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// 500 connections under a limit of 50, each ended in another way and at another
// moment: by either side, politely or not. Each Connected has one Disconnected, no
// more than 50 are there at a time, and no session is left.
func TestManyConnectionsAndNothingLeft(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		const all, limit, callers = 500, 50, 10
		r := newRig(t, m, kerneltest.AllowReported())
		var mu sync.Mutex
		there, most, connected, disconnected := 0, 0, 0, 0
		seen := func(d int) {
			mu.Lock()
			defer mu.Unlock()
			there += d
			most = max(most, there)
			if d > 0 {
				connected++
			} else {
				disconnected++
			}
		}
		s := r.server(serverConfig{
			Concurrency:        limit,
			ClientConnected:    func(*kernel.Context, *conn) error { seen(+1); return nil },
			ClientDisconnected: func(*kernel.Context, *conn) error { seen(-1); return nil },
			ClientInput: func(c *kernel.Context, conn *conn, line string) error {
				switch line {
				case "shutdown":
					conn.Shutdown()
				case "close":
					conn.Close()
				case "stop":
					c.Stop()
				case "event":
					return tcp.Shutdown.Yield(c, struct{}{})
				case "fail":
					return fmt.Errorf("as you asked")
				}
				return conn.Put(line)
			},
		})
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 0))
				for range all / callers {
					visit(t, s.Addr(), rng)
				}
			})
		}
		wg.Wait()
		r.until("everybody has come and gone", func() bool { st := s.State(); return st.Accepted == all && st.Connections == 0 })
		s.Shutdown()
		r.ended(s.Session())
		if connected != disconnected || connected == 0 || most > limit {
			t.Errorf("%d connected, %d disconnected, %d at a time", connected, disconnected, most)
		}
	})
}

var errands = []string{"hello", "shutdown", "close", "stop", "event", "fail"}

// visit comes, says something, and goes in one of several ways.
func visit(t *testing.T, at net.Addr, rng *rand.Rand) {
	nc, err := net.Dial(at.Network(), at.String())
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	for range rng.IntN(3) {
		fmt.Fprintln(nc, "hello")
	}
	switch rng.IntN(4) {
	case 0: // at once
	case 1: // rude
		fmt.Fprint(nc, "in mid-li")
		_ = nc.(*net.TCPConn).SetLinger(0)
	case 2:
		fmt.Fprintln(nc, errands[rng.IntN(len(errands))])
	case 3: // polite
		_ = nc.(*net.TCPConn).CloseWrite()
		for buf := make([]byte, 100); err == nil; {
			_, err = nc.Read(buf)
		}
	}
}
