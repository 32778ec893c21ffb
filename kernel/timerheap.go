package kernel

// A heap with four children per node: half as deep as a binary one, and the
// children of a node lie in one cache line.
const arity = 4

func (t *timers) less(a, b int32) bool {
	x, y := t.rec(a), t.rec(b)
	return x.due < y.due || x.due == y.due && x.seq < y.seq
}

func (t *timers) place(pos int, i int32) {
	t.heap[pos] = i
	t.rec(i).pos = int32(pos)
}

func (t *timers) push(i int32) {
	t.heap = append(t.heap, i)
	t.up(len(t.heap)-1, i)
}

// remove takes the timer at pos out.
func (t *timers) remove(pos int32) {
	last := len(t.heap) - 1
	i := t.heap[last]
	t.heap = t.heap[:last]
	if int(pos) != last {
		t.fix(int(pos), i)
	}
}

// fix puts i, whose time may have changed, at or near pos.
func (t *timers) fix(pos int, i int32) {
	if pos > 0 && t.less(i, t.heap[(pos-1)/arity]) {
		t.up(pos, i)
	} else {
		t.down(pos, i)
	}
}

func (t *timers) up(pos int, i int32) {
	for pos > 0 {
		p := (pos - 1) / arity
		if !t.less(i, t.heap[p]) {
			break
		}
		t.place(pos, t.heap[p])
		pos = p
	}
	t.place(pos, i)
}

func (t *timers) down(pos int, i int32) {
	n := len(t.heap)
	for {
		first := pos*arity + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+arity, n); c++ {
			if t.less(t.heap[c], t.heap[least]) {
				least = c
			}
		}
		if !t.less(t.heap[least], i) {
			break
		}
		t.place(pos, t.heap[least])
		pos = least
	}
	t.place(pos, i)
}

// lead notes when the first timer is due, for those who only want to know that.
func (t *timers) lead() {
	due := int64(never)
	if len(t.heap) > 0 {
		due = t.rec(t.heap[0]).due
	}
	if t.next.Load() != due {
		t.next.Store(due)
	}
}
