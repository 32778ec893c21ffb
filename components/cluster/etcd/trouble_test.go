package etcd

import (
	"context"
	"errors"
	"testing"
)

func TestTroubles_EachCauseOnce(t *testing.T) {
	down, full := understand("x", context.DeadlineExceeded), errors.New("full")
	s := troubles{}
	for i, step := range []struct {
		at   place
		err  error
		tell bool
	}{
		{atRegistry, down, true},
		{atRegistry, understand("y", context.DeadlineExceeded), false},
		{atWatch, down, false}, // the same everywhere
		{atRegistry, full, true},
		{atRegistry, down, false}, // still known from the watch
		{atWatch, nil, false},
		{atRegistry, nil, false},
		{atShards, full, true}, // all was well in between
		{atRegistry, nil, false},
		{atShards, full, false},
	} {
		if got := s.note(step.at, step.err); got != step.tell {
			t.Errorf("step %d: %v", i, got)
		}
	}
}
