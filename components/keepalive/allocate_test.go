package keepalive

import (
	"errors"
	"testing"
	"time"
)

func TestA17_A19_A20_OnlyTheFullKeyIsShared(t *testing.T) {
	keys := []Key{
		{Scheme: "http", Addr: "localhost", Port: 80},
		{Scheme: "http", Addr: "Localhost", Port: 80},
		{Scheme: "http", Addr: "127.0.0.1", Port: 80},
		{Scheme: "https", Addr: "localhost", Port: 80},
		{Scheme: "mine", Addr: "localhost", Port: 80},
		{Scheme: "http", Addr: "localhost", Port: 81},
		{Scheme: "http", Addr: "localhost", Port: 80, ForScheme: "https"},
		{Scheme: "http", Addr: "localhost", Port: 80, ForAddr: "example.com"},
		{Scheme: "http", Addr: "localhost", Port: 80, ForPort: 8080},
	}
	p := newPool(t, Config{MaxPerHost: 1})
	for i, k := range keys {
		full, _ := k.complete()
		p.do(allocate{req: RequestID(i + 1), key: k}, dial{connID(i + 1), RequestID(i + 1), full})
		p.do(allocate{req: RequestID(i + 101), key: full}) // the same, at its limit
	}
	p.stats(Load{Opening: len(keys), Waiting: len(keys)})
}

func TestA24_ArgumentsAreCheckedBeforeShutdown(t *testing.T) {
	p := newPool(t, Config{})
	p.refused(allocate{req: 1}, ErrArgument)
	p.refused(allocate{req: 1, key: key("a"), timeout: -time.Second}, ErrArgument)
	p.do(shutDown{})
	p.refused(allocate{req: 1}, ErrArgument)
	p.refused(allocate{req: 1, key: key("a"), timeout: -time.Second}, ErrArgument)
	p.refused(allocate{req: 1, key: key("a")}, ErrShutDown)
}

func TestA5_A6_DefaultTimes(t *testing.T) {
	p := pool{t, newWorld(Config{})}
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, 120 * time.Second}, dial{1, 1, key("a")})
	p.do(dialed{1}, stopTimer{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, watch{1}, startTimer{2, 15 * time.Second})
}

func TestA25_A33_TimerStartsFirstWithItsOwnTime(t *testing.T) {
	p := newPool(t, Config{Timeout: time.Minute})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Minute}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a"), timeout: time.Second}, startTimer{2, time.Second}, dial{2, 2, key("a")})
	p.do(allocate{req: 3, key: key("a"), timeout: NoLimit}, dial{3, 3, key("a")})
	p.do(allocate{req: 4, key: key("b")}, startTimer{3, time.Minute}, dial{4, 4, key("b")})
}

func TestA29_IDsInUseAreRefused(t *testing.T) {
	p := newPool(t, Config{})
	p.refused(allocate{req: 0, key: key("a")}, errBug)
	p.do(allocate{req: 7, key: key("a")}, dial{1, 7, key("a")})
	p.refused(allocate{req: 7, key: key("b")}, errBug)
	p.do(dialed{1}, answer{req: 7, conn: 1})
	p.refused(allocate{req: 7, key: key("b")}, errBug) // may still be withdrawn
}

func TestA31_IdleHitNeedsNoTimer(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 1, Timeout: time.Minute})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Minute}, dial{1, 1, key("a")})
	p.do(dialed{1}, stopTimer{1}, answer{req: 1, conn: 1})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 2, key: key("a")}, unwatch{1}, answer{req: 2, conn: 1, from: Immediate})
}

func TestA38_EachSourceIsNamed(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1, from: Fresh})
	p.do(allocate{req: 2, key: key("a")})
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, answer{req: 3, conn: 1, from: Immediate})
	for from, want := range map[From]string{Fresh: "fresh", Deferred: "deferred", Immediate: "immediate"} {
		if from.String() != want {
			t.Errorf("From %d is %q; want %q", from, from, want)
		}
	}
}

func TestA75_FailedDialIsAnsweredOnceWithItsStep(t *testing.T) {
	refusedErr := errors.New("refused")
	p := newPool(t, Config{Timeout: time.Minute})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Minute}, dial{1, 1, key("a")})
	p.do(dialFailed{1, "bind", refusedErr}, stopTimer{1}, failed(1, "a", "bind", refusedErr))
	p.stats(Load{}) // A30
	p.refused(dialFailed{1, "bind", refusedErr}, errBug)
	p.refused(dialed{1}, errBug)
}
