package httpd

import "time"

// meter makes a rate of two readings of numbers that only grow, as long as the worker
// lives whose they are.
type meter struct {
	at   time.Time
	seen map[uint64]uint64 // requests, by life and slot
	rate float64
	over float64
}

// read returns requests per second and how many seconds they are an average of. What
// comes within a second of the last reading gets the same answer.
func (m *meter) read(st Status) (rate, over float64) {
	now := map[uint64]uint64{}
	var since uint64
	for _, w := range st.Workers {
		key := w.Life<<16 | uint64(w.Slot)
		now[key] = w.Requests
		since += w.Requests - min(w.Requests, m.seen[key])
	}
	begin := m.at
	if begin.IsZero() {
		begin = st.Since
	}
	d := st.Time.Sub(begin).Seconds()
	if d < 1 && m.over > 0 {
		return m.rate, m.over
	}
	if d > 0 {
		m.rate, m.over = float64(since)/d, d
	}
	m.at, m.seen = st.Time, now
	return m.rate, m.over
}
