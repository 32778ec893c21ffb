package keepalive

import "testing"

// TestA71_EachChangeServesWhomItCan: whatever frees a place, it is taken within the
// same step, so that no later one has several to serve.
func TestA71_EachChangeServesWhomItCan(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 2})
	p.do(allocate{req: 1, key: key("a"), timeout: NoLimit}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("b"), timeout: NoLimit}, dial{2, 2, key("b")})
	for i, k := range []Key{key("a"), key("c"), key("d"), key("e")} {
		p.do(allocate{req: RequestID(i + 3), key: k, timeout: NoLimit})
	}
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, answer{req: 3, conn: 1, from: Deferred})
	p.do(release{1, closed}, discard{1, becauseClosed}, dial{3, 4, key("c")})
	p.do(dialFailed{2, "connect", errRefused}, failed(2, "b", "connect", errRefused), dial{4, 5, key("d")})
	p.do(dialed{3}, answer{req: 4, conn: 3})
	p.do(release{3, clean}, discard{3, becauseEvicted}, dial{5, 6, key("e")})
	p.stats(Load{Opening: 2})
}
