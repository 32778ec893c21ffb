package main

import (
	"cmp"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// postSelf posts to the current session, alias "self".
type postSelf func(c *kernel.Context, t *token) error

func init() {
	for peer, post := range map[string]func() postSelf{
		byYield: func() postSelf { return usherPass.Yield },
		byID: func() postSelf {
			return func(c *kernel.Context, t *token) error { return usherPass.Post(c, c.Self(), t) }
		},
		byAlias: func() postSelf {
			return func(c *kernel.Context, t *token) error { return usherPass.Post(c, "self", t) }
		},
		byString: postByString,
	} {
		addresses.register(peer, map[string]Runner{
			"self-post":        func(ops int) (Sample, error) { return usherSelf(kernel.Parallel, post(), ops) },
			"self-post-serial": func(ops int) (Sample, error) { return usherSelf(kernel.Serial, post(), ops) },
		})
	}
}

// postByString has names as they come from a configuration or a peer: equal to
// the alias, and another string each time. They exist before; to make one is not
// the kernel's cost.
func postByString() postSelf {
	var names [64]kernel.Address
	for i := range names {
		names[i] = kernel.Address(strings.Clone("self"))
	}
	i := 0
	return func(c *kernel.Context, t *token) error {
		i++
		return usherPass.Post(c, names[i%len(names)], t)
	}
}

func usherSelf(mode kernel.Mode, post postSelf, ops int) (Sample, error) {
	u := runKernel(kernel.Config{Mode: mode})
	at := u.spawn(session.New(session.On(usherPass, func(c *kernel.Context, t *token) error {
		if !t.step() {
			return nil
		}
		return post(c, t)
	})), kernel.Alias("self"))
	t := newToken(ops)
	var err error
	s := measure(ops, func() {
		if err = usherPass.PostFrom(u.Kernel, at, t); err == nil {
			<-t.done
		}
	})
	return s, cmp.Or(err, u.stop())
}
