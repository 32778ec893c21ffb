package wheel

import (
	"strings"
	"testing"
)

// TestW83_ActTable: every view has exactly one row, and the act that row says.
func TestW83_ActTable(t *testing.T) {
	rows := []struct {
		view string // open, changed, end, next, quiet; ? is either
		act  followAct
	}{
		{"0??0?", followWait}, // W82
		{"0??1?", followTake},
		{"11???", followRewind}, // W86
		{"100??", followRead},   // the rest of the old file first
		{"1010?", followWait},   // unlinking alone is nothing
		{"10110", followWait},   // somebody may still have it open
		{"10111", followTake},
	}
	for bits := range 32 {
		is := func(i int) bool { return bits>>(4-i)&1 == 1 }
		v := followView{open: is(0), changed: is(1), end: is(2), next: is(3), quiet: is(4)}
		matched := 0
		for _, r := range rows {
			if strings.IndexFunc("01234", func(i rune) bool {
				c := r.view[i-'0']
				return c != '?' && is(int(i-'0')) != (c == '1')
			}) >= 0 {
				continue
			}
			if matched++; v.act() != r.act {
				t.Errorf("%+v: act %d, want %d by row %s", v, v.act(), r.act, r.view)
			}
		}
		if matched != 1 {
			t.Errorf("%+v: %d rows", v, matched)
		}
	}
}
