package main

import "time"

func init() {
	timers.register(afterFunc, map[string]Runner{
		"timer-set":         func(ops int) (Sample, error) { return afterFuncSet(0, ops) },
		"timer-set-many":    func(ops int) (Sample, error) { return afterFuncSet(many, ops) },
		"timer-outstanding": afterFuncKept,
		"timer-fire":        afterFuncFire,
	})
}

func nothing() {}

func stopTimers(ts []*time.Timer) {
	for _, t := range ts {
		t.Stop()
	}
}

func afterFuncSet(outstanding, ops int) (Sample, error) {
	ts := make([]*time.Timer, outstanding)
	for i := range ts {
		ts[i] = time.AfterFunc(later(i), nothing)
	}
	defer stopTimers(ts)
	return measure(ops, func() {
		for i := range ops {
			time.AfterFunc(later(i), nothing).Stop()
		}
	}), nil
}

func afterFuncKept(ops int) (Sample, error) {
	ts := make([]*time.Timer, ops)
	defer stopTimers(ts)
	return measureKept(ops, func() {
		for i := range ts {
			ts[i] = time.AfterFunc(later(i), nothing)
		}
	}), nil
}

func afterFuncFire(ops int) (Sample, error) {
	var v volley
	ts := make([]*time.Timer, 0, ops)
	v.load(ops, func(d time.Duration) {
		ts = append(ts, time.AfterFunc(d, v.fired))
	}, func() {
		stopTimers(ts)
		ts = ts[:0]
	})
	return v.fire(ops), nil
}
