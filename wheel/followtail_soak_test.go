package wheel_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// numbers is a session that follows a log of numbered lines, and counts.
type numbers struct {
	t      *testing.T
	cfg    tailConfig
	last   string // ends it
	lossy  bool   // lines may be missing, and cut
	ft     *wheel.FollowTail[string]
	next   int // the number that is due
	whole  int
	cut    int
	read   atomic.Int64 // as next
	resets atomic.Int64
	turned chan struct{} // after each reset
}

func (n *numbers) session() *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			n.cfg.Filter, n.cfg.InputEvent, n.cfg.ResetEvent, n.cfg.ErrorEvent = filter.Line(), gotLine, reset, failed
			n.cfg.Seek = new(int64(0))
			n.ft, err = wheel.NewFollowTail(c, n.cfg)
			return err
		}),
		session.On(gotLine, func(_ *kernel.Context, s string) error {
			n.line(s)
			if s == n.last {
				n.ft.Close()
			}
			return nil
		}),
		session.On(reset, func(*kernel.Context, wheel.Reset) error {
			n.resets.Add(1)
			n.turned <- struct{}{}
			return nil
		}),
		session.On(failed, func(_ *kernel.Context, e *wheel.Error) error { n.t.Error(e); return nil }),
	)
}

func numberLine(i int) string { return fmt.Sprintf("line %08d ends", i) }

func (n *numbers) line(s string) {
	var i int
	if _, err := fmt.Sscanf(s, "line %08d ends", &i); err != nil || s != numberLine(i) {
		if n.cut++; !n.lossy {
			n.t.Errorf("a line that nobody wrote: %q", s)
		}
		return
	}
	if i < n.next || i > n.next && !n.lossy {
		n.t.Errorf("line %d, want %d", i, n.next)
	}
	n.next = i + 1
	n.read.Store(int64(n.next))
	n.whole++
}

// logger writes numbered lines in pieces of any length, and rotates its log.
type logger struct {
	t    *testing.T
	path string
	rand *rand.Rand
	file *os.File
	next int
}

func newLogger(t *testing.T, path string) *logger {
	l := &logger{t: t, path: path, rand: rand.New(rand.NewPCG(1, 2))}
	l.reopen()
	return l
}

func (l *logger) check(err error) {
	if err != nil {
		l.t.Error(err)
	}
}

func (l *logger) reopen() {
	if l.file != nil {
		l.check(l.file.Close())
	}
	var err error
	l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	l.check(err)
}

func (l *logger) lines(n int) (text []byte) {
	for range n {
		text = append(append(text, numberLine(l.next)...), '\n')
		l.next++
	}
	return text
}

func (l *logger) write(n int) {
	for text := l.lines(n); len(text) > 0; {
		piece := text[:min(len(text), 1+l.rand.IntN(10000))]
		_, err := l.file.Write(piece)
		l.check(err)
		text = text[len(piece):]
	}
}

// rotate renames and creates, as logrotate does. The writer goes on with the old
// file: until there is a new one, and then for a while that is surely within grace.
func (l *logger) rotate(number int, grace time.Duration) {
	l.check(os.Rename(l.path, fmt.Sprint(l.path, ".", number)))
	l.write(l.rand.IntN(50))
	late := l.lines(l.rand.IntN(50))
	before := time.Now()
	fresh, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	l.check(err)
	l.check(fresh.Close())
	if time.Since(before) > grace/4 { // this machine is busy: it is not sure any more
		l.reopen()
	}
	_, err = l.file.Write(late)
	l.check(err)
	l.reopen()
}

// copyTruncate is logrotate's other way: between the copy's end and the truncation,
// and between a reader's last look and that, lines get lost.
func (l *logger) copyTruncate(number int) {
	from, err := os.Open(l.path)
	l.check(err)
	to, err := os.Create(fmt.Sprint(l.path, ".", number))
	l.check(err)
	_, err = io.Copy(to, from)
	l.check(err)
	l.check(from.Close())
	l.check(to.Close())
	l.check(os.Truncate(l.path, 0))
}

// follow runs the session beside a writer.
func (n *numbers) follow(writer func()) {
	n.t.Helper()
	n.turned = make(chan struct{}, 1<<20)
	k := kernel.New(kernel.Config{Observer: strict(n.t)})
	if _, err := k.Spawn(n.session()); err != nil {
		n.t.Fatal(err)
	}
	beside(n.t, writer)
	if err := k.Run(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
}

// rotateUnderLoad has total lines followed through so many rotations. A log is not
// rotated again before its follower has begun it: it cannot know of files that it
// never saw.
func rotateUnderLoad(t *testing.T, total, rotations int, grace time.Duration, poll bool) {
	path := filepath.Join(t.TempDir(), "log")
	l := newLogger(t, path)
	defer func() { l.check(l.file.Close()) }()
	n := &numbers{t: t, last: numberLine(total - 1), cfg: tailConfig{Filename: path, PollInterval: grace, Poll: poll}}
	n.follow(func() {
		for i := range rotations {
			l.write(l.rand.IntN((total - l.next) / (rotations - i)))
			l.rotate(i, grace)
			for l.next < total*i/rotations && n.resets.Load() <= int64(i) {
				l.write(10)
			}
			select {
			case <-n.turned:
			case <-time.After(patience):
				t.Errorf("rotation %d is not noticed", i)
				return
			}
		}
		l.write(total - l.next)
	})
	if n.whole != total || n.resets.Load() != int64(rotations) {
		t.Errorf("%d lines and %d resets, want %d and %d", n.whole, n.resets.Load(), total, rotations)
	}
}

func TestW83_RotatedUnderLoad(t *testing.T) {
	for _, poll := range []bool{false, true} {
		rotateUnderLoad(t, 20000, 5, 500*time.Millisecond, poll)
	}
}

func TestSoakFollowTailRotations(t *testing.T) {
	soak(t)
	for _, poll := range []bool{false, true} {
		began := time.Now()
		rotateUnderLoad(t, 1_000_000, 200, 100*time.Millisecond, poll)
		fmt.Printf("1000000 lines through 200 rotations in %v, polling %v: none lost, none twice\n", time.Since(began).Round(time.Millisecond), poll)
	}
}

// TestSoakFollowTailCopyTruncate counts what nobody can help: the lines that are
// cut off before they were read.
func TestSoakFollowTailCopyTruncate(t *testing.T) {
	soak(t)
	const total, rotations = 1_000_000, 200
	for _, behind := range []int64{0, 100, total} {
		path := filepath.Join(t.TempDir(), "log")
		l := newLogger(t, path)
		n := &numbers{t: t, lossy: true, last: numberLine(total - 1), cfg: tailConfig{Filename: path}}
		n.follow(func() {
			for i := range rotations {
				l.write(total / rotations)
				for n.read.Load() < int64(l.next)-behind {
					runtime.Gosched()
				}
				if i < rotations-1 {
					l.copyTruncate(i)
				}
			}
			l.check(l.file.Close())
		})
		fmt.Printf("%d lines, copied and truncated %d times when at most %d were not delivered: %d lost, %d of them cut, %d truncations noticed\n",
			total, rotations-1, behind, total-n.whole, n.cut, n.resets.Load())
		if behind == 0 && n.whole != total {
			t.Errorf("%d lines are missing, though all had been read", total-n.whole)
		}
	}
}

func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes a while; set USHER_SOAK=1")
	}
}
