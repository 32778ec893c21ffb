package wheel_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// Where the system refuses to tell, polling does, and somebody is told once.
func TestFollowTail_FallsBackToPolling(t *testing.T) {
	restore := wheel.FailNotifications(fmt.Errorf("too many: %w", syscall.EMFILE))
	defer restore()
	var mu sync.Mutex
	var said []string
	observer := strict(t)
	observer.Reported = func(component, cause string, err error) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf("%s: %s: %v", component, cause, err))
	}
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) {
			k := kernel.New(kernel.Config{Mode: mode, Observer: observer})
			path := filepath.Join(t.TempDir(), "log")
			f := follow(t, k, tailConfig{Filename: path, PollInterval: 5 * time.Millisecond})
			for i := range 3 {
				write(t, path, "one\n")
				f.want([]string{"reset appeared", "reset replaced", "reset replaced"}[i], "one")
				rename(t, path, path+".1")
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	want := "FollowTail: no notifications about a followed file; polling instead: too many: " + syscall.EMFILE.Error()
	if len(said) != 2 || said[0] != want || said[1] != want {
		t.Errorf("reported %q, want twice %q: once for each wheel", said, want)
	}
}

// What may pass is waited for, and reported once: a link that leads nowhere.
func TestFollowTail_WaitsForWhatMayPass(t *testing.T) {
	var mu sync.Mutex
	var said []string
	observer := strict(t)
	observer.Reported = func(_, cause string, _ error) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, cause)
	}
	k := kernel.New(kernel.Config{Observer: observer})
	path := filepath.Join(t.TempDir(), "log")
	f := newFollower(t, tailConfig{Filename: path, PollInterval: 5 * time.Millisecond, Poll: true})
	f.cfg.IdleEvent = idle
	f.start(k)
	link(t, path, path+".round")
	link(t, path+".round", path)
	waitFor(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(said) > 0 }, "nothing is reported")
	for len(f.said) > 0 {
		<-f.said
	}
	f.want("idle", "idle") // looked again twice, and not reported again
	f.do(func(*kernel.Context) { f.ft.PauseInput() })
	for len(f.said) > 0 {
		<-f.said
	}
	write(t, path+".new", "one\n")
	rename(t, path+".new", path)
	f.do(func(*kernel.Context) { f.ft.ResumeInput() })
	for got := range f.said {
		if got == "reset appeared" {
			break
		} else if got != "idle" {
			t.Fatalf("told %q", got)
		}
	}
	f.want("one")
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 1 || said[0] != "a followed file cannot be opened now; it is tried again" {
		t.Errorf("reported %q", said)
	}
}

// Each wheel takes its names back: those of one directory are one watch.
func TestFollowTail_SharesAWatch(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		fa := follow(t, k, tailConfig{Filename: a, PollInterval: never})
		var fb *wheel.FollowTail[string]
		fa.do(func(c *kernel.Context) {
			cfg := fa.cfg
			cfg.Filename = b
			var err error
			if fb, err = wheel.NewFollowTail(c, cfg); err != nil {
				t.Error(err)
			}
		})
		watch := func(dirs, names int) {
			t.Helper()
			waitFor(t, func() bool { d, n := wheel.Watching(); return d == dirs && n == names },
				fmt.Sprintf("not %d directories and %d names are watched", dirs, names))
		}
		watch(1, 2)
		fa.do(func(*kernel.Context) { fb.Close() })
		watch(1, 1)
		write(t, a, "still told\n")
		fa.want("reset appeared", "still told")
		fa.do(func(*kernel.Context) { fa.ft.Close() })
		watch(0, 0)
	})
}
