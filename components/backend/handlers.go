package backend

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// The connections of all kernels, for All. An entry lives as long as its session.
var (
	connsMu sync.Mutex
	conns   = map[*kernel.Kernel]map[*Conn]bool{}
)

func remember(c *Conn) {
	connsMu.Lock()
	defer connsMu.Unlock()
	if conns[c.k] == nil {
		conns[c.k] = map[*Conn]bool{}
	}
	conns[c.k][c] = true
}

func forget(c *Conn) {
	connsMu.Lock()
	defer connsMu.Unlock()
	delete(conns[c.k], c)
	if len(conns[c.k]) == 0 {
		delete(conns, c.k)
	}
}

// All returns the connections of a kernel that are not closed, by alias: the
// all_handlers of Apache::Backend::POE (B16).
func All(k *kernel.Kernel) []*Conn {
	connsMu.Lock()
	defer connsMu.Unlock()
	return slices.SortedFunc(maps.Keys(conns[k]), func(a, b *Conn) int { return cmp.Compare(a.cfg.Alias, b.cfg.Alias) })
}

type pingPolicy struct {
	alias string
	d     time.Duration
}

// SetPingTimeout changes the ping policy of the connection under an alias ("" is
// "backend"): 0 pings before every message and in every Connect, less than 0
// never, more only when the last access was at least that long ago (B3, B9, B10).
// It also reaches what ConnectOnInit will open. ErrNoConn without such a
// connection.
func SetPingTimeout(k *kernel.Kernel, d time.Duration, alias string) error {
	if err := wanted(k); err != nil {
		return err
	}
	if alias == "" {
		alias = "backend"
	}
	p := pingPolicy{alias, d}
	c, err := connOf(k, alias, visit{})
	switch {
	case err != nil:
		return err
	case c != nil:
		_, err = k.Call(background, c.self, evPolicy.Name(), p)
		return ended(err)
	}
	v, err := k.Call(background, onInitAlias, evPolicy.Name(), p)
	if known, _ := v.(bool); err == nil && known {
		return nil
	}
	return fmt.Errorf("%w: %q", ErrNoConn, alias)
}
