//go:build unix

package prefork

import (
	"net"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// orderly has a server of requests that ends when no connection follows, as one of HTTP
// does, and a session that only its alias keeps, as most programs have.
var orderly = pool("orderly", func(string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, StartServers: 1, MaxClients: 1, ConnsPerServer: Unlimited, MaxRequests: Unlimited,
		CheckSpares: quick, Grace: 2 * patience,
		Server: func(c *kernel.Context, w *Worker) error {
			if _, err := c.Spawn(session.New(), kernel.Alias("pages")); err != nil {
				return err
			}
			var lease *kernel.Lease
			at, err := c.Spawn(session.New(
				session.Handle("_start", func(c *kernel.Context) error { lease = c.Lease("server"); return nil }),
				session.On(gotConn, func(_ *kernel.Context, conn net.Conn) error { return conn.Close() }),
				session.On(finish, func(*kernel.Context, struct{}) error { lease.Release(); return nil }),
			))
			w.ServeRequests(at, gotConn, finish)
			return err
		},
	}
})

func init() {
	orderly.before = func(*kernel.Kernel) error {
		lastTurn = 2 * patience // nobody waits for that
		return nil
	}
}

// A worker of requests leaves when nothing is left to do, and not when its time is up.
func TestP29_WorkerLeavesWhenItsServerHasEnded(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		was := lastTurn
		t.Cleanup(func() { lastTurn = was })
		r := orderly.run(t, mode, nil)
		r.showing("_")
		began := time.Now()
		if err := r.Shutdown(); err != nil {
			t.Fatal(err)
		}
		if err := r.wait(); err != nil {
			t.Error(err)
		}
		t.Logf("it took %v", time.Since(began))
	})
}

// The end of a process that never became a worker, or of an earlier one in the slot,
// costs nothing.
func TestEndOfWhoIsNoWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := twoWorkers.run(t, mode, nil)
		s := r.showing("__")
		for _, e := range []exit{{slot: 0, life: s.Workers[0].Life + 1}, {slot: MaxWorkers}} {
			if err := evExited.PostFrom(r.k, r.self, e); err != nil {
				t.Fatal(err)
			}
		}
		if c := r.dial(); c.ask("hello") != "hello" {
			t.Error("wrong answer")
		} else {
			_ = c.Close()
		}
		if s := r.showing("__"); s.Started != 2 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
		_ = r.Shutdown()
		if err := r.wait(); err != nil {
			t.Error(err)
		}
	})
}
