package keepalive

import (
	"testing"
	"time"
)

// lendOne is a pool whose request 1 for key a has connection 1.
func lendOne(t *testing.T, cfg Config) pool {
	t.Helper()
	p := newPool(t, cfg)
	p.do(allocate{req: 1, key: key("a"), timeout: NoLimit}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	return p
}

func TestA85_A87_ClosedConnectionsAreNotReused(t *testing.T) {
	p := lendOne(t, Config{MaxOpen: 1}) // A86, A93: R4, R6, R7 too: all come back as closed
	p.do(release{1, closed}, discard{1, becauseClosed})
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
}

func TestA84_ClosedConnectionsKeepTheirSlotUntilReleased(t *testing.T) {
	p := lendOne(t, Config{MaxOpen: 1})
	p.do(allocate{req: 2, key: key("a")}) // nobody told the table, and nobody has to
	p.do(release{1, closed}, discard{1, becauseClosed}, dial{2, 2, key("a")})
}

func TestA88_R12_OnlyLentConnectionsAreTakenBack(t *testing.T) {
	p := newPool(t, Config{})
	p.refused(release{1, clean}, ErrNotLent)
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.refused(release{1, clean}, ErrNotLent) // opening
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, watch{1})
	p.refused(release{1, clean}, ErrNotLent) // idle
	p.do(readable{1}, unwatch{1}, discard{1, becauseReadable})
	p.refused(release{1, clean}, ErrNotLent) // gone
	p.do(shutDown{})
	p.do(release{1, clean}) // after shutdown nobody cares
}

func TestA90_SlotIsFreeWhateverComesBack(t *testing.T) {
	for as, then := range map[condition][]action{
		closed:         {discard{1, becauseClosed}},
		unread:         {discard{1, becauseUnread}}, // A91
		condition(100): {discard{1, becauseClosed}},
		clean:          {watch{1}},
	} {
		p := lendOne(t, Config{MaxPerHost: 1})
		p.do(allocate{req: 2, key: key("b")}, dial{2, 2, key("b")})
		p.do(release{1, as}, then...)
		idle := 0
		if as == clean {
			idle = 1
		}
		p.stats(Load{Opening: 1, Idle: idle})
	}
}

func TestA92_R5_UnreadInputIsNotLentOn(t *testing.T) {
	p := lendOne(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 2, key: key("a")})
	p.do(release{1, unread}, discard{1, becauseUnread}, dial{2, 2, key("a")})
}

func TestA94_IdleTimeCountsFromEachReturn(t *testing.T) {
	p := lendOne(t, Config{KeepAlive: time.Second})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Second})
	p.do(allocate{req: 2, key: key("a")}, unwatch{1}, stopTimer{1}, answer{req: 2, conn: 1, from: Immediate})
	p.do(timeUp{1}) // was on its way
	p.do(release{1, clean}, watch{1}, startTimer{2, time.Second})
	p.do(timeUp{1}) // not that of this return
	p.do(timeUp{2}, unwatch{1}, discard{1, becauseExpired})
}

func TestA95_InputWhileIdleEndsTheConnection(t *testing.T) {
	p := lendOne(t, Config{KeepAlive: time.Second})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Second})
	p.do(readable{1}, unwatch{1}, stopTimer{1}, discard{1, becauseReadable})
	p.do(allocate{req: 2, key: key("a"), timeout: NoLimit}, dial{2, 2, key("a")})
}

func TestA96_ExpiredConnectionIsNotLent(t *testing.T) {
	p := lendOne(t, Config{KeepAlive: time.Second})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Second})
	p.do(timeUp{1}, unwatch{1}, discard{1, becauseExpired})
	p.do(allocate{req: 2, key: key("a"), timeout: NoLimit}, dial{2, 2, key("a")})
}

func TestA97_R8_WatchEndsBeforeTheConnectionIsLent(t *testing.T) {
	p := lendOne(t, Config{KeepAlive: time.Second})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Second})
	p.do(allocate{req: 2, key: key("a")}, unwatch{1}, stopTimer{1}, answer{req: 2, conn: 1, from: Immediate})
	p.do(readable{1}) // came too late, and is the new user's to read
	p.stats(Load{Lent: 1})
}

func TestA98_R11_OthersOfTheKeyStayIdle(t *testing.T) {
	p := lendOne(t, Config{KeepAlive: time.Second})
	p.do(allocate{req: 2, key: key("a"), timeout: NoLimit}, dial{2, 2, key("a")})
	p.do(dialed{2}, answer{req: 2, conn: 2})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Second})
	p.do(release{2, clean}, watch{2}, startTimer{2, time.Second})
	p.do(timeUp{1}, unwatch{1}, discard{1, becauseExpired})
	p.do(allocate{req: 3, key: key("a")}, unwatch{2}, stopTimer{2}, answer{req: 3, conn: 2, from: Immediate})
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := becauseClosed; r <= becauseShutDown; r++ {
		seen[r.String()] = true
	}
	if n := int(becauseShutDown) + 1; len(seen) != n {
		t.Errorf("%d reasons have the names %v", n, seen)
	}
}
