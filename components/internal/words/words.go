// Package words says quantities as people read them, on status pages and displays.
package words

import (
	"fmt"
	"reflect"
	"time"
)

// none stands for a quantity that there is none of.
const none = "–"

// Ago is how long t is before now; there is none for the zero time.
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return none
	}
	return Lasted(now.Sub(t))
}

// Lasted is a time of seconds or more; less than none is 0.
func Lasted(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// Trip is a round trip.
func Trip(d time.Duration) string {
	switch {
	case d <= 0:
		return none
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Size is a number of bytes, of any integer type.
func Size(n any) string {
	v := reflect.ValueOf(n)
	f := 0.0
	if v.CanInt() {
		f = float64(v.Int())
	} else {
		f = float64(v.Uint())
	}
	switch {
	case f <= 0:
		return none
	case f < 1e3:
		return fmt.Sprintf("%.0f B", f)
	case f < 1e6:
		return fmt.Sprintf("%.1f kB", f/1e3)
	case f < 1e9:
		return fmt.Sprintf("%.1f MB", f/1e6)
	}
	return fmt.Sprintf("%.1f GB", f/1e9)
}

// Grouped has a separator before each three digits of an integer of any type.
func Grouped(n any, separator string) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + separator + s[i:]
	}
	return s
}
