package keepalive

import (
	"testing"
	"time"
)

// worn is a pool with a lifetime of one minute, whose request 1 for key a has
// connection 1 since now.
func worn(t *testing.T, cfg Config) pool {
	t.Helper()
	cfg.MaxLifetime = time.Minute
	return lendOne(t, cfg)
}

func TestMaxLifetime_ClosedWhileIdle(t *testing.T) {
	p := worn(t, Config{KeepAlive: 20 * time.Second})
	p.do(release{1, clean}, watch{1}, startTimer{1, 20 * time.Second})
	p.do(allocate{req: 2, key: key("a")}, unwatch{1}, stopTimer{1}, answer{req: 2, conn: 1, from: Immediate})
	p.passes(50 * time.Second)
	p.do(release{1, clean}, watch{1}, startTimer{2, 10 * time.Second}) // what is left
	p.passes(10 * time.Second)
	p.do(timeUp{2}, unwatch{1}, discard{1, becauseAged})
	p.stats(Load{})
}

func TestMaxLifetime_ClosedAtItsRelease(t *testing.T) {
	p := worn(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 2, key: key("a")})
	p.passes(time.Minute)
	p.do(release{1, clean}, discard{1, becauseAged}, dial{2, 2, key("a")})
}

// Dead as well, which the pool need not even look for.
func TestMaxLifetime_IsTheReason(t *testing.T) {
	p := worn(t, Config{})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Minute})
	p.passes(time.Minute)
	p.do(readable{1}, unwatch{1}, stopTimer{1}, discard{1, becauseAged})
}

// Its timer ran out, and the table has not heard of it yet.
func TestMaxLifetime_NeverLentBeyond(t *testing.T) {
	p := worn(t, Config{MaxPerHost: 2})
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
	p.passes(time.Second)
	p.do(dialed{2}, answer{req: 2, conn: 2})
	p.do(release{2, clean}, watch{2}, startTimer{1, time.Minute})
	p.do(release{1, clean}, watch{1}, startTimer{2, 59 * time.Second}) // would be lent first
	p.passes(59 * time.Second)
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, stopTimer{2}, discard{1, becauseAged},
		unwatch{2}, stopTimer{1}, answer{req: 3, conn: 2, from: Immediate})
	p.do(release{2, clean}, watch{2}, startTimer{3, time.Second})
	p.passes(time.Second)
	p.do(allocate{req: 4, key: key("a")}, unwatch{2}, stopTimer{3}, discard{2, becauseAged}, dial{3, 4, key("a")})
	if got := p.table.stats().Total; got.Aged != 2 || got.Opened != 2 {
		t.Errorf("counted %+v", got)
	}
}

func TestMaxLifetime_EachItsOwn(t *testing.T) {
	p := newPool(t, Config{MaxLifetime: 100 * time.Second})
	for i, chance := range []float64{0, 0.5, 0.999} {
		id := i + 1
		p.world.chance = chance
		p.do(allocate{req: RequestID(id), key: key("a")}, dial{connID(id), RequestID(id), key("a")})
		p.do(dialed{connID(id)}, answer{req: RequestID(id), conn: connID(id)})
		left := time.Duration(float64(100*time.Second) * (1 - chance/10))
		if got := p.table.conns[connID(id)].ends.Sub(p.now); (got - left).Abs() > time.Microsecond {
			t.Errorf("with chance %v a connection lives for %v; want %v", chance, got, left)
		}
	}
}

func TestMaxLifetime_NoLimit(t *testing.T) {
	p := newPool(t, Config{MaxLifetime: NoLimit})
	p.table.chance = nil // nobody asks it
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.passes(1e6 * time.Hour)
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 2, key: key("a")}, unwatch{1}, answer{req: 2, conn: 1, from: Immediate})
}

// A connection that came after its request had left lives no longer than others.
func TestMaxLifetime_OfOneThatCameAfterAll(t *testing.T) {
	p := newPool(t, Config{MaxLifetime: time.Minute})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(cancel{1}, abortDial{1})
	p.do(dialed{1}, watch{1}, startTimer{1, time.Minute})
	p.passes(time.Minute)
	p.do(timeUp{1}, unwatch{1}, discard{1, becauseAged})
}
