package prefork

import "time"

const (
	// A worker that lives this long after it was ready has started well.
	defaultYouth = 2 * time.Second

	// So many failed starts in a row end the pool, after about 90 s of trying.
	defaultFailedBoots = 10
)

// backoff is the delay after the first failed start, doubled for each further
// one up to the most.
type backoff struct{ first, most time.Duration }

var defaultBackoff = backoff{250 * time.Millisecond, 30 * time.Second}

func (b backoff) after(failures int) time.Duration {
	d := b.first
	for range failures - 1 {
		if d >= b.most {
			break
		}
		d *= 2
	}
	return min(d, b.most)
}

// boots counts failed starts in a row and says when to try again, so that a
// program that cannot start does not start hundreds of times a second (P57).
type boots struct {
	failures  int
	notBefore time.Time
}

// failed counts one more; jitter in [0,1) spreads the tries of several pools.
func (b *boots) failed(now time.Time, back backoff, jitter float64) {
	b.failures++
	delay := back.after(b.failures)
	b.notBefore = now.Add(delay - time.Duration(jitter*float64(delay/2)))
}

// allow returns how many of want may be started while so many workers that were
// started before have yet to show that they can.
func (b *boots) allow(want, unproved int, now time.Time) int {
	switch {
	case b.failures == 0:
		return want
	case unproved > 0 || now.Before(b.notBefore):
		return 0
	}
	return min(want, 1)
}
