package keepalive

import (
	"errors"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// TestA108_PoolsLeaveNothingBehind in a session that outlives them: neither one that
// was given back everything before its end, nor one to which the last connection comes
// back afterwards, nor one that was asked when it had ended.
func TestA108_PoolsLeaveNothingBehind(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, nil)
		wards := func() int { return strings.Count(k.Explain(u.lease.Address()), "keepalive loans") }
		for name, end := range map[string]func(*Conn){
			"released before": func(c *Conn) { _ = c.Release(); u.pool.Shutdown() },
			"released after":  func(c *Conn) { u.pool.Shutdown(); u.ended(); _ = c.Release() },
			"asked after": func(c *Conn) {
				u.pool.Shutdown()
				u.do(func(kc *kernel.Context) error {
					if _, err := u.pool.Allocate(kc, Request{Scheme: "test", Addr: "127.0.0.1", Port: 1, Event: evGot}); !errors.Is(err, ErrShutDown) {
						t.Errorf("got %v", err)
					}
					return nil
				})
				_ = c.Close()
			},
		} {
			u.pool = startPool(t, k, Config{})
			c := u.conn(e.port())
			if c.NetConn() == nil || wards() != 1 {
				t.Fatalf("%s: %d wards", name, wards())
			}
			end(c)
			until(t, "the ward ends: "+name, func() bool { return wards() == 0 })
		}
	})
}
