package keepalive

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

var errRefused = errors.New("connection refused")

func TestA58_FirstComeFirstServed(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(allocate{req: 3, key: key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, closed}, discard{1, becauseClosed}, dial{2, 3, key("a")})
	p.do(dialed{2}, answer{req: 3, conn: 2})
}

func TestA59_R9_FailedDialWakesTheNext(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(dialFailed{1, "connect", errRefused}, failed(1, "a", "connect", errRefused), dial{2, 2, key("a")})
}

// A failed handshake frees its slot, too, and wakes the next (POE's does neither).
func TestA76_FailedHandshakeFreesItsSlot(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(dialFailed{1, "sslify", errRefused}, failed(1, "a", "sslify", errRefused), dial{2, 2, key("a")})
	p.do(dialFailed{2, "sslify", errRefused}, failed(2, "a", "sslify", errRefused))
	p.stats(Load{})
}

// Of the default limits, and of those that are given, one more has to wait.
func TestA3_A4_LimitsOfOneKeyAndOfAll(t *testing.T) {
	for name, c := range map[string]struct {
		cfg           Config
		perHost, open int
	}{
		"defaults": {Config{}, 4, 128},
		"given":    {Config{MaxPerHost: 2, MaxOpen: 5}, 2, 5},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, c.cfg)
			n := 0
			opens := func(addr string) {
				n++
				p.do(allocate{req: RequestID(n), key: key(addr)}, dial{connID(n), RequestID(n), key(addr)})
			}
			for range c.perHost {
				opens("a")
			}
			p.do(allocate{req: 1000, key: key("a")})
			for i := n; i < c.open; i++ {
				opens(fmt.Sprint("b", i))
			}
			p.do(dialed{1}, answer{req: 1, conn: 1}) // lent or being opened
			p.do(allocate{req: 1001, key: key("c")})
			p.stats(Load{Opening: n - 1, Lent: 1, Waiting: 2})
		})
	}
}

// The end of an idle connection is no such change: had it stood in anyone's
// way, it would have been evicted before (TestModel proves it).
func TestA60_EveryChangeOfCapacityWakesTheQueue(t *testing.T) {
	for name, change := range map[string]struct {
		message message
		first   []action
	}{
		"released":         {release{1, clean}, []action{discard{1, becauseEvicted}}},
		"released, unfit":  {release{1, unread}, []action{discard{1, becauseUnread}}},
		"second dial ends": {dialFailed{2, "sslify", errRefused}, []action{failed(2, "b", "sslify", errRefused)}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Config{MaxOpen: 2})
			p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
			p.do(dialed{1}, answer{req: 1, conn: 1})
			p.do(allocate{req: 2, key: key("b")}, dial{2, 2, key("b")})
			p.do(allocate{req: 3, key: key("c")})
			p.do(change.message, append(change.first, dial{3, 3, key("c")})...)
		})
	}
}

func TestA60_A61_BlockedKeyDoesNotHoldUpOthers(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(allocate{req: 3, key: key("b")}, dial{2, 3, key("b")})
	p.do(dialed{2}, answer{req: 3, conn: 2})
	p.do(release{2, clean}, watch{2})
	p.do(allocate{req: 4, key: key("b")}, unwatch{2}, answer{req: 4, conn: 2, from: Immediate})
}

func TestA62_A64_IdleCountsForMaxOpenOnly(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 2})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 2, key: key("b")}, dial{2, 2, key("b")})
	p.do(allocate{req: 3, key: key("c")}, unwatch{1}, discard{1, becauseEvicted}, dial{3, 3, key("c")})
	p.stats(Load{Opening: 2})
}

// A63: a full pool with nothing idle stops the scan, and loses nobody by it.
func TestA63_A65_AttemptsCountFromTheirStart(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 2})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")}) // MaxPerHost
	p.do(allocate{req: 3, key: key("b")}, dial{2, 3, key("b")})
	p.do(allocate{req: 4, key: key("c")}) // MaxOpen
	p.stats(Load{Opening: 2, Waiting: 2})
	p.do(dialFailed{2, "connect", errRefused}, failed(3, "b", "connect", errRefused), dial{3, 4, key("c")})
	p.do(dialFailed{1, "connect", errRefused}, failed(1, "a", "connect", errRefused), dial{4, 2, key("a")})
}

func TestA66_A67_LongestIdleMakesRoom(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 3})
	for i, addr := range []string{"a", "b", "c"} {
		req, conn := RequestID(i+1), connID(i+1)
		p.do(allocate{req: req, key: key(addr)}, dial{conn, req, key(addr)})
		p.do(dialed{conn}, answer{req: req, conn: conn})
	}
	p.do(release{2, clean}, watch{2})
	p.do(release{3, clean}, watch{3})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 4, key: key("d")}, unwatch{2}, discard{2, becauseEvicted}, dial{4, 4, key("d")})
	p.do(allocate{req: 5, key: key("e")}, unwatch{3}, discard{3, becauseEvicted}, dial{5, 5, key("e")})
	p.do(allocate{req: 6, key: key("f")}, unwatch{1}, discard{1, becauseEvicted}, dial{6, 6, key("f")})
}

