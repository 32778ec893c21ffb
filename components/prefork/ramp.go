package prefork

// rampMost is where Apache's prefork stops doubling.
const rampMost = 32

// ramp limits growth: 1, 2, 4 … 32 workers an interval, so that a burst does
// not turn into as many processes. The zero value lets nothing pass until the
// first interval.
type ramp struct {
	rate, left int
	short      bool // this interval's budget was not enough
}

// interval begins a new budget.
func (r *ramp) interval() {
	if r.short {
		r.rate = min(max(2*r.rate, 1), rampMost)
	} else {
		r.rate = 1
	}
	r.left, r.short = r.rate, false
}

// grant returns how many of want may be had now.
func (r *ramp) grant(want int) int {
	r.short = r.short || want > r.left
	return min(want, r.left)
}

// replace adds room for the successor of a worker that served: keeping the
// number of workers is not growth.
func (r *ramp) replace(most int) { r.left = min(r.left+1, most) }
