package wheel

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// terminals are the devices that have a ReadLine: two would steal each other's keys
// and modes (W94).
var terminals = struct {
	sync.Mutex
	taken map[any]claim
}{taken: make(map[any]claim)}

type claim struct {
	dev   *device
	wheel kernel.WheelID
}

func (d *device) claim(id kernel.WheelID) error {
	if d.id == nil {
		return nil
	}
	terminals.Lock()
	defer terminals.Unlock()
	if other, ok := terminals.taken[d.id]; ok {
		return fmt.Errorf("wheel: NewReadLine: %w: wheel %d; Close that one first, or have its session read for both", ErrTerminalTaken, other.wheel)
	}
	terminals.taken[d.id] = claim{d, id}
	return nil
}

// close gives the claim up; nothing is read any more.
func (d *device) close() {
	terminals.Lock()
	if terminals.taken[d.id].dev == d {
		delete(terminals.taken, d.id)
	}
	terminals.Unlock()
	d.keys.stop()
	d.drop()
}

// drop leaves the terminal alone: another wheel may be reading it.
func (d *device) drop() {
	if f, ok := d.keys.(*fileKeys); ok {
		f.close()
	}
}

// RestoreTerminals gives every terminal that a ReadLine has put into raw mode its old
// mode back. It is for what ends the process without ending its sessions: before
// os.Exit, deferred where a goroutine may panic. It may be called on any goroutine.
func RestoreTerminals() {
	terminals.Lock()
	defer terminals.Unlock()
	for _, c := range terminals.taken {
		_ = c.dev.setRaw(false)
	}
}

// A terminal is the same under several names and descriptors if its device number
// is; a file if its inode is.
type (
	ttyID  struct{ rdev uint64 }
	nodeID struct{ dev, ino uint64 }
)

func fileID(f *os.File) (any, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return f, nil
	case info.Mode()&os.ModeCharDevice != 0:
		return ttyID{uint64(stat.Rdev)}, nil
	}
	return nodeID{uint64(stat.Dev), stat.Ino}, nil
}

// streamID is nil for what cannot be compared.
func streamID(rw io.ReadWriter) any {
	if !reflect.ValueOf(rw).Comparable() {
		return nil
	}
	return rw
}
