package prefork

// more keeps one idle worker more from now on, and starts it. As many as
// maxClients, and no more, may be kept idle.
func (t *table) more() {
	if t.stopping || t.minSpare >= t.maxClients {
		return
	}
	t.minSpare++
	if t.maxSpare != Unlimited {
		t.maxSpare++
	}
	if t.room(t.count()) > 0 && t.boots.failures == 0 {
		t.spawn(t.generation)
	}
}

// less keeps one idle worker less from now on, and asks the oldest to retire if
// that leaves enough. At least one is kept.
func (t *table) less() {
	if t.stopping || min(t.minSpare, t.maxClients) <= 1 {
		return
	}
	t.minSpare = min(t.minSpare, t.maxClients) - 1
	if t.maxSpare != Unlimited {
		t.maxSpare--
	}
	if idle := t.idle(); len(idle) > t.minSpare && !t.reload.active {
		t.retire(idle[0])
	}
}
