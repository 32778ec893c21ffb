package keepalive

import (
	"strings"
	"testing"
	"time"
)

func TestMaxWaiting_OneMoreIsRefused(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 2, MaxWaiting: 2, Timeout: time.Second})
	p.do(allocate{req: 1, key: key("a"), timeout: NoLimit}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a"), timeout: NoLimit})
	p.do(allocate{req: 3, key: key("a"), timeout: NoLimit})
	crowd := func(req RequestID, addr string) answer { return failed(req, addr, "queue", ErrTooManyWaiting) }
	p.do(allocate{req: 4, key: key("a")}, crowd(4, "a")) // and no timer
	p.do(allocate{req: 5, key: key("b"), timeout: NoLimit}, dial{2, 5, key("b")})
	p.do(allocate{req: 6, key: key("c")}, crowd(6, "c"))
	p.do(dialed{2}, answer{req: 5, conn: 2})
	p.do(release{2, clean}, watch{2})
	p.do(allocate{req: 7, key: key("b")}, unwatch{2}, answer{req: 7, conn: 2, from: Immediate}) // A31
	p.do(release{2, clean}, watch{2})
	p.do(allocate{req: 8, key: key("c"), timeout: NoLimit}, unwatch{2}, discard{2, becauseEvicted}, dial{3, 8, key("c")})
	p.do(cancel{2})
	p.do(allocate{req: 9, key: key("a"), timeout: NoLimit})
	p.do(allocate{req: 10, key: key("a")}, crowd(10, "a"))
	p.stats(Load{Opening: 2, Waiting: 2})
	if got := p.table.stats().Total.Refused; got != (Refusals{Crowded: 3}) {
		t.Errorf("counted %+v", got)
	}
}

func TestMaxWaiting_NoLimit(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 1, MaxWaiting: NoLimit})
	p.world.trusted = true // its checks cost a step for each request
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	for i := range RequestID(2 * defaultMaxWaiting) {
		p.do(allocate{req: i + 2, key: key("a")})
	}
	p.stats(Load{Opening: 1, Waiting: 2 * defaultMaxWaiting})
}

func TestMaxWaiting_ErrorNamesItsRemedy(t *testing.T) {
	for _, remedy := range []string{"MaxPerHost", "MaxOpen", "MaxWaiting"} {
		if !strings.Contains(ErrTooManyWaiting.Error(), "raise ") || !strings.Contains(ErrTooManyWaiting.Error(), remedy) {
			t.Errorf("%v does not name %s", ErrTooManyWaiting, remedy)
		}
	}
}
