package keepalive_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestA82_LeakNamesWhereItWasAskedFor: the line of the caller, not one of ours,
// found by the clock and by the collector.
func TestA82_LeakNamesWhereItWasAskedFor(t *testing.T) {
	t.Run("LeakAfter", func(t *testing.T) {
		leaks(t, kernel.Config{}, keepalive.Config{LeakAfter: time.Millisecond})
	})
	t.Run("Debug", func(t *testing.T) { leaks(t, kernel.Config{Debug: true}, keepalive.Config{}) })
}

func leaks(t *testing.T, kcfg kernel.Config, cfg keepalive.Config) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	reports := make(chan string, 10)
	kcfg.Observer = &kernel.Observer{
		Reported: func(_, cause string, err error) { reports <- cause + ": " + err.Error() },
	}
	k := kernel.New(kcfg)
	kerneltest.Start(t, k)
	p, err := keepalive.New(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	wait := func(want ...string) {
		t.Helper()
		for {
			select {
			case got := <-reports:
				for _, w := range want {
					if !strings.Contains(got, w) {
						t.Errorf("reported %q, want %q in it", got, w)
					}
				}
				return
			case <-ctx.Done():
				t.Fatal("no report")
			default:
				runtime.GC()
			}
		}
	}

	at := below()
	c, err := p.Get(ctx, "test", "127.0.0.1", port)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.LeakAfter > 0 {
		wait("lent for longer", "of Get, asked for at "+at)
	}
	runtime.KeepAlive(c)
	c = nil
	wait("dropped without Release", "of Get, asked for at "+at)

	const got kernel.Event[keepalive.Response] = "got"
	u, err := k.SpawnHeld(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			at = below()
			_, err := p.Allocate(c, keepalive.Request{Scheme: "test", Addr: "127.0.0.1", Port: port, Event: got})
			return err
		}),
		session.On(got, func(_ *kernel.Context, r keepalive.Response) error { r.Conn.NetConn(); return r.Err }),
	))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Release()
	wait("of session " + u.Address().String() + `, event "got", asked for at ` + at)
}

// below is the line under its caller's.
func below() string {
	_, _, line, _ := runtime.Caller(1)
	return fmt.Sprintf("keepalive/site_test.go:%d", line+1)
}
