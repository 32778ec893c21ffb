package kernel

// idle decides what happens when nothing can run: IDLE once per idle point, and
// ZOMBIE when IDLE was handled but nothing came of it (K41–K43). It is asked
// under the scheduler's lock, when every worker ran dry or the loop is empty. Each
// Run begins anew.
type idle struct {
	told bool   // IDLE was sent …
	mark uint64 // … when this much work had been done
}

// next returns what to do at an idle point.
func (i *idle) next(k *Kernel, work uint64) idleVerdict {
	switch {
	case k.live.Load() == 0:
		if k.kept.Load() == 0 || k.stopped() {
			return idleDone
		}
		return idleWait
	case k.active.Load() > 0 || k.timers.pending() > 0:
		return idleWait
	case i.told && i.mark == work:
		return idleZombie
	}
	i.told, i.mark = true, work
	return idleIdle
}

type idleVerdict uint8

const (
	idleWait   idleVerdict = iota // something will happen by itself
	idleIdle                      // send IDLE
	idleZombie                    // send ZOMBIE
	idleDone                      // no session is left
)
