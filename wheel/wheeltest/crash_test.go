package wheeltest_test

import (
	"context"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// A host's crash resets its connections, ends its listeners, sockets and dials, and
// tells nobody there; another host keeps what it has.
func TestCrash(t *testing.T) {
	for seed := range uint64(5) {
		l := newLab(t, wheeltest.Config{Seed: seed, Link: wheeltest.Link{Delay: ms}})
		l.SetHost("db", "10.0.0.1")
		l.SetHost("bystander", "10.0.0.2")
		client, server := l.connect("tcp", "db:1")
		other, _ := l.connect("tcp", "bystander:1")
		db := l.On("db")
		if _, err := db.Listen(context.Background(), "tcp", ":2"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ListenPacket(context.Background(), "udp", ":2"); err != nil {
			t.Fatal(err)
		}
		waiting := l.dial(context.Background(), "tcp", "db:2") // nobody accepts it
		l.advance(10 * ms)
		db.DialAsync(context.Background(), "tcp", "bystander:9", nil)
		server.Notify(func() { t.Error("the host is told of its crash") }, nil)
		put(t, server, "last words")

		l.Crash("db")
		l.advance(10 * ms)
		wantRead(t, client, "last words")
		wantReadError(t, client, syscall.ECONNRESET)
		wantReadError(t, waiting.conn, syscall.ECONNRESET)
		wantReadError(t, other, wheel.ErrAgain)
		refused := l.dial(context.Background(), "tcp", "db:2")
		l.advance(10 * ms)
		wantError(t, "dial after the crash", refused.err, syscall.ECONNREFUSED)

		if _, err := db.Listen(context.Background(), "tcp", ":2"); err != nil {
			t.Errorf("listen after the crash: %v", err)
		}
		l.Crash("10.0.0.1")
		l.Crash("localhost")
		l.advance(10 * ms)
		l.Crash("bystander")
		l.Check(t)
	}
}

// Several simulated kernels share a network whose time another one keeps.
func TestClock(t *testing.T) {
	for seed := range uint64(5) {
		clock := kernel.New(kernel.Config{Mode: kernel.Simulated, Seed: seed})
		n := wheeltest.New(wheeltest.Config{Seed: seed, Clock: clock, Link: wheeltest.Link{Delay: ms}})
		n.SetHost("server", "10.0.0.1")
		n.SetHost("client", "10.0.0.2")
		at := func(host string) (*kernel.Kernel, kernel.AsyncNetwork) {
			k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: n.On(host)}))
			return k, k.Network().(kernel.AsyncNetwork)
		}
		_, server := at("server")
		k, client := at("client")
		got, err := server.Listen(context.Background(), "tcp", ":1")
		if err != nil {
			t.Fatal(err)
		}
		l := &lab{n, t, clock}
		o := l.dialFrom(context.Background(), client, "tcp", "server:1")
		kerneltest.Advance(t, k, time.Hour) // it is not this one's clock that counts
		expect(t, "answers", o.times, 0)
		l.advance(2 * ms)
		expect(t, "answers", o.times, 1)
		l.advance(ms)
		accepted, err := got.(*wheeltest.Listener).TryAccept()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "from", accepted.RemoteAddr().String()[:9], "10.0.0.2:")
		_ = accepted.Close()
		l.advance(ms)
		wantReadError(t, o.conn, io.EOF)
		_ = o.conn.Close()
		_ = got.Close()
		n.Check(t)
	}
}
