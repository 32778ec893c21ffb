package cluster

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		l := &callLimit{at: begun.Add(time.Second)}
		defer l.end()
		if err := l.Err(); err != nil {
			t.Errorf("before its time: %v", err)
		}
		<-l.Done()
		if passed := time.Since(begun); passed != time.Second || l.Err() != context.DeadlineExceeded {
			t.Errorf("done after %v with %v; want a second and DeadlineExceeded", passed, l.Err())
		}
		for _, waited := range []bool{false, true} {
			l := &callLimit{at: time.Now().Add(time.Hour)}
			if waited {
				l.Done()
			}
			l.end()
			<-l.Done()
		}
	})
}
