package kernel

import "time"

// AfterFunc calls f once after d, by the kernel's clock, unless stop is called
// first; stop reports whether it came in time. It is for those who write wheels
// and networks: f must not block, and should do no more than call Source.Wake or
// change what a wheel's turn will find.
//
// With real time f runs on a goroutine of its own, as with time.AfterFunc. In
// simulated mode it runs between two events, in order of time with the kernel's
// timers, and both AfterFunc and stop belong in a handler, a wheel's turn, another
// such function, or where nothing runs. What is pending keeps a kernel that has
// sessions from being idle, but holds none of them.
func (k *Kernel) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	if k.cfg.Mode != Simulated {
		return time.AfterFunc(d, f).Stop
	}
	t := &k.timers
	due := later(k.clock.elapsed(), max(int64(d), 0))
	t.mu.Lock()
	id, _ := t.add(k.root, &event{a: [2]any{f}}, due, nil)
	t.mu.Unlock()
	k.root.holds.Add(1)
	t.n.Add(1)
	return func() bool {
		t.mu.Lock()
		i, r := t.find(k.root, id)
		if r == nil {
			t.mu.Unlock()
			return false
		}
		t.end(i)
		t.mu.Unlock()
		t.over(k.root, 1)
		return true
	}
}

// call runs a function of AfterFunc whose time has come.
func (t *timers) call(ev *event) {
	if t.claim(t.k.root, ev) {
		f := ev.a[0].(func())
		*ev = event{}
		f()
	}
}
