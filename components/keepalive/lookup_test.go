package keepalive

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

var errServFail = errors.New("server failure")

func TestA44_NameWithoutAddress(t *testing.T) {
	p := newPool(t, Config{})
	p.do(allocate{req: 1, key: key("a"), lookup: true}, lookUp{1, "a"})
	p.stats(Stats{Resolving: 1})
	p.do(lookedUp{lookup: 1}, failed(1, "a", "resolve", ErrNoAddress))
	p.stats(Stats{})
}

func TestA48_A51_A55_LookupsOfOneNameAreOne(t *testing.T) {
	other := Key{"http", "a", 81, "http", "a", 81}
	p := newPool(t, Config{})
	p.do(allocate{req: 1, key: key("a"), lookup: true}, lookUp{1, "a"})
	p.do(allocate{req: 2, key: other, lookup: true}) // the port makes no difference
	p.do(allocate{req: 3, key: key("b"), lookup: true}, lookUp{2, "b"})
	p.do(lookedUp{lookup: 1, err: errServFail},
		failed(1, "a", "resolve", errServFail),
		answer{req: 2, err: &Error{Function: "resolve", Key: other, Err: errServFail}})
	p.do(allocate{req: 4, key: key("a"), lookup: true}, lookUp{3, "a"}) // nothing is remembered
}

func TestA52_LateLookupIsIgnored(t *testing.T) {
	p := newPool(t, Config{})
	p.do(allocate{req: 1, key: key("a"), lookup: true}, lookUp{1, "a"})
	p.do(cancel{1}, dropLookup{1})
	p.do(allocate{req: 2, key: key("a"), lookup: true}, lookUp{2, "a"})
	p.do(lookedUp{lookup: 1, err: errServFail}) // not that of request 2
	p.do(shutDown{}, dropLookup{2}, failed(2, "a", "shutdown", ErrShutDown))
	p.do(lookedUp{lookup: 2, addrs: []netip.Addr{netip.IPv6Loopback()}})
	p.stats(Stats{})
}

func TestA53_A54_LookupEndsWithItsLastRequest(t *testing.T) {
	p := newPool(t, Config{Timeout: time.Second})
	p.do(allocate{req: 1, key: key("a"), lookup: true}, startTimer{1, time.Second}, lookUp{1, "a"})
	p.do(allocate{req: 2, key: key("a"), lookup: true}, startTimer{2, time.Second})
	p.do(allocate{req: 3, key: key("a"), lookup: true}, startTimer{3, time.Second})
	p.do(timeUp{1}, failed(1, "a", "connect", ErrTimeout))
	p.do(cancel{2}, stopTimer{2}) // A100: no answer
	p.do(timeUp{3}, dropLookup{1}, failed(3, "a", "connect", ErrTimeout))
	p.stats(Stats{})
}
