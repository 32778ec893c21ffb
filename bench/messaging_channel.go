package main

import "sync"

func init() {
	messaging.register(channel, map[string]Runner{
		"yield":     channelYield,
		"flood":     channelStream,
		"window":    channelStream, // a buffered channel is a window
		"ping-pong": func(ops int) (Sample, error) { return channelRing(ops*2, 2, ops) },
		"ring":      func(ops int) (Sample, error) { return channelRing(ops, ringSize, ops) },
		"call":      channelCall,
		"spawn":     channelSpawn,
	})
}

func channelYield(ops int) (Sample, error) {
	self := make(chan any, 1)
	t := newToken(ops)
	return measure(ops, func() {
		self <- t
		for (<-self).(*token).step() {
			self <- t
		}
	}), nil
}

func channelStream(ops int) (Sample, error) {
	box := make(chan any, windowSize)
	event := new(token)
	return measure(ops, func() {
		go func() {
			for range ops {
				box <- event
			}
		}()
		for range ops {
			<-box
		}
	}), nil
}

// channelRing passes a token hops times round a ring of goroutines and counts
// that as ops operations.
func channelRing(hops, members, ops int) (Sample, error) {
	boxes := make([]chan any, members)
	for i := range boxes {
		boxes[i] = make(chan any)
	}
	var ended sync.WaitGroup
	for i, in := range boxes {
		out := boxes[(i+1)%members]
		ended.Go(func() {
			for event := range in {
				if event.(*token).step() {
					out <- event
				}
			}
		})
	}
	t := newToken(hops)
	s := measure(ops, func() {
		boxes[0] <- t
		<-t.done
	})
	for _, box := range boxes {
		close(box)
	}
	ended.Wait()
	return s, nil
}

type channelRequest struct {
	event any
	reply chan any
}

// channelCall makes a reply channel for each request, as a caller does who
// cannot know that it is alone.
func channelCall(ops int) (Sample, error) {
	requests := make(chan channelRequest)
	var ended sync.WaitGroup
	ended.Go(func() {
		for r := range requests {
			r.reply <- r.event
		}
	})
	event := new(token)
	s := measure(ops, func() {
		for range ops {
			r := channelRequest{event, make(chan any, 1)}
			requests <- r
			<-r.reply
		}
	})
	close(requests)
	ended.Wait()
	return s, nil
}

func channelSpawn(ops int) (Sample, error) {
	boxes := make([]chan any, ops)
	var started, ended sync.WaitGroup
	started.Add(ops)
	s := measure(ops, func() {
		for i := range boxes {
			box := make(chan any, 1)
			boxes[i] = box
			ended.Go(func() {
				started.Done()
				for range box {
				}
			})
		}
		started.Wait()
	})
	for _, box := range boxes {
		close(box)
	}
	ended.Wait()
	return s, nil
}
