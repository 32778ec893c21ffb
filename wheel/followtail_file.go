package wheel

import (
	"bytes"
	"errors"
	"io"
	"syscall"
)

// knownBytes is how much of what was read is compared with the file again, to see
// that it still is the same (W85).
const knownBytes = 256

// followID tells two files apart as long as one of them is open.
type followID struct{ dev, ino uint64 }

// followed is a regular file that is read from a position on.
type followed struct {
	file interface {
		io.ReaderAt
		io.Closer
	}
	id    followID
	at    int64
	known []byte // the last bytes before at
}

// learn reads the bytes before the first position.
func (f *followed) learn() error {
	f.known = make([]byte, min(f.at, knownBytes))
	_, err := f.file.ReadAt(f.known, f.at-int64(len(f.known)))
	if err == io.EOF { // cut since its size was asked for
		f.rewind()
		return nil
	}
	return err
}

// look reads up to room bytes behind the position to the start of buf, which has
// room for knownBytes more. changed: the bytes before it are others, or gone.
func (f *followed) look(buf []byte, room int) (n int, changed bool, err error) {
	known := len(f.known)
	buf = buf[:known+room]
	n, err = f.file.ReadAt(buf, f.at-int64(known))
	switch {
	case errors.Is(err, syscall.ESTALE): // NFS: the server has dropped the file
		return 0, false, nil
	case err != nil && err != io.EOF:
		return 0, false, err
	case n < known || !bytes.Equal(buf[:known], f.known):
		return 0, true, nil
	}
	return copy(buf, buf[known:n]), false, nil
}

// passed moves the position behind p.
func (f *followed) passed(p []byte) {
	f.at += int64(len(p))
	p = p[max(0, len(p)-knownBytes):]
	f.known = append(f.known, p...)
	f.known = append(f.known[:0], f.known[max(0, len(f.known)-knownBytes):]...)
}

func (f *followed) rewind() { f.at, f.known = 0, f.known[:0] }
