package wheel

import (
	"sync"

	"github.com/usher-go/usher/kernel"
)

// spool is what a FollowTail's goroutine has read and the owner's filter does not
// have yet, within credit. The goroutine never waits here: it is told to come back.
type spool struct {
	src  *kernel.Source
	kick chan struct{} // there is room again

	mu      sync.Mutex
	credit  int     // how many bytes may be read and not yet dealt with
	debt    int     // how many are
	fed     int     // how many of them the filter has; the owner's
	data    []byte  // read, not fed
	box     *[]byte // data's storage, from the pool
	over    error   // this is all, and why
	paused  bool
	starved bool // the goroutine found no room
}

// room is how much may be read now; less than 0 when something has to be told first.
func (s *spool) room() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over != nil:
		s.starved = true
		return -1
	case !s.allowed():
		s.starved = true
		return 0
	}
	return s.credit - s.debt
}

func (s *spool) allowed() bool { return !s.paused && s.debt < s.credit }

// put takes the first n bytes of a box, and the box.
func (s *spool) put(box *[]byte, n int) {
	s.mu.Lock()
	if s.data == nil {
		s.data, s.box = (*box)[:n], box
	} else { // many small pieces must not keep many large buffers
		s.data = append(s.data, (*box)[:n]...)
		readBuffers.Put(box)
	}
	s.debt += n
	s.mu.Unlock()
	s.src.Wake()
}

// end says why no more comes.
func (s *spool) end(why error) {
	s.mu.Lock()
	s.over = why
	s.mu.Unlock()
	s.src.Wake()
}

// refill is for the owner's turn when its filter has no further record: what the
// filter was fed is paid back, and what came since is fed. False: nothing came.
func (s *spool) refill(f feeder) bool {
	s.mu.Lock()
	s.debt -= s.fed
	data, box := s.data, s.box
	s.data, s.box = nil, nil
	s.fed = len(data)
	s.call()
	s.mu.Unlock()
	if box == nil {
		return false
	}
	f.feed(data)
	readBuffers.Put(box)
	return true
}

// call has the goroutine come back, if it left for lack of room.
func (s *spool) call() {
	if s.starved && s.over == nil && s.allowed() {
		s.starved = false
		tell(s.kick)
	}
}

// ended returns why this is all, once everything before that was taken.
func (s *spool) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data != nil {
		return nil
	}
	return s.over
}

// reopen takes the end back.
func (s *spool) reopen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = nil
	s.call()
}

func (s *spool) pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
	s.call()
}

// tell sends word to who may have been told already.
func tell(kick chan struct{}) {
	select {
	case kick <- struct{}{}:
	default:
	}
}
