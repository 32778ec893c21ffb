//go:build unix

package httpd_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// let ends the slow requests.
func (f *farm) let() {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "go"), nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// call has the server's session do something, and waits until it has.
func (f *farm) call(event string, args ...any) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if _, err := f.k.Call(ctx, f.Session(), event, args...); err != nil {
		f.t.Fatalf("%s: %v", event, err)
	}
}

// stoppedBusy is a farm that listens no more, with a worker that has a request.
func stoppedBusy(t *testing.T, m kernel.Mode) (*farm, *peer) {
	t.Helper()
	f := startFarm(t, m, "plain")
	f.showing("__")
	busy := dial(t, f.Server)
	busy.get("/slow")
	f.showing("W_")
	f.call("STOPLISTEN")
	f.showing("G")
	return f, busy
}

// Two graceful ends are not a forced one.
func TestP27_P29_GracefulEndAfterStopListenLosesNoRequest(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f, busy := stoppedBusy(t, m)
		f.call("SHUTDOWN", true)
		f.showing("G") // by then the pool has heard of it, too
		f.let()
		busy.want(200, "slow")
		f.over()
	})
}

// A forced one after that is.
func TestP27_P30_ForcedEndAfterStopListen(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f, busy := stoppedBusy(t, m)
		f.call("SHUTDOWN")
		if rest := busy.closed(); rest != "" {
			t.Errorf("came %q", rest)
		}
		f.over()
	})
}

// While StartListen waits for the old workers the program goes on, and may end the
// server.
func TestP27_StartListenHoldsNobodyUp(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, end := range []bool{false, true} {
			f, busy := stoppedBusy(t, m)
			l, err := f.k.SpawnHeld(session.New(session.Handle("look", func(c *kernel.Context) error {
				c.Return(len(f.Addrs()) == 1 && !f.Stats().Listening && f.Pool() != nil)
				return nil
			})))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Release()
			started := make(chan error, 1)
			go func() { started <- f.StartListen() }()
			for range 20 { // StartListen waits by then, or the next look is by then
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				ok, err := f.k.Call(ctx, l.Address(), "look")
				cancel()
				if err != nil || ok != true {
					t.Fatalf("a handler was told %v, %v", ok, err)
				}
				<-time.After(time.Millisecond)
			}
			if end {
				f.call("SHUTDOWN", true)
			}
			f.let()
			busy.want(200, "slow")
			select {
			case err := <-started:
				if end != errors.Is(err, httpd.ErrShutDown) || !end && err != nil {
					t.Errorf("StartListen: %v", err)
				}
			case <-time.After(patience):
				t.Fatal("StartListen waits still")
			}
			l.Release()
			if end {
				f.over()
			} else if got := f.ask("/"); got != "hello" {
				t.Errorf("got %q", got)
			}
		}
	})
}