// One scan lends a returned connection, and the one behind must not evict it.
func TestA68_R3_WhatAScanLendsItDoesNotEvict(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(allocate{req: 2, key: key("a")})
	p.do(allocate{req: 3, key: key("b")})
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, clean}, discard{1, becauseEvicted}, dial{2, 3, key("b")})
}

// One scan that must make room twice needs two victims; the second waits.
func TestA69_AVictimMakesRoomOnce(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(allocate{req: 2, key: key("b")})
	p.do(allocate{req: 3, key: key("c")})
	p.do(release{1, clean}, discard{1, becauseEvicted}, dial{2, 2, key("b")})
	p.stats(Load{Opening: 1, Waiting: 1})
}

func TestA70_NewestIdleIsLentFirst(t *testing.T) {
	p := newPool(t, Config{})
	for i := range 3 {
		p.do(allocate{req: RequestID(i + 1), key: key("a")}, dial{connID(i + 1), RequestID(i + 1), key("a")})
		p.do(dialed{connID(i + 1)}, answer{req: RequestID(i + 1), conn: connID(i + 1)})
	}
	p.do(release{2, clean}, watch{2})
	p.do(release{3, clean}, watch{3})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 4, key: key("a")}, unwatch{1}, answer{req: 4, conn: 1, from: Immediate})
	p.do(allocate{req: 5, key: key("a")}, unwatch{3}, answer{req: 5, conn: 3, from: Immediate})
	p.do(allocate{req: 6, key: key("a")}, unwatch{2}, answer{req: 6, conn: 2, from: Immediate})
}

func TestA72_OneConnectionInAll(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, answer{req: 3, conn: 1, from: Immediate})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 4, key: key("b")}, unwatch{1}, discard{1, becauseEvicted}, dial{2, 4, key("b")})
	p.do(dialFailed{2, "connect", errRefused}, failed(4, "b", "connect", errRefused))
	p.stats(Load{})
}

func TestA73_OneConnectionForEachHost(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, answer{req: 3, conn: 1, from: Immediate})
	p.do(allocate{req: 4, key: key("a")})
	p.do(release{1, clean}, answer{req: 4, conn: 1, from: Deferred})
}

func TestA74_RequestsWaitForTheirOwnConnection(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 2})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
	p.do(release{1, clean}, watch{1})
	p.do(dialed{2}, answer{req: 2, conn: 2, from: Fresh})
}

// Where MaxOpen is the bottleneck, a key with many requests and one with few
// are served alternately.
func TestHostsTakeTurns(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(allocate{req: 3, key: key("a")})
	p.do(allocate{req: 4, key: key("b")})
	p.do(allocate{req: 5, key: key("b")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, closed}, discard{1, becauseClosed}, dial{2, 2, key("a")})
	p.do(dialFailed{2, "connect", errRefused}, failed(2, "a", "connect", errRefused), dial{3, 4, key("b")})
	p.do(dialFailed{3, "connect", errRefused}, failed(4, "b", "connect", errRefused), dial{4, 3, key("a")})
	p.do(dialFailed{4, "connect", errRefused}, failed(3, "a", "connect", errRefused), dial{5, 5, key("b")})
}

// A host at its limit keeps its place before those that came later.
func TestHostAtItsLimitKeepsItsTurn(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")})
	p.do(allocate{req: 3, key: key("b")})
	p.do(dialFailed{1, "connect", errRefused}, failed(1, "a", "connect", errRefused), dial{2, 2, key("a")})
}

// TestWithout: whoever leaves at the front moves nobody of many, or the timeouts of a
// hundred thousand who wait would take seconds; and to leave, from wherever it may be,
// costs no memory when the next one comes.
func TestWithout(t *testing.T) {
	all := make([]int, many+1)
	for i := range all {
		all[i] = i + 1
	}
	if rest := without(all, 1); len(rest) != many || &rest[0] != &all[1] || all[0] != 0 {
		t.Errorf("without the first of many: %v of %v", rest, all)
	}
	list := []int{1, 2, 3, 4, 5}
	for _, v := range []int{3, 1, 5, 2, 4} {
		want := slices.DeleteFunc(slices.Clone(list), func(w int) bool { return w == v })
		rest := without(list, v)
		if !slices.Equal(rest, want) || cap(rest) != cap(list) || list[len(list)-1] != 0 {
			t.Errorf("without %d: %v, want %v, room for %d, of %v", v, rest, want, cap(rest), list)
		}
		list = rest
	}
	for _, n := range []int{1, 2, many} {
		turns := make([]int, n)
		for i := range turns {
			turns[i] = i
		}
		if allocs := testing.AllocsPerRun(100, func() { turns = append(without(turns, turns[0]), turns[0]) }); allocs != 0 {
			t.Errorf("%d in turn allocate %v times", n, allocs)
		}
	}
}
