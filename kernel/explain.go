package kernel

import (
	"fmt"
	"slices"
	"strings"
)

// Explain says what holds a session, one cause per line: the answer to "why is
// it still alive?". In parallel mode it is a glimpse of something that moves.
func (k *Kernel) Explain(a Address) string {
	s := k.dir.find(a)
	if s == nil {
		return fmt.Sprintf("%v: no such session", a)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "session %s\n", s.describe())
	say := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }

	for _, name := range k.aliasesOf(s) {
		say("alias %q (against collection, not against IDLE)", name)
	}
	k.tree.Lock()
	for c := s.firstChild; c != nil; c = c.nextSibling {
		say("child %v", c.addr)
	}
	k.tree.Unlock()
	k.timers.mu.Lock()
	var due []string
	k.timers.each(s, func(_ int32, r *timerRec) {
		t := k.timers.describe(r)
		due = append(due, fmt.Sprintf("timer %q in %v", t.Event, t.Due.Sub(k.clock.now())))
	})
	k.timers.mu.Unlock()
	for _, line := range slices.Sorted(slices.Values(due)) {
		say("%s", line)
	}
	for _, tag := range slices.Sorted(slices.Values(k.leases.tags(s))) {
		say("lease %q", tag)
	}
	if x := s.failure(); x != nil {
		say("its supervisor, which has not decided yet about: %v", x)
	}
	k.explainQueue(s, say)
	s.mu.Lock()
	if s.stopping {
		say("nothing: it is stopping")
	}
	s.mu.Unlock()
	say("%d holds in all (aliases, children, timers, leases, watching wheels, processes, its creator)", s.holds.Load())
	return b.String()
}

// explainQueue tells of events on their way to s and from it. What the token
// guards is read only where the token can be had at once.
func (k *Kernel) explainQueue(s *session, say func(string, ...any)) {
	if l := k.loop; l != nil {
		if !l.token.tryLock() {
			say("(the kernel is busy: its queue cannot be seen)")
			return
		}
		defer l.token.unlock()
		l.merge()
		say("%d events queued for it, %d it sent queued for others", s.pending, s.sent)
		return
	}
	st := s.state.Load()
	if st&bHeld != 0 {
		say("a handler of it runs, or its queue is being worked off")
	} else if st&(bQueued|bInbox|bFront) != 0 {
		say("events queued for it")
	}
	if st&bAcks != 0 {
		say("events it sent are queued for others")
	}
}

// Sessions lists the live sessions' IDs, parents before their children: for
// reports, together with Explain.
func (k *Kernel) Sessions() []Address {
	var list []Address
	for _, s := range slices.Backward(k.tree.below(k.root)) {
		if s != k.root {
			list = append(list, s.addr)
		}
	}
	return list
}
