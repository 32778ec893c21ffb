package kernel

import "testing"

// Each find pays for two more looks, a hundred at most, and nothing else does.
func TestLinger_IsPaidForByFinds(t *testing.T) {
	for finds, want := range map[int]int{0: 0, 1: 2, 7: 14, 50: 100, 51: 100, 1000: 100} {
		var l linger
		for range finds {
			l.found()
		}
		got := 0
		for l.again() {
			got++
		}
		if got != want {
			t.Errorf("%d finds pay for %d looks, want %d", finds, got, want)
		}
	}
}
