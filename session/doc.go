// Package session says which handler answers which event.
//
//	const Greet kernel.Event[string] = "greet"
//
//	s := session.New(
//		session.Handle("_start", func(c *kernel.Context) error { return c.AliasSet("host") }),
//		session.On(Greet, func(c *kernel.Context, name string) error {
//			fmt.Println("hello", name)
//			return nil
//		}),
//	)
//	addr, err := k.Spawn(s)
//
// # Which handler
//
// An event goes to the handler that Context.State set for it, else to the one
// the session was made with, else to "_default" with two arguments: the event's
// name and the []any of its arguments. Without any of them it is unhandled: the
// observer hears of a posted one, a caller gets kernel.ErrNoHandler. "_start" is
// never redirected to _default (K73); the kernel's own events need no handler.
//
// # Lifetime and goroutines
//
// A *Session may be spawned more than once: its table is read only, and what its
// handlers share is theirs to guard. Everything else is the kernel's business,
// see the documentation of package kernel.
//
// # Errors
//
// A typed handler whose event came with another type returns an error that wraps
// kernel.ErrArgument. New panics on a table that can only be a mistake: an empty
// name, a nil handler, two handlers for one event.
package session
