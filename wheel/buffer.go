package wheel

import "sync"

const (
	readSize    = 32 << 10 // what one read may take
	plainRead   = 2 << 10  // the same where a buffer has to wait for its bytes
	scratchSize = 4 << 10
	keepScratch = 64 << 10 // larger ones are left to the garbage collector
)

// readBuffers are borrowed by readers when there is something to read, and given
// back when the owner's filter has it: an idle connection holds none.
var readBuffers = sync.Pool{New: func() any {
	b := make([]byte, readSize)
	return &b
}}

// scratch is what Put encodes into.
var scratch = sync.Pool{New: func() any {
	b := make([]byte, 0, scratchSize)
	return &b
}}

func putScratch(box *[]byte, b []byte) {
	if cap(b) <= keepScratch {
		*box = b[:0]
		scratch.Put(box)
	}
}
