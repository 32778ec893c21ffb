package wheel

import (
	"errors"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// keySource is where a ReadLine's bytes come from.
type keySource interface {
	// read waits for bytes; without bytes and error it was woken.
	read(p []byte) (int, error)
	wake()
	// stop ends a read, now or later, and takes nothing from then on.
	stop()
}

// errGivenUp ends the reading of a line that nobody wants any more.
var errGivenUp = errors.New("wheel: the line is not wanted any more")

// inlet reads for one Get after the other, and can be interrupted.
type inlet struct {
	src   keySource
	id    kernel.WheelID
	full  func() bool   // too much output waits
	poked chan struct{} // look at full again
	buf   [4 << 10]byte

	mu      sync.Mutex
	last    time.Time // of this Get's last key
	err     *Error    // why there is no more
	givenUp bool
}

func (in *inlet) init(src keySource, id kernel.WheelID, full func() bool) {
	in.src, in.id, in.full = src, id, full
	in.poked = make(chan struct{}, 1)
}

// begin is for a new Get.
func (in *inlet) begin() {
	in.mu.Lock()
	in.last = time.Time{}
	in.mu.Unlock()
}

// read returns the next bytes, valid until the next read, or none when it was
// woken; and at the end errGivenUp or an *Error. No echo is made that the
// terminal does not take: then nothing is read.
func (in *inlet) read() ([]byte, error) {
	for {
		if err := in.over(); err != nil {
			return nil, err
		}
		if !in.full() {
			break
		}
		<-in.poked
	}
	n, err := in.src.read(in.buf[:])
	in.mu.Lock()
	defer in.mu.Unlock()
	if err != nil {
		in.err = &Error{Op: "read", Err: err, Wheel: in.id}
	}
	return in.buf[:n], nil
}

// over returns why there is nothing more to read.
func (in *inlet) over() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.givenUp:
		return errGivenUp
	case in.err != nil:
		return in.err
	}
	return nil
}

// press notes that a byte is used now, and reports whether it may be.
func (in *inlet) press() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.last = time.Now()
	return !in.givenUp
}

// giveUp ends the Get that reads, and all later ones.
func (in *inlet) giveUp() {
	in.mu.Lock()
	in.givenUp = true
	in.mu.Unlock()
	in.poke()
	in.src.stop()
}

func (in *inlet) poke() {
	select {
	case in.poked <- struct{}{}:
	default:
	}
}

func (in *inlet) lastKey() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.last
}
