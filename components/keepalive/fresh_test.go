package keepalive

import (
	"testing"

	"github.com/usher-go/usher/kernel"
)

// TestFresh_NoIdleOneIsLent: at its limit a request waits its turn, and then an idle
// one of its own key may be what makes room.
func TestFresh_NoIdleOneIsLent(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1, from: Fresh})
	p.do(allocate{req: 2, key: key("a"), fresh: true})
	p.do(release{1, clean}, discard{1, becauseEvicted}, dial{2, 2, key("a")})
	p.do(dialed{2}, answer{req: 2, conn: 2, from: Fresh})
}

// TestA93_R4_IdleBesideALimit: a request that wants a new connection leaves an idle one
// at its key's limit. Who waits there gets that one only if it still stands.
func TestA93_R4_IdleBesideALimit(t *testing.T) {
	for name, c := range map[string]struct {
		dead bool
		want []action
	}{
		"sound": {false, []action{discard{2, becauseClosed}, unwatch{1}, answer{req: 3, conn: 1, from: Deferred}}},
		"dead":  {true, []action{discard{2, becauseClosed}, unwatch{1}, discard{1, becauseReadable}, dial{3, 3, key("a")}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Config{MaxPerHost: 1})
			p.table.sound = func(connID) bool { return !c.dead }
			p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
			p.do(dialed{1}, answer{req: 1, conn: 1})
			p.do(release{1, clean}, watch{1})
			p.do(allocate{req: 2, key: key("a"), fresh: true}, dial{2, 2, key("a")})
			p.do(dialed{2}, answer{req: 2, conn: 2})
			p.do(allocate{req: 3, key: key("a")})
			p.do(release{2, closed}, c.want...)
		})
	}
}

func TestFresh_BesideAnIdleOne(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		server := newEcho(t)
		p := startPool(t, k, Config{})
		for i, fresh := range []bool{false, true, false} {
			conn, err := p.GetFor(deadline(t), Request{Scheme: "test", Addr: "127.0.0.1", Port: server.port(), Fresh: fresh})
			if err != nil {
				t.Fatal(err)
			}
			if conn.Reused() != (i == 2) {
				t.Errorf("connection %d: Reused is %v", i, conn.Reused())
			}
			if err := conn.Release(); err != nil {
				t.Fatal(err)
			}
		}
		server.accepted(t, 2)
	})
}
