package kernel

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Explain says what holds a session, one cause per line: the answer to "why is
// it still alive?". For the empty address it says what keeps Run from returning.
// With Config.Debug each line ends with where the thing was made. In parallel
// mode it is a glimpse of something that moves.
func (k *Kernel) Explain(a Address) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	s := k.dir.find(a)
	switch {
	case a == "":
		b.WriteString("kernel\n")
		k.explainKernel(say)
	case s == nil:
		fmt.Fprintf(&b, "%v: no such session", a)
	default:
		fmt.Fprintf(&b, "session %s%s\n", s.describe(), s.made())
		k.explainSession(s, say)
	}
	return b.String()
}

func (k *Kernel) explainKernel(say func(string, ...any)) {
	for _, line := range k.held.lines() {
		say("%s", line)
	}
	if n := len(k.Sessions()); n > 0 {
		say("sessions alive: %d", n)
	}
}

func (k *Kernel) explainSession(s *session, say func(string, ...any)) {
	lists := [][]string{k.aliasLines(s), k.tree.lines(s), k.timers.lines(s), k.leases.lines(s), s.wheelLines(), k.procs.lines(s)}
	for _, line := range slices.Concat(lists...) {
		say("%s", line)
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
}

func (k *Kernel) aliasLines(s *session) []string {
	k.dir.aliasMu.RLock()
	defer k.dir.aliasMu.RUnlock()
	var list []string
	for _, name := range s.aliases {
		list = append(list, fmt.Sprintf("alias %q (against collection, not against IDLE)%s", name, k.dir.sites[name].made()))
	}
	slices.Sort(list)
	return list
}

func (t *tree) lines(s *session) []string {
	t.Lock()
	defer t.Unlock()
	var list []string
	for c := s.firstChild; c != nil; c = c.nextSibling {
		list = append(list, fmt.Sprintf("child %v%s", c.addr, c.made()))
	}
	return list
}

func (t *timers) lines(s *session) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	t.each(s, func(_ int32, r *timerRec) {
		due := t.k.start.Add(time.Duration(r.due))
		list = append(list, fmt.Sprintf("timer %q in %v%s", r.name, due.Sub(t.k.clock.now()), r.made.made()))
	})
	slices.Sort(list)
	return list
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
