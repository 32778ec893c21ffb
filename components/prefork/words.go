//go:build unix

package prefork

import (
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// What master and worker tell each other over the control socket: event frames,
// as between any two kernels. None has arguments, and a frame of another name is
// ignored, so that a newer master and an older worker get along.
const (
	wordReady  = "ready"  // worker: it accepts
	wordRetire = "retire" // master: finish what you have and leave
	wordDrain  = "drain"  // worker: it accepts no more and will leave (P19, P66)
	wordSlow   = "slow"   // worker: it was silent for longer than SoftTimeout
	wordReopen = "reopen" // master: call Config.Reopen
)

// maxWord bounds a frame.
const maxWord = 4 << 10

// The events of a control socket's wheel.
const (
	evWord kernel.Event[filter.Frame] = "word"
	evMute kernel.Event[error]        = "mute" // the other side is gone
)

type controlWheel = wheel.ReadWrite[filter.Frame, filter.Frame]

// newControl puts a wheel on one end of a control socket.
func newControl(c *kernel.Context, conn net.Conn) (*controlWheel, error) {
	f, err := filter.NewEvent(filter.EventConfig{MaxFrame: maxWord})
	if err != nil {
		return nil, err
	}
	return wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[filter.Frame, filter.Frame]{
		Filter: f, InputEvent: evWord, CloseEvent: evMute,
	})
}
