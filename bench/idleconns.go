package main

import (
	"fmt"
	"time"
)

// idleLoad is idle, with a line.
func idleLoad(s *server) (Runner, func(), error) { return idle(s, (*client).ask) }

// idle makes ops connections, or as many as the server takes, which are silent
// after they have asked once, and weighs the server before and after. A first
// connection comes and goes before that, for what a server loads or allocates once.
func idle(s *server, ask func(*client) error) (Runner, func(), error) {
	var cs []*client
	run := func(ops int) (sample Sample, err error) {
		hangUpAll(cs) // those of the run before
		if s.most > 0 {
			ops = min(ops, s.most)
		}
		if cs, err = connect(s.addr, 1, ask); err != nil {
			return sample, err
		}
		hangUpAll(cs)
		before, err := s.settledMemory()
		if err != nil {
			return sample, err
		}
		if sample, err = s.measure(ops, func() (err error) {
			cs, err = connect(s.addr, ops, ask)
			return err
		}); err != nil {
			return sample, err
		}
		after, err := s.settledMemory()
		sample.Kept = after - before
		return sample, err
	}
	return run, func() { hangUpAll(cs) }, nil
}

// Memory has settled when it stayed the same, but for a little, so many times in
// a row: servers end what they are doing and give memory back in their own time.
const (
	settledLooks = 5
	settledEvery = 20 * time.Millisecond
	settledBytes = 64 << 10
	settledLimit = time.Minute
)

// settledMemory has the server tidy up until its memory stays the same.
func (s *server) settledMemory() (int64, error) {
	return settled(func() (int64, error) {
		if err := s.settle(); err != nil {
			return 0, err
		}
		return residentMemory(s.cmd.Process.Pid)
	})
}

// settled looks until it finds the same.
func settled(memory func() (int64, error)) (int64, error) {
	deadline := time.Now().Add(settledLimit)
	last, same := int64(0), 0
	for time.Now().Before(deadline) {
		now, err := memory()
		if err != nil {
			return 0, err
		}
		if same++; now-last > settledBytes || last-now > settledBytes {
			last, same = now, 1
		}
		if same == settledLooks {
			return now, nil
		}
		time.Sleep(settledEvery)
	}
	return 0, fmt.Errorf("%w: the server's memory still changed after %v; measure on a quiet machine", errSample, settledLimit)
}
