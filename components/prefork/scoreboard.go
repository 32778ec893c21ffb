//go:build unix

package prefork

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	boardMagic   = 0x6472_616f_4272_7355 // "UsrBoard" in memory order on little-endian machines
	boardVersion = 2
	lineSize     = 128 // two cache lines: some processors fetch them in pairs, and two workers never write to the same ones
)

// header is the scoreboard's first line.
type header struct {
	magic, version, slots, since atomic.Uint64
	_                            [12]uint64
}

// line is one worker's part of the scoreboard. Only that worker writes to it
// while it lives, only the master before and after. Each field is one atomic
// word: a worker killed at any point leaves every field old or new, never torn.
type line struct {
	state, pid, life, connections, requests, started, changed, beat atomic.Uint64
	generation, said                                                atomic.Uint64
	text                                                            [maxSaid / 8]atomic.Uint64 // said bytes of it
}

var (
	_ [lineSize]byte = [unsafe.Sizeof(header{})]byte{}
	_ [lineSize]byte = [unsafe.Sizeof(line{})]byte{}
)

// scoreboard is memory that the master and its workers share (P12). No lock
// guards it. It may be read from any goroutine.
type scoreboard struct {
	file  *os.File // what workers inherit
	head  *header
	lines []line
	clock clock
}

// createScoreboard makes an empty scoreboard for so many workers, at most
// maxSlots. The memory has no name: it ends with the last process that maps
// it, however that ends (P38).
func createScoreboard(slots int) (*scoreboard, error) {
	if slots < 1 || slots > maxSlots {
		return nil, fmt.Errorf("%w: %d slots; want 1 to %d", ErrScoreboard, slots, maxSlots)
	}
	size := lineSize * (1 + slots)
	f, err := sharedFile(int64(size))
	if err != nil {
		return nil, fmt.Errorf("%w: %w; free some memory or file space", ErrScoreboard, err)
	}
	data, err := mapShared(f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	h := headerOf(data)
	h.version.Store(boardVersion)
	h.slots.Store(uint64(slots))
	h.magic.Store(boardMagic)
	b, err := newScoreboard(f, data)
	if err != nil {
		f.Close()
		return nil, err
	}
	h.since.Store(b.clock.encode(time.Now()))
	return b, nil
}

// since is when the scoreboard was made.
func (b *scoreboard) since() time.Time {
	t := b.clock.decode(b.head.since.Load())
	runtime.KeepAlive(b)
	return t
}

// mapScoreboard maps the scoreboard in f, which it keeps. A file that is not a
// scoreboard of this version gives ErrScoreboard, and stays open.
func mapScoreboard(f *os.File) (*scoreboard, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w; %s", ErrScoreboard, err, sameBinary)
	}
	size := info.Size()
	if size < 2*lineSize || size > lineSize*(1+maxSlots) || size%lineSize != 0 {
		return nil, fmt.Errorf("%w: a file of %d bytes; %s", ErrScoreboard, size, sameBinary)
	}
	data, err := mapShared(f, int(size))
	if err != nil {
		return nil, err
	}
	h := headerOf(data)
	magic, version, slots := h.magic.Load(), h.version.Load(), h.slots.Load()
	switch {
	case magic != boardMagic:
		err = fmt.Errorf("%w: it begins with %#x; %s", ErrScoreboard, magic, sameBinary)
	case version != boardVersion:
		err = fmt.Errorf("%w: version %d, want %d; %s", ErrScoreboard, version, boardVersion, sameBinary)
	case slots != uint64(size/lineSize-1):
		err = fmt.Errorf("%w: %d slots in %d bytes; %s", ErrScoreboard, slots, size, sameBinary)
	}
	if err != nil {
		_ = unix.Munmap(data)
		return nil, err
	}
	return newScoreboard(f, data)
}

// sameBinary is the remedy for what only another program can have made.
const sameBinary = "let the workers be started by the master of the same program"

// newScoreboard takes data over. Its memory is given back when nothing can reach
// the scoreboard any more, and not by hand: a status page may still be reading
// from another goroutine, and a late reader would crash the process.
func newScoreboard(f *os.File, data []byte) (*scoreboard, error) {
	c, err := newClock()
	if err != nil {
		_ = unix.Munmap(data)
		return nil, fmt.Errorf("%w: no monotonic clock: %w; use a system that has one", ErrScoreboard, err)
	}
	b := &scoreboard{
		file:  f,
		head:  headerOf(data),
		lines: unsafe.Slice((*line)(unsafe.Pointer(&data[lineSize])), len(data)/lineSize-1),
		clock: c,
	}
	runtime.AddCleanup(b, func(data []byte) { _ = unix.Munmap(data) }, data)
	return b, nil
}

func headerOf(data []byte) *header { return (*header)(unsafe.Pointer(&data[0])) }

func mapShared(f *os.File, size int) ([]byte, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%w: mmap: %w; %s", ErrScoreboard, err, sameBinary)
	}
	return data, nil
}

// close closes the file. The memory stays readable.
func (b *scoreboard) close() error { return b.file.Close() }
