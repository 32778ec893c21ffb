package main

import "sync"

func channelRings(r rings, ops int) (Sample, error) {
	var ended sync.WaitGroup
	var boxes []chan any
	first := make([]chan any, r.rings)
	for i := range first {
		ring := channelRing(&ended, r.members)
		first[i] = ring[0]
		boxes = append(boxes, ring...)
	}
	ts := r.tokens(ops)
	s := measure(ops, func() {
		for i, t := range ts {
			first[i] <- t
		}
		waitFor(ts)
	})
	for _, box := range boxes {
		close(box)
	}
	ended.Wait()
	return s, nil
}

// channelRing starts a goroutine for each member. Who sends to itself needs room
// for what it sends.
func channelRing(ended *sync.WaitGroup, members int) []chan any {
	boxes := make([]chan any, members)
	for i := range boxes {
		boxes[i] = make(chan any)
		if members == 1 {
			boxes[i] = make(chan any, 1)
		}
	}
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
	return boxes
}
