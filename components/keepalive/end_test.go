package keepalive

import (
	"testing"
	"time"
)

func TestA45_R1_TimeoutIsTheOnlyAnswer(t *testing.T) {
	p := newPool(t, Config{Timeout: time.Second})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Second}, dial{1, 1, key("a")})
	p.do(timeUp{1}, abortDial{1}, failed(1, "a", "connect", ErrTimeout))
	p.do(dialFailed{1, "resolve", errRefused})
	p.do(timeUp{1})
	p.refused(cancel{1}, ErrNoRequest)
	p.stats(Load{}) // A30
}

// A42: the same answer at each stage.
func TestA77_A78_OneTimerCoversQueueAndDial(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, Timeout: time.Second})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Second}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")}, startTimer{2, time.Second})
	p.do(allocate{req: 3, key: key("a")}, startTimer{3, time.Second})
	p.do(timeUp{2}, failed(2, "a", "connect", ErrTimeout))               // queued
	p.do(timeUp{1}, abortDial{1}, failed(1, "a", "connect", ErrTimeout)) // connecting
	p.stats(Load{Opening: 1, Waiting: 1})                                // until the attempt has ended
	p.do(dialFailed{1, "connect", errRefused}, dial{2, 3, key("a")})
	p.do(dialed{2}, stopTimer{3}, answer{req: 3, conn: 2})
}

func TestA99_OnlyPendingRequestsAreCancelled(t *testing.T) {
	p := newPool(t, Config{})
	p.refused(cancel{0}, ErrNoRequest)
	p.refused(cancel{1}, ErrNoRequest)
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(cancel{1}, abortDial{1})
	p.refused(cancel{1}, ErrNoRequest)
}

func TestA101_CancelInTheQueueIsSilent(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, Timeout: time.Second})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Second}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")}, startTimer{2, time.Second})
	p.do(allocate{req: 3, key: key("a")}, startTimer{3, time.Second})
	p.do(cancel{2}, stopTimer{2})
	p.do(dialed{1}, stopTimer{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, stopTimer{3}, answer{req: 3, conn: 1, from: Deferred})
}

func TestA101_CancelOfADialFreesTheSlotWhenItEnds(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("b")})
	p.do(cancel{1}, abortDial{1})
	p.do(dialFailed{1, "connect", errRefused}, dial{2, 2, key("b")})
	p.stats(Load{Opening: 1})
}

// The slot is still held, so a connection that came after all need not be
// thrown away.
func TestA101_ConnectionThatCameAfterAllIsKept(t *testing.T) {
	late := func(t *testing.T, cfg Config) pool {
		p := newPool(t, cfg)
		p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
		p.do(cancel{1}, abortDial{1})
		return p
	}
	t.Run("idle", func(t *testing.T) {
		p := late(t, Config{MaxOpen: 1})
		p.do(dialed{1}, watch{1})
		p.do(allocate{req: 2, key: key("a")}, unwatch{1}, answer{req: 2, conn: 1, from: Immediate})
	})
	t.Run("for one who waits", func(t *testing.T) {
		p := late(t, Config{MaxPerHost: 1})
		p.do(allocate{req: 2, key: key("a")})
		p.do(dialed{1}, answer{req: 2, conn: 1, from: Deferred})
	})
	t.Run("making room", func(t *testing.T) {
		p := late(t, Config{MaxOpen: 1})
		p.do(allocate{req: 2, key: key("b")})
		p.do(dialed{1}, discard{1, becauseEvicted}, dial{2, 2, key("b")})
	})
}

func TestA102_CancelLeavesIdleConnectionsAlone(t *testing.T) {
	p := lendOne(t, Config{})
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
	p.do(release{1, clean}, watch{1})
	p.do(cancel{2}, abortDial{2})
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, answer{req: 3, conn: 1, from: Immediate})
}

// A28: an idle hit can be cancelled like any other request.
func TestA103_A28_AnswerUnderWayIsWithdrawn(t *testing.T) {
	p := lendOne(t, Config{MaxPerHost: 1})
	p.do(cancel{1}, withdraw{1, 1})
	p.refused(cancel{1}, ErrNoRequest)
	p.do(allocate{req: 2, key: key("a")}) // the connection is not back yet
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, answer{req: 3, conn: 1, from: Immediate})
	p.do(cancel{3}, withdraw{3, 1})
	p.do(release{1, unread}, discard{1, becauseUnread})
	p.stats(Load{})
}

func TestA103_DeliveredAnswersStay(t *testing.T) {
	p := lendOne(t, Config{})
	p.do(delivered{1})
	p.do(delivered{1}) // as good as once
	p.refused(cancel{1}, ErrNoRequest)
	p.do(release{1, clean}, watch{1})

	p.do(allocate{req: 2, key: key("a")}, unwatch{1}, answer{req: 2, conn: 1, from: Immediate})
	p.do(release{1, clean}, watch{1}) // who gives it back has had it
	p.refused(cancel{2}, ErrNoRequest)
}

func TestA104_A105_A106_A107_R10_ShutdownEndsAllOnce(t *testing.T) {
	p := lendOne(t, Config{MaxPerHost: 1, Timeout: time.Second, KeepAlive: time.Second})
	p.do(release{1, clean}, watch{1}, startTimer{1, time.Second})
	p.do(allocate{req: 2, key: key("b")}, startTimer{2, time.Second}, dial{2, 2, key("b")})
	p.do(allocate{req: 3, key: key("b")}, startTimer{3, time.Second})
	p.do(allocate{req: 4, key: key("c")}, startTimer{4, time.Second}, dial{3, 4, key("c")})
	p.do(shutDown{},
		abortDial{2}, stopTimer{2}, failed(2, "b", "shutdown", ErrShutDown),
		stopTimer{3}, failed(3, "b", "shutdown", ErrShutDown),
		abortDial{3}, stopTimer{4}, failed(4, "c", "shutdown", ErrShutDown),
		unwatch{1}, stopTimer{1}, discard{1, becauseShutDown})
	p.do(shutDown{})
	p.do(dialed{2}, discard{2, becauseShutDown}) // A106: closed, and not announced
	p.do(dialFailed{3, "connect", errRefused})
	p.stats(Load{}) // A109: nothing keeps the program from its end
}

func TestA108_LentConnectionsOutliveShutdown(t *testing.T) {
	p := lendOne(t, Config{})
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
	p.do(dialed{2}, answer{req: 2, conn: 2})
	p.do(delivered{1})
	p.do(shutDown{})
	p.stats(Load{Lent: 2})
	p.do(release{1, clean}, discard{1, becauseShutDown})
	p.do(cancel{2}, withdraw{2, 2}) // not even delivered
	p.do(release{2, clean}, discard{2, becauseShutDown})
	p.stats(Load{})
}
