package kernel

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// tokenMutex is the one token of a serial kernel. It is re-entrant: a handler
// that uses the Kernel's own Spawn or Call, where the Context's would be usual,
// runs them nested instead of waiting for itself.
type tokenMutex struct {
	mu      sync.Mutex
	waiting atomic.Int32
	holder  atomic.Uint64 // goroutine ID
	nested  int
}

func (t *tokenMutex) lock() {
	id := goroutineID()
	if t.holder.Load() == id {
		t.nested++
		return
	}
	t.waiting.Add(1)
	t.mu.Lock()
	t.waiting.Add(-1)
	t.holder.Store(id)
}

func (t *tokenMutex) unlock() {
	if t.nested > 0 {
		t.nested--
		return
	}
	t.holder.Store(0)
	t.mu.Unlock()
}

// held reports whether the current goroutine has the token.
func (t *tokenMutex) held() bool { return t.holder.Load() == goroutineID() }

// busy reports whether another goroutine has it.
func (t *tokenMutex) busy() bool { h := t.holder.Load(); return h != 0 && h != goroutineID() }

// yield lets a waiting goroutine have the token for a while.
func (t *tokenMutex) yield() {
	if t.waiting.Load() == 0 {
		return
	}
	id := t.holder.Load()
	t.holder.Store(0)
	t.mu.Unlock()
	runtime.Gosched()
	t.mu.Lock()
	t.holder.Store(id)
}

// goroutineID parses what the runtime prints; about a microsecond, and only on
// the way into the kernel from outside.
func goroutineID() uint64 {
	var buf [64]byte
	b := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	if i := bytes.IndexByte(b, ' '); i > 0 {
		b = b[:i]
	}
	id, _ := strconv.ParseUint(string(b), 10, 64)
	return id
}
