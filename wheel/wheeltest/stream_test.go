package wheeltest_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// transfer sends want from a to b, in pieces of any size, and returns what b got
// until its end, and the most that was ever sent and not read.
func transfer(t *testing.T, l *lab, r *rand.Rand, a, b *wheeltest.Conn, want []byte) (got []byte, ahead int) {
	t.Helper()
	sent := 0
	for rounds := 0; ; rounds++ {
		if rounds > 1_000_000 {
			t.Fatalf("%d bytes sent and %d read, and no end", sent, len(got))
		}
		if sent < len(want) {
			n, err := a.TryWrite(want[sent:min(len(want), sent+1+r.IntN(5000))])
			if err != nil && err != wheel.ErrAgain {
				t.Fatalf("write after %d bytes: %v", sent, err)
			}
			if sent += n; sent == len(want) {
				_ = a.CloseWrite()
			}
		}
		ahead = max(ahead, sent-len(got))
		l.advance(time.Duration(r.IntN(int(5 * ms))))
		if r.IntN(3) == 0 {
			continue
		}
		p := make([]byte, 1+r.IntN(4000))
		n, err := b.TryRead(p)
		got = append(got, p[:n]...)
		switch err {
		case nil, wheel.ErrAgain:
		case io.EOF:
			return got, ahead
		default:
			t.Fatalf("read after %d bytes: %v", len(got), err)
		}
	}
}

// Bytes come once, in order, whatever happens to what carries them; and no more of
// them are on their way than Buffer says.
func TestStreamKeepsItsPromise(t *testing.T) {
	const buffer = 8000
	for name, link := range map[string]wheeltest.Link{
		"plain":  {},
		"jitter": {Delay: ms, Jitter: 20 * ms},
		"loss":   {Delay: ms, Jitter: ms, Loss: 0.2},
		"narrow": {Bandwidth: 100_000, Jitter: 3 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			kerneltest.Seeds(t, 6, func(t *testing.T, seed uint64) {
				l := newLab(t, wheeltest.Config{Seed: seed, Link: link, Buffer: buffer, Segment: 700})
				a, b := l.Pair()
				r := rand.New(rand.NewPCG(seed, 1))
				want := make([]byte, 50_000)
				for i := range want {
					want[i] = byte(r.Uint32())
				}
				got, ahead := transfer(t, l, r, a, b, want)
				if !bytes.Equal(got, want) {
					t.Errorf("%d bytes arrived that are not the %d that were sent", len(got), len(want))
				}
				if ahead > buffer || ahead < buffer/2 {
					t.Errorf("up to %d bytes were on their way; want as many as Buffer allows, %d", ahead, buffer)
				}
				stats := l.Stats()
				expect(t, "bytes written", stats.Written, int64(len(want)))
				expect(t, "bytes read", stats.Read, int64(len(want)))
				expect(t, "packets sent again", stats.Lost > 0, link.Loss > 0)
			})
		})
	}
}

// A reader that does not read stops the writer; reading lets it go on, and it is told.
func TestWindow(t *testing.T) {
	l := newLab(t, wheeltest.Config{Buffer: 100, Link: wheeltest.Link{Delay: 10 * ms}})
	a, b := l.Pair()
	told := time.Duration(0)
	a.Notify(nil, func() { told = l.now() })
	n, err := a.TryWrite(make([]byte, 1000))
	if n != 100 || err != nil {
		t.Fatalf("write: %d, %v; want 100", n, err)
	}
	wantWriteError(t, a, wheel.ErrAgain)
	l.advance(time.Hour)
	wantWriteError(t, a, wheel.ErrAgain)
	if n, _ := b.TryRead(make([]byte, 30)); n != 30 {
		t.Errorf("read %d bytes, want 30", n)
	}
	l.advance(10*ms - 1)
	wantWriteError(t, a, wheel.ErrAgain)
	l.advance(1)
	expect(t, "told", told, time.Hour+10*ms)
	n, _ = a.TryWrite(make([]byte, 1000))
	expect(t, "written after 30 were read", n, 30)
}

