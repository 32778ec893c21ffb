package kernel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AliasSet gives this session one more name. Setting its own again does nothing
// (K112); ErrAliasTaken names the owner otherwise. An alias keeps the session
// from being collected, but not from IDLE (K44).
func (c *Context) AliasSet(name string) error {
	c.check()
	if err := checkAlias(name); err != nil {
		return c.refuse("AliasSet", err)
	}
	return c.refuse("AliasSet", c.k.aliasSet(c.s, name))
}

// AliasRemove takes a name back: ErrNoSession when nobody has it, ErrAliasTaken
// when another session does (K114).
func (c *Context) AliasRemove(name string) error {
	c.check()
	d := &c.k.dir
	d.aliasMu.Lock()
	owner := d.aliases[name]
	if owner == c.s {
		d.drop(c.s, name)
	}
	d.aliasMu.Unlock()
	switch owner {
	case c.s:
		c.s.gen.Add(1)
		c.s.letGo(HoldAlias, name)
		return nil
	case nil:
		return c.refuse("AliasRemove", fmt.Errorf("alias %q: %w", name, ErrNoSession))
	}
	return c.refuse("AliasRemove", fmt.Errorf("alias %q: %w by session %v", name, ErrAliasTaken, owner.addr))
}

// AliasList returns this session's aliases, sorted (K116).
func (c *Context) AliasList() []string { c.check(); return c.k.aliasesOf(c.s) }

func checkAlias(name string) error {
	if name == "" || strings.HasPrefix(name, "#") || strings.Contains(name, "@") {
		return fmt.Errorf("%w: alias %q; want a name that is not empty, does not start with '#' and has no '@'", ErrArgument, name)
	}
	return nil
}

func (k *Kernel) aliasSet(s *session, name string) error {
	d := &k.dir
	d.aliasMu.Lock()
	defer d.aliasMu.Unlock()
	switch owner := d.aliases[name]; owner {
	case s:
		return nil
	case nil:
	default:
		return fmt.Errorf("alias %q: %w by session %v", name, ErrAliasTaken, owner.addr)
	}
	if d.aliases == nil {
		d.aliases = make(map[string]*session)
		d.sites = make(map[string]*site)
	}
	d.aliases[name] = s
	if at := k.site(); at != nil {
		d.sites[name] = at
	}
	s.aliases = append(s.aliases, name)
	s.hold(HoldAlias, name)
	return nil
}

// drop is called with the lock.
func (d *directory) drop(s *session, name string) {
	delete(d.aliases, name)
	delete(d.sites, name)
	s.aliases = slices.DeleteFunc(s.aliases, func(a string) bool { return a == name })
}

func (k *Kernel) aliasesRemoveAll(s *session) {
	d := &k.dir
	d.aliasMu.Lock()
	names := s.aliases
	for _, name := range names {
		delete(d.aliases, name)
		delete(d.sites, name)
	}
	s.aliases = nil
	d.aliasMu.Unlock()
	for _, name := range names {
		s.letGo(HoldAlias, name)
	}
}

func (k *Kernel) aliasesOf(s *session) []string {
	k.dir.aliasMu.RLock()
	defer k.dir.aliasMu.RUnlock()
	return slices.Sorted(slices.Values(s.aliases))
}

// Aliases returns every session's aliases, sorted.
func (k *Kernel) Aliases() []string {
	k.dir.aliasMu.RLock()
	defer k.dir.aliasMu.RUnlock()
	return slices.Sorted(maps.Keys(k.dir.aliases))
}
