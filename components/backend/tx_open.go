package backend

import "sync"

// openTx counts the transactions that are open over one connection. Those of an
// older one were rolled back when it broke.
type openTx struct {
	mu    sync.Mutex
	epoch uint64
	n     int
}

func (o *openTx) begun(epoch uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if epoch > o.epoch {
		o.epoch, o.n = epoch, 0
	}
	if epoch == o.epoch {
		o.n++
	}
}

func (o *openTx) ended(epoch uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if epoch == o.epoch {
		o.n--
	}
}

// count is how many are open over the connection of an epoch, if it stands.
func (o *openTx) count(epoch uint64, stands bool) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !stands || epoch != o.epoch {
		return 0
	}
	return o.n
}
