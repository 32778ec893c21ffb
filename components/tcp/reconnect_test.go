package tcp_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
)

func errorNote(note func(string)) func(*kernel.Context, *conn, *wheel.Error) error {
	return func(_ *kernel.Context, _ *conn, e *wheel.Error) error { note(e.Op + " " + cause(e)); return nil }
}

func errorThen(r *rig, then func(*kernel.Context) error) func(*kernel.Context, *conn, *wheel.Error) error {
	return func(c *kernel.Context, _ *conn, e *wheel.Error) error {
		r.note("failed %s %s", e.Op, cause(e))
		return then(c)
	}
}

// refusing is a network where nobody listens.
type refusing struct{ kernel.Network }

func (refusing) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, syscall.ECONNREFUSED
}

// attempts runs a client against nobody, and says when it tried.
func attempts(t *testing.T, seed uint64, policy tcp.ReconnectPolicy) string {
	k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: refusing{}}))
	var at []string
	cl, err := tcp.NewClient(k, clientConfig{
		RemoteAddress: "192.0.2.1:80", Filter: lines, ServerInput: echo, Reconnect: policy,
		ConnectError: errorNote(func(string) { at = append(at, fmt.Sprint(k.Now().Sub(kerneltest.Epoch))) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	kerneltest.Run(t, k)
	if st := cl.State(); st.Attempts != uint64(len(at)) || st.Failures != st.Attempts {
		t.Errorf("state %+v after %v", st, at)
	}
	return strings.Join(at, " ")
}

func TestReconnectBacksOff(t *testing.T) {
	kerneltest.Seeds(t, 3, func(t *testing.T, seed uint64) {
		policy := tcp.ReconnectPolicy{Attempts: 6, Min: time.Second, Max: 10 * time.Second, Jitter: tcp.NoLimit}
		if got, want := attempts(t, seed, policy), "0s 1s 3s 7s 15s 25s 35s"; got != want {
			t.Errorf("attempts at %s, want %s", got, want)
		}
	})
}

// The jitter of a simulated run can be replayed, and another source gives another.
func TestReconnectJitterReplays(t *testing.T) {
	policy := tcp.ReconnectPolicy{Attempts: 6, Min: time.Second, Max: 10 * time.Second}
	first := attempts(t, 1, policy)
	if again := attempts(t, 1, policy); again != first {
		t.Errorf("attempts at %s, then at %s", first, again)
	}
	policy.Source = rand.NewPCG(4, 4)
	other := attempts(t, 1, policy)
	policy.Source = rand.NewPCG(4, 4)
	if again := attempts(t, 1, policy); again != other || other == first {
		t.Errorf("with a source of its own at %s, then at %s; by default at %s", other, again, first)
	}
}

// A client comes back to a server that comes back.
func TestReconnectFindsTheServerAgain(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(serverConfig{ClientInput: echo})
		cfg := r.notedClient(s.Addr())
		cfg.PreConnect = nil
		cfg.Alias = "client"
		cfg.Reconnect = tcp.ReconnectPolicy{Attempts: tcp.NoLimit, Min: time.Millisecond, Max: 5 * time.Millisecond}
		cfg.ConnectError = errorNote(func(string) { r.note("failed") })
		cl := r.client(cfg)
		r.await("connected")
		r.until("the server knows of it", func() bool { return s.State().Connections == 1 }) // or it ends by a reset
		s.Drain(0)
		r.ended(s.Session())
		r.await("disconnected nil")
		r.await("failed", 3)
		if at, ok := r.k.Resolve("client"); !ok || at != cl.Session() {
			t.Error("the alias is gone while the client waits")
		}
		s = r.server(serverConfig{Address: s.Addr().String(), ClientInput: echo})
		r.await("connected", 2)
		if err := r.k.Post("client", tcp.Put, "hello"); err != nil {
			t.Fatal(err)
		}
		r.await("input hello")
		cl.Shutdown()
		r.ended(cl.Session())
		s.Shutdown()
		r.ended(s.Session())
	})
}

// An address that cannot work is a failed attempt like any other, told once, and
// another one, or a shutdown, overtakes it.
func TestC35_ConnectToAnAddressThatTLSCannotUse(t *testing.T) {
	id := newIdentity(t)
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.server(serverConfig{TLS: id.server, ClientInput: echo})
		good := s.Addr().String()
		cfg := r.notedClient(s.Addr())
		cfg.TLS, cfg.PreConnect, cfg.Started = id.client, nil, nil
		up := 0
		cfg.Connected = func(c *kernel.Context, conn *conn) error {
			r.note("connected")
			if up++; up == 1 {
				return tcp.Connect.Yield(c, "nowhere")
			}
			return errors.Join(tcp.Connect.Yield(c, "nowhere"), tcp.Shutdown.Yield(c, struct{}{}))
		}
		cfg.ConnectError = func(c *kernel.Context, _ *conn, e *wheel.Error) error {
			r.note("failed %s %t", e.Op, errors.Is(e, wheel.ErrConfig))
			return tcp.Connect.Yield(c, good)
		}
		cl := r.client(cfg)
		r.ended(cl.Session())
		r.want("connected", "disconnected nil", "failed connect true", "connected", "disconnected nil")
		if st := cl.State(); st.Attempts != 4 || st.Failures != 1 || st.Connects != 2 {
			t.Errorf("state %+v", st)
		}
	})
}

// ConnectError can tell the last failure from those that another attempt follows.
func TestConnectErrorKnowsWhatFollows(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		var cl *tcp.Client
		made := make(chan struct{})
		cfg := r.notedClient(nobody(t))
		cfg.Started = nil
		cfg.Reconnect = tcp.ReconnectPolicy{Attempts: 2, Min: time.Millisecond}
		cfg.ConnectError = func(*kernel.Context, *conn, *wheel.Error) error {
			<-made
			r.note("%s", cl.State().State)
			return nil
		}
		cl = r.client(cfg)
		close(made)
		r.ended(cl.Session())
		r.want("waiting", "waiting", "resting")
	})
}
