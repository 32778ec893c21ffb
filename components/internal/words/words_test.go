package words

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, c := range [][2]string{
		{Ago(time.Time{}, now), "–"},
		{Ago(now.Add(time.Second), now), "0.0 s"},
		{Ago(now.Add(-1290*time.Millisecond), now), "1.2 s"},
		{Lasted(10*time.Second - 1), "9.9 s"},
		{Lasted(time.Minute - 1), "59 s"},
		{Lasted(119 * time.Second), "1 min"},
		{Lasted(47 * time.Hour), "47 h"},
		{Lasted(49 * time.Hour), "2 d"},
		{Trip(0), "–"},
		{Trip(999 * time.Microsecond), "999 µs"},
		{Trip(1500 * time.Microsecond), "1.5 ms"},
		{Trip(2 * time.Second), "2.0 s"},
		{Size(0), "–"},
		{Size(uint64(999)), "999 B"},
		{Size(int64(1000)), "1.0 kB"},
		{Size(1_250_000), "1.2 MB"},
		{Size(uint64(1) << 63), "9223372036.9 GB"},
		{Grouped(0, ","), "0"},
		{Grouped(uint64(1234567), ","), "1,234,567"},
		{Grouped(-123, ","), "-123"},
		{Grouped(-1234, "'"), "-1'234"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
}
