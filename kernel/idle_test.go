package kernel

import "testing"

// The verdicts at a row of idle points, as a table: what the kernel waits for, how
// much work was done, and what is sent (K41–K43).
func TestIdle_K41_K42_K43(t *testing.T) {
	type point struct {
		live, kept, active int64
		work               uint64
		want               idleVerdict
	}
	for name, row := range map[string][]point{
		"nobody":                     {{0, 0, 0, 0, idleDone}},
		"nobody, but a Hold":         {{0, 1, 1, 0, idleWait}, {0, 0, 0, 0, idleDone}},
		"unhandled":                  {{2, 0, 0, 7, idleIdle}, {0, 0, 0, 7, idleDone}},
		"a lease first":              {{2, 0, 1, 7, idleWait}, {2, 0, 0, 7, idleIdle}},
		"handled, nothing came":      {{2, 0, 0, 7, idleIdle}, {2, 0, 0, 7, idleZombie}, {0, 0, 0, 7, idleDone}},
		"handled, work came":         {{2, 0, 0, 7, idleIdle}, {2, 0, 0, 8, idleIdle}, {2, 0, 0, 8, idleZombie}},
		"handled, a lease for while": {{2, 0, 0, 7, idleIdle}, {2, 0, 1, 7, idleWait}, {2, 0, 0, 7, idleIdle}, {2, 0, 0, 7, idleZombie}},
		"an end that takes long":     {{1, 0, 0, 7, idleIdle}, {1, 0, 0, 7, idleZombie}, {1, 0, 0, 7, idleWait}, {1, 0, 0, 7, idleWait}, {0, 0, 0, 7, idleDone}},
	} {
		k := New(Config{})
		for n, p := range row {
			k.live.Store(p.live)
			k.kept.Store(p.kept)
			k.active.Store(p.active)
			if got := k.idle.next(k, p.work); got != p.want {
				t.Errorf("%s: verdict %d is %v, want %v", name, n, got, p.want)
			}
		}
	}
}
