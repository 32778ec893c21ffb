package main

import "sync"

func init() {
	messaging.register(channel, map[string]Runner{
		"flood":   channelStream,
		"window":  channelStream, // a buffered channel is a window
		"call":    channelCall,
		"fan-out": channelFanOut,
		"spawn":   func(ops int) (Sample, error) { return channelSpawn(measure, ops) },
	})
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

func channelFanOut(ops int) (Sample, error) {
	boxes := make([]chan any, fanSize)
	var ended sync.WaitGroup
	for i := range boxes {
		boxes[i] = make(chan any, windowSize)
		ended.Go(func() {
			for range share(ops, fanSize, i) {
				<-boxes[i]
			}
		})
	}
	event := new(token)
	return measure(ops, func() {
		for i := range ops {
			boxes[i%fanSize] <- event
		}
		ended.Wait()
	}), nil
}

func channelSpawn(measure meter, ops int) (Sample, error) {
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
