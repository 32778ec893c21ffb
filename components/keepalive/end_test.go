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

// Whatever the end of a request is, its ID and its timer are free again (A30:
// POE leaks them when a request times out, fails in the lookup or is shut down).
func TestA30_NothingIsLeftOfARequest(t *testing.T) {
	start := func(t *testing.T, cfg Config) pool { // 1 lent, 2 being opened, 3 waiting
		cfg.MaxPerHost, cfg.Timeout, cfg.MaxWaiting = 2, time.Second, 1
		p := newPool(t, cfg)
		p.do(allocate{req: 1, key: key("a"), timeout: NoLimit}, dial{1, 1, key("a")})
		p.do(dialed{1}, answer{req: 1, conn: 1})
		p.do(delivered{1})
		p.do(allocate{req: 2, key: key("a")}, startTimer{1, time.Second}, dial{2, 2, key("a")})
		p.do(allocate{req: 3, key: key("a")}, startTimer{2, time.Second})
		return p
	}
	for name, end := range map[string]struct {
		messages []message
		ended    []RequestID
	}{
		"opened":       {[]message{dialed{2}, delivered{2}}, []RequestID{2}},
		"failed":       {[]message{dialFailed{2, "resolve", errRefused}}, []RequestID{2}},
		"timed out":    {[]message{timeUp{1}, timeUp{2}}, []RequestID{2, 3}},
		"cancelled":    {[]message{cancel{2}, cancel{3}}, []RequestID{2, 3}},
		"deferred":     {[]message{release{1, clean}, delivered{3}}, []RequestID{3}},
		"refused":      {[]message{allocate{req: 4, key: key("a")}}, []RequestID{4}},
		"withdrawn":    {[]message{dialed{2}, cancel{2}}, []RequestID{2}},
		"circuit open": {[]message{report{key("a"), true}}, []RequestID{3}},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, Config{Breaker: Breaker{Failures: 1}})
			for _, m := range end.messages {
				if _, err := p.send(m); err != nil {
					t.Fatal(err)
				}
			}
			for _, id := range end.ended {
				if p.table.requests[id] != nil || p.table.undelivered[id] != nil {
					t.Errorf("request %d is still known", id)
				}
			}
			if want := len(p.table.requests); len(p.timers) != want {
				t.Errorf("%d timers run, for %d requests", len(p.timers), want)
			}
			for _, id := range end.ended {
				if _, err := p.table.apply(allocate{req: id, key: key("c")}); err != nil {
					t.Errorf("its ID is taken: %v", err)
				}
			}
		})
	}
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

// A100: a lookup is part of its dial. A101: POE lets it run on, and answer.
func TestA100_A101_CancelOfADialFreesTheSlotWhenItEnds(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 1})
	p.do(allocate{req: 1, key: key("a"), timeout: time.Second}, startTimer{1, time.Second}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("b")})
	p.do(cancel{1}, abortDial{1}, stopTimer{1})
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
