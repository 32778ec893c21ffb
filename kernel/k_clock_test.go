package kernel_test

import (
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Alarms of one time come in the order in which they were set, whether that time
// is the kernel's own or one from a wall clock, which has to be converted.
func TestK107_K108_EqualTimes(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		at := k.Now().Add(5 * time.Millisecond)
		const alarms = 1000
		var got [3][]int
		for i, at := range []time.Time{at, at.Round(0), at.Round(0).In(time.FixedZone("far east", 9*3600))} {
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					for n := range alarms {
						c.AlarmAdd("x", at, n)
					}
					return nil
				},
				"x": func(c *kernel.Context) error {
					if got[i] = append(got[i], c.Arg(0).(int)); c.Now().Before(at) {
						t.Errorf("%v early", at.Sub(c.Now()))
					}
					return nil
				},
			})
		}
		k.run()
		for i := range got {
			if len(got[i]) != alarms || !slices.IsSorted(got[i]) {
				t.Errorf("session %d: %d alarms, in order: %v", i, len(got[i]), slices.IsSorted(got[i]))
			}
		}
	})
}

// The drift between the clocks, reading by reading: jitter makes it smaller at
// most, so that later alarms do not overtake; a clock that was set, or a computer
// that slept, moves it either way; one wild reading does not.
func TestK109_WallClockDrift(t *testing.T) {
	const ms, hour = int64(time.Millisecond), int64(time.Hour)
	for name, tc := range map[string]struct{ readings, want []int64 }{
		"none":         {[]int64{0, 0}, []int64{0, 0}},
		"jitter":       {[]int64{-50, 0, -20, -80, -1}, []int64{-50, -50, -50, -80, -80}},
		"interrupted":  {[]int64{-5 * ms, 0, -3}, []int64{0, -3}}, // the second reading is of the first alarm
		"slept":        {[]int64{-20, hour, hour - 7, hour - 5}, []int64{-20, hour, hour - 5}},
		"set back":     {[]int64{10, -hour, -hour, -hour + 9}, []int64{0, -hour, -hour}},
		"slewed ahead": {[]int64{ms / 2, ms, ms + 1, ms + 2, ms + 3}, []int64{0, 0, ms + 2, ms + 2}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kernel.WallDrift(tc.readings...); !slices.Equal(got, tc.want) {
				t.Errorf("readings %v: got %v, want %v", tc.readings, got, tc.want)
			}
		})
	}
}
