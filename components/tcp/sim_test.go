package tcp_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// world is what a simulated run has seen.
type world struct {
	connected, disconnected, inputs, answers, there, most int
	log                                                   strings.Builder
}

// simulate runs a server under a limit and clients that come back, over a network
// that loses and resets, and cuts twice; at the end the server drains.
func simulate(t *testing.T, seed uint64) *world {
	const limit, clients = 3, 6
	w := &world{}
	n := wheeltest.New(wheeltest.Config{Seed: seed, Link: wheeltest.Link{
		Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.02,
	}})
	n.SetHost("server", "10.0.0.1")
	k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.AllowReported(), kerneltest.Config(kernel.Config{Network: n}))
	note := func(format string, args ...any) {
		fmt.Fprintf(&w.log, "%v %s\n", k.Now().Sub(kerneltest.Epoch), fmt.Sprintf(format, args...))
	}
	s, err := tcp.NewServer(k, serverConfig{
		Address: "10.0.0.1:7", Concurrency: limit, Filter: lines, Limits: tcp.Limits{IdleTimeout: 40 * time.Second},
		ClientConnected: func(_ *kernel.Context, conn *conn) error {
			w.connected++
			w.there++
			w.most = max(w.most, w.there)
			note("connected %v", conn)
			return nil
		},
		ClientInput: func(_ *kernel.Context, conn *conn, line string) error { w.inputs++; return conn.Put(line) },
		ClientDisconnected: func(_ *kernel.Context, conn *conn) error {
			w.disconnected++
			w.there--
			note("disconnected %v: %v", conn, conn.Err())
			return nil
		},
		ClientError: func(*kernel.Context, *conn, *wheel.Error) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	again := kernel.Event[int]("again")
	var all []*tcp.Client
	for i := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		talk := func(c *kernel.Context) { again.Delay(c, time.Duration(rng.IntN(3000))*time.Millisecond, 0) }
		cl, err := tcp.NewClient(k, clientConfig{
			RemoteAddress: "server:7", Filter: lines, ConnectTimeout: 5 * time.Second, Alias: fmt.Sprint("client ", i),
			Reconnect: tcp.ReconnectPolicy{Attempts: tcp.NoLimit, Min: 100 * time.Millisecond, Max: 5 * time.Second},
			Limits:    tcp.Limits{IdleTimeout: 10 * time.Second},
			Connected: func(c *kernel.Context, _ *conn) error { talk(c); return nil },
			States: []state{tcp.On(again, func(c *kernel.Context, conn *conn, _ int) error {
				if !conn.Connected() {
					return nil
				}
				if rng.IntN(10) == 0 {
					conn.Close()
					return tcp.Reconnect.Yield(c, struct{}{})
				}
				talk(c)
				return conn.Put("hello")
			})},
			ServerInput:  func(*kernel.Context, *conn, string) error { w.answers++; return nil },
			ServerError:  func(*kernel.Context, *conn, *wheel.Error) error { return nil },
			ConnectError: func(_ *kernel.Context, _ *conn, e *wheel.Error) error { note("client %d: %v", i, e.Err); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cl)
	}
	for _, at := range []time.Duration{20 * time.Second, 80 * time.Second} {
		n.After(at, func() { n.Cut("localhost", "server") })
		n.After(at+15*time.Second, func() { n.Heal("localhost", "server") })
	}
	kerneltest.Advance(t, k, 2*time.Minute)
	for _, cl := range all {
		cl.Shutdown()
	}
	s.Drain(5 * time.Second)
	kerneltest.Run(t, k)
	n.Check(t)
	if w.connected != w.disconnected || w.most > limit || w.inputs < w.answers || w.answers < 20 {
		t.Errorf("%d connected, %d disconnected, %d at a time; %d lines, %d answers", w.connected, w.disconnected, w.most, w.inputs, w.answers)
	}
	return w
}

func TestSimulatedServerAndClients(t *testing.T) {
	kerneltest.Seeds(t, 10, func(t *testing.T, seed uint64) {
		first := simulate(t, seed)
		if again := simulate(t, seed); again.log.String() != first.log.String() {
			t.Errorf("the same seed gives another run:\n%s\nthen\n%s", first.log.String(), again.log.String())
		}
	})
}
