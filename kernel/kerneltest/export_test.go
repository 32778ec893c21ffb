package kerneltest

import "time"

// SetPatience shortens the wait for goroutines that will never end.
func SetPatience(d time.Duration) (restore func()) {
	was := patience
	patience = d
	return func() { patience = was }
}