// busyHour is a script with everything that is left to chance.
func busyHour(t *testing.T, seed uint64) []string {
	var trace []string
	l := newLab(t, wheeltest.Config{Seed: seed, Segment: 50,
		Link:  wheeltest.Link{Delay: ms, Jitter: 10 * ms, Loss: 0.1, Reset: 0.005},
		Trace: func(at time.Time, what string) { trace = append(trace, fmt.Sprint(at.UnixNano(), " ", what)) },
	})
	for range 5 {
		a, b := l.connect("tcp", "10.0.0.1:80")
		for range 10 {
			_, _ = a.TryWrite(make([]byte, 100))
			_, _ = b.TryWrite(make([]byte, 300))
			l.advance(3 * ms)
			_, _ = get(t, a)
			_, _ = get(t, b)
		}
		_ = a.Close()
		l.advance(time.Second)
		_ = b.Close()
	}
	return append(trace, fmt.Sprint(l.Stats()))
}

func TestSameSeedSameTrace(t *testing.T) {
	seen := make(map[string]uint64)
	for seed := range uint64(6) {
		once, again := busyHour(t, seed), busyHour(t, seed)
		if !slices.Equal(once, again) {
			t.Errorf("seed %d: two runs differ", seed)
		}
		all := strings.Join(once, "\n")
		if other, ok := seen[all]; ok {
			t.Errorf("seeds %d and %d give the same trace of %d lines", other, seed, len(once))
		}
		seen[all] = seed
	}
}

// What comes at one instant is seen together or apart: the seed decides.
func TestSeedDecidesWhatIsSeenTogether(t *testing.T) {
	seen := make(map[int]int)
	for seed := range uint64(20) {
		l := newLab(t, wheeltest.Config{Seed: seed})
		a, b := l.Pair()
		put(t, a, "one")
		put(t, a, "two")
		for l.k.Step() {
			s, _ := get(t, b)
			seen[len(s)]++
		}
	}
	if seen[3] == 0 || seen[6] == 0 {
		t.Errorf("bytes read at once, and how often: %v; want 3 and 6", seen)
	}
}

func TestHalfClose(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: 5 * ms}})
			address := map[string]string{"tcp": "[fd00::1]:80", "unix": "/run/it"}[network]
			a, b := l.connect(network, address)
			put(t, a, "the last word")
			_ = a.CloseWrite()
			wantWriteError(t, a, syscall.EPIPE)
			l.advance(5 * ms)
			wantRead(t, b, "the last word")
			wantReadError(t, b, io.EOF)
			put(t, b, "not quite")
			l.advance(5 * ms)
			wantRead(t, a, "not quite")
			_ = b.Close()
			l.advance(5 * ms)
			wantReadError(t, a, io.EOF)
			_ = a.Close()
			l.Check(t)
		})
	}
}

// A write to a peer that has closed works once; a round trip later it is known.
func TestWriteToOneWhoHasClosed(t *testing.T) {
	l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: 5 * ms}})
	a, b := l.connect("tcp", "10.0.0.1:80")
	_ = b.Close()
	l.advance(5 * ms)
	put(t, a, "x")
	l.advance(10*ms - 1)
	put(t, a, "x")
	told := 0
	a.Notify(func() { told++ }, func() { told++ })
	l.advance(1)
	expect(t, "told", told, 2)
	wantReadError(t, a, io.EOF)
	wantWriteError(t, a, syscall.EPIPE)
	_ = a.Close()
	l.Check(t)
	expect(t, "resets", l.Stats().Resets, 1)
}

// Data that was on its way before an abort arrives before the reset.
func TestResetComesAfterTheData(t *testing.T) {
	kerneltest.Seeds(t, 6, func(t *testing.T, seed uint64) {
		l := newLab(t, wheeltest.Config{Seed: seed, Segment: 10, Link: wheeltest.Link{Delay: ms, Jitter: 20 * ms, Loss: 0.2}})
		a, b := l.Pair()
		put(t, a, strings.Repeat("0123456789", 20))
		abort(a)
		l.advance(time.Hour)
		wantRead(t, b, strings.Repeat("0123456789", 20))
		wantReadError(t, b, syscall.ECONNRESET)
		wantReadError(t, b, io.EOF)
		wantWriteError(t, b, syscall.EPIPE)
	})
}
