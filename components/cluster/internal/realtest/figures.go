//go:build linux

package realtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// figures are how long keys took to answer, by what had happened.
type figures struct {
	order []string
	of    map[string][]time.Duration
}

func (f *figures) add(what string, d time.Duration) time.Duration {
	if f.of == nil {
		f.of = map[string][]time.Duration{}
	}
	if f.of[what] == nil {
		f.order = append(f.order, what)
	}
	f.of[what] = append(f.of[what], d)
	return d
}

func (f *figures) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "keys answered after (seconds)%12s min  median     max\n", "")
	for _, what := range f.order {
		list := f.of[what]
		slices.Sort(list)
		fmt.Fprintf(&s, "  %-30s %5d x %7.3f %7.3f %7.3f\n", what, len(list), list[0].Seconds(), list[len(list)/2].Seconds(), list[len(list)-1].Seconds())
	}
	return s.String()
}
