package kernel

// runQueue is a FIFO of sessions whose turn has come. It keeps its memory.
type runQueue struct {
	q []*session
	r int // the first that is left
}

func (q *runQueue) len() int { return len(q.q) - q.r }

func (q *runQueue) push(s *session) { q.q = append(q.q, s) }

// pop returns nil when the queue is empty.
func (q *runQueue) pop() *session {
	if q.r == len(q.q) {
		return nil
	}
	s := q.q[q.r]
	q.q[q.r] = nil
	q.r++
	switch {
	case q.r == len(q.q):
		q.q, q.r = q.q[:0], 0
	case q.r >= 1024 && q.r*2 >= len(q.q):
		n := copy(q.q, q.q[q.r:])
		clear(q.q[n:])
		q.q, q.r = q.q[:n], 0
	}
	return s
}
