package kernel

// idle decides what happens when nothing can run: IDLE once per idle point, and
// ZOMBIE when IDLE was handled but nothing came of it (K41–K43). It is asked
// under the scheduler's lock, when every worker ran dry or the loop is empty. Each
// Run begins anew.
type idle struct {
	told idleVerdict // which signal was sent last, idleWait for none …
	mark uint64      // … when this much work had been done
}

// next returns what to do at an idle point. What comes of IDLE is work, or
// something else to wait for: when that is over, the kernel is idle anew. Work is
// an event or a signal handled, or a session made. The inbox is looked at last:
// who posts and then releases a lease is seen to do so in this order.
func (i *idle) next(k *Kernel, work uint64) idleVerdict {
	switch {
	case k.live.Load() == 0:
		if k.kept.Load() == 0 || k.stopped() {
			return idleDone
		}
		return idleWait
	case k.active.Load() > 0 || k.timers.pending() > 0:
		i.told = idleWait
		return idleWait
	case k.loop != nil && k.loop.inN.Load() > 0: // it may be but a nudge
		return idleWait
	case i.told == idleWait || i.mark != work:
		i.told, i.mark = idleIdle, work
	case i.told == idleIdle:
		i.told = idleZombie
	default: // ZOMBIE stopped everyone; Proto.Actor is still letting somebody go
		return idleWait
	}
	return i.told
}

// awaits reports whether next would only say to wait, because something holds the
// kernel. Whoever ends that has the test made again.
func (k *Kernel) awaits() bool {
	return k.live.Load() > 0 && (k.active.Load() > 0 || k.timers.pending() > 0)
}

type idleVerdict uint8

const (
	idleWait   idleVerdict = iota // something will happen by itself
	idleIdle                      // send IDLE
	idleZombie                    // send ZOMBIE
	idleDone                      // no session is left
)
