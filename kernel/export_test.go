package kernel

// Self is the identity of the calling goroutine.
func Self() uintptr { return self() }

// AlwaysDebug: the tests were built with the tag usherdebug.
const AlwaysDebug = alwaysDebug

// WaitingCalls counts the calls that wait for a busy session.
func (k *Kernel) WaitingCalls() int {
	if l := k.loop; l != nil {
		return int(l.token.waiting.Load())
	}
	k.calls.mu.Lock()
	defer k.calls.mu.Unlock()
	n := 0
	for _, list := range k.calls.waiters {
		n += len(list)
	}
	return n
}

// Leftovers counts what must be zero when no session is left.
func (k *Kernel) Leftovers() map[string]int {
	left := map[string]int{
		"live":   int(k.live.Load()),
		"active": int(k.active.Load()),
		"timers": int(k.timers.pending()),
		"heap":   len(k.timers.heap),
	}
	for i := range k.dir.ids {
		left["ids"] += len(k.dir.ids[i].m)
	}
	left["aliases"] = len(k.dir.aliases)
	left["tree"] = len(k.tree.childrenOf(k.root))
	left["root holds"] = int(k.root.holds.Load()) - 1
	left["waiters"] = len(k.calls.waiters)
	left["chains"] = len(k.calls.chains)
	k.leases.mu.Lock()
	left["leases"] = len(k.leases.of)
	k.leases.mu.Unlock()
	left["watchers"] = len(k.signals.watchers)
	left["walks"] = len(k.signals.walks)
	for name, n := range left {
		if n == 0 {
			delete(left, name)
		}
	}
	return left
}

// WallDrift is the drift after each alarm that is set by wall time, of which each
// takes one or two readings.
func WallDrift(readings ...int64) []int64 {
	var d drift
	var after []int64
	for len(readings) > 0 {
		after = append(after, int64(d.next(func() drift {
			r := readings[0]
			readings = readings[1:]
			return drift(r)
		})))
	}
	return after
}

// WorkWaits reports whether kernel work stands at the head of a session's queue.
func (k *Kernel) WorkWaits(a Address) bool {
	s := k.dir.find(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.front) > 0
}
