package wheel

import "time"

// mustHold reports whether Put has to wait for the user (W92).
func (r *ReadLine) mustHold() bool {
	if r.get == nil || !r.dev.edits {
		return false
	}
	switch r.cfg.PutMode {
	case PutImmediate:
		return false
	case PutAfter:
		return true
	}
	left := r.idleLeft()
	if left > 0 && len(r.held) == 0 {
		r.wakeIn(left)
	}
	return left > 0
}

// idleLeft is how long the user must still press no key.
func (r *ReadLine) idleLeft() time.Duration {
	last := r.in.lastKey()
	if last.IsZero() {
		return 0
	}
	return r.cfg.IdleTime - time.Since(last)
}

func (r *ReadLine) wakeIn(d time.Duration) {
	if r.idle == nil {
		r.idle = time.AfterFunc(d, r.src.Wake)
	} else {
		r.idle.Reset(d)
	}
}

// showIdle shows what is held if the user pauses, and looks again later if not.
func (r *ReadLine) showIdle() {
	if len(r.held) == 0 || r.cfg.PutMode != PutIdle {
		return
	}
	if left := r.idleLeft(); left > 0 {
		r.wakeIn(left)
		return
	}
	r.showHeld()
}

func (r *ReadLine) showHeld() {
	if len(r.held) > 0 {
		r.read.above(r.held)
		r.held = nil
	}
}
