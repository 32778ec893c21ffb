package main

import (
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	run := func(load func(*sync.WaitGroup) (end func()), start func(chan<- *probe, *probes) error) Runner {
		return func(ops int) (Sample, error) { return channelLatency(load, start, ops) }
	}
	latency.register(channel, map[string]Runner{
		"busy-post":     run(channelBusy, channelSends),
		"busy-timer":    run(channelBusy, channelTimers),
		"blocked-post":  run(channelBlocked, channelSends),
		"blocked-timer": run(channelBlocked, channelTimers),
	})
}

func channelSends(box chan<- *probe, ps *probes) error {
	return ps.send(func(p *probe) error { box <- p; return nil })
}

func channelTimers(box chan<- *probe, ps *probes) error {
	ps.set(func(d time.Duration, p *probe) { time.AfterFunc(d, func() { box <- p }) })
	return nil
}

func channelLatency(load func(*sync.WaitGroup) (end func()), start func(chan<- *probe, *probes) error, ops int) (Sample, error) {
	ps := newProbes(ops)
	box := make(chan *probe, windowSize)
	var ended sync.WaitGroup
	ended.Go(func() {
		for range ops {
			ps.handled(<-box)
		}
	})
	end := load(&ended)
	s, err := ps.measure(func() error { return start(box, ps) })
	end()
	ended.Wait()
	return s, err
}

func channelBusy(ended *sync.WaitGroup) (end func()) {
	var over atomic.Bool
	for range busyMembers() {
		ended.Go(func() {
			self := make(chan any, 1)
			for event := any(new(token)); !over.Load(); event = <-self {
				self <- event
			}
		})
	}
	return func() { over.Store(true) }
}

func channelBlocked(ended *sync.WaitGroup) (end func()) {
	over := make(chan struct{})
	for range blockedMembers {
		ended.Go(func() { <-over })
	}
	return func() { close(over) }
}
