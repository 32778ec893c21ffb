package kernel

import (
	"strconv"
	"sync"
	"unsafe"
)

// Address names a session: its ID ("#42"), an alias ("logger"), or an alias on
// another node ("logger@node-2"). The empty address is the kernel: it sends the
// kernel's own events, takes signals for everyone, and takes no posts.
//
// IDs are never reused (G8). An address that was resolved once stays cheap to
// post to: the sender remembers it until the session stops or the alias moves.
type Address string

func (a Address) String() string {
	if a == "" {
		return "kernel"
	}
	return string(a)
}

// id returns the number of an ID address.
func (a Address) id() (uint64, bool) {
	if len(a) < 2 || a[0] != '#' || len(a) > 20 {
		return 0, false
	}
	var n uint64
	for i := 1; i < len(a); i++ {
		d := a[i] - '0'
		if d > 9 || a[1] == '0' {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

func addressOf(id uint64) Address {
	return Address(strconv.AppendUint([]byte{'#'}, id, 10))
}

func sameData(a, b string) bool {
	return len(a) == len(b) && unsafe.StringData(a) == unsafe.StringData(b)
}

// directory finds sessions by ID and by alias.
type directory struct {
	ids     [64]idShard
	aliasMu sync.RWMutex
	aliases map[string]*session
	sites   map[string]*site // Config.Debug: where they were set
}

type idShard struct {
	sync.RWMutex
	m map[uint64]*session
}

func (d *directory) shard(id uint64) *idShard { return &d.ids[id%uint64(len(d.ids))] }

func (d *directory) add(s *session) {
	sh := d.shard(s.id)
	sh.Lock()
	if sh.m == nil {
		sh.m = make(map[uint64]*session)
	}
	sh.m[s.id] = s
	sh.Unlock()
}

func (d *directory) remove(s *session) {
	sh := d.shard(s.id)
	sh.Lock()
	delete(sh.m, s.id)
	sh.Unlock()
}

// find resolves an ID first, then an alias (K48).
func (d *directory) find(a Address) *session {
	if n, ok := a.id(); ok {
		sh := d.shard(n)
		sh.RLock()
		s := sh.m[n]
		sh.RUnlock()
		return s
	}
	d.aliasMu.RLock()
	s := d.aliases[string(a)]
	d.aliasMu.RUnlock()
	return s
}

// routes remembers where a session's last addresses led. An entry holds the
// canonical string (the session's own copy of its ID or alias), so a hit is two
// comparisons of words; it is good while its target's generation stands, which
// moves when the target stops or gives up an alias.
type routes [4]route

type route struct {
	addr   string
	target *session
	gen    uint32
}

func (r *routes) slot(a string) *route {
	return &r[(uintptr(unsafe.Pointer(unsafe.StringData(a)))>>4^uintptr(len(a)))%uintptr(len(r))]
}

// resolve finds the session that a names, or nil.
func (c *Context) resolve(a Address) *session {
	s := c.s
	if sameData(string(a), string(s.addr)) {
		return s
	}
	if r := s.routes; r != nil {
		e := r.slot(string(a))
		if e.target != nil && sameData(e.addr, string(a)) && e.target.gen.Load() == e.gen {
			return e.target
		}
	}
	return c.resolveSlow(a)
}

func (c *Context) resolveSlow(a Address) *session {
	t := c.k.dir.find(a)
	if t == nil {
		return nil
	}
	gen := t.gen.Load()
	if canonical := t.canonical(string(a)); canonical != "" && c.k.dir.find(a) == t {
		if c.s.routes == nil {
			c.s.routes = new(routes)
		}
		*c.s.routes.slot(canonical) = route{canonical, t, gen}
	}
	return t
}

// canonical returns a if it is the very string by which the session is
// registered. Strings made on the way (parsed, received from a peer) are not:
// they would push the useful ones out and keep their buffers alive.
func (s *session) canonical(a string) string {
	if sameData(a, string(s.addr)) {
		return a
	}
	s.k.dir.aliasMu.RLock()
	defer s.k.dir.aliasMu.RUnlock()
	for _, al := range s.aliases {
		if sameData(al, a) {
			return a
		}
	}
	return ""
}
