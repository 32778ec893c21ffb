package cluster

import (
	"encoding"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
)

// Kind is a sort of session that is found by a key, such as "user" for one session per
// user. All nodes that offer kinds offer the same ones: whichever owns a key runs it.
type Kind struct {
	// Name stands in front of the key: "user" for "user/42@owner". Letters, digits,
	// '.', '_' and '-'.
	Name string

	// New makes the session for a key, when its first event comes. It must be quick,
	// and must not block; what takes time belongs into _start. A _start that fails
	// ends the session without a _stop, and costs the events that wait for it; the
	// next event begins anew. A handler that fails, or panics, ends its session alone,
	// which is reported (Kernel.Report); there is no DIE.
	New func(Key) kernel.Receiver

	// Idle is how long a session without events is kept. Then it ends, unless a timer
	// or something else holds it; its next event starts it again. 0: until its key
	// moves, or it stops itself.
	Idle time.Duration

	// Supervise is the policy of kernel.Supervise: a session whose handler fails is
	// restarted, with what New makes. Nil: it ends, and its next event begins anew.
	Supervise actor.SupervisorStrategy

	// Options are for its spawn: QueueLimit, Args. Not kernel.Supervise, which would
	// put another receiver into the place of the guarded one.
	Options []kernel.SpawnOption
}

// Key is which session one is.
type Key struct {
	Kind string
	Key  string

	// Epoch is the fencing token: it grows whenever the key's owner changes. A storage
	// that refuses writes with a lower one than it has seen is safe from an owner that
	// was paused in the middle of a handler and does not know yet that it is none.
	Epoch uint64
}

// Place is the address of the session for a key, good on every node: "user/42@owner". It
// is started by its first event, on the node that owns the key, and runs there until that
// node gives the key up, leaves or is lost; then its next event starts another one
// elsewhere. What it should remember it has to store.
//
// A key is a string, an integer, or has MarshalText or String; anything else is a panic.
// It may have any bytes, and must have 1 to 1024: a post to another one is
// kernel.ErrArgument. With kernels, which have to be nodes, Place also has the session
// started now.
//
// A post to it that was accepted is handled at most once, in order; while no node owns the
// key it waits, for at most Config.CallTimeout. No event is begun after the owner's lease
// has ended, so there is never a second one at work: an event that comes too late is
// reported as lost, and is ErrNotOwner for a caller. What happens inside a handler that
// is under way then is for Key.Epoch to tell. What stands in the queue of a session that
// ends itself, or fails, is reported as lost, as with any session.
//
// Sessions for keys come and go: Node.Hold takes no such address, and Context.Monitor only
// where the session runs; elsewhere it is kernel.ErrArgument.
//
// A call goes to the owner at once, ahead of events that wait, and may be made in any
// handler. One that nobody takes for Config.CallTimeout is kernel.ErrTimeout, and
// ErrNotOwner or kernel.ErrNoNode besides; what a handler returned is never taken for
// that, and no call is handled twice. A session that calls itself by its key is
// re-entered as with its ID; in parallel mode, in its _start and while its shard moves,
// that is kernel.ErrDeadlock instead.
func Place(kind string, key any, k ...*kernel.Kernel) kernel.Address {
	a := kernel.Address(kind + "/" + keyText(key) + "@" + ownerNode)
	for _, k := range k {
		_ = k.Post(a, evBegin)
	}
	return a
}

// evBegin only has a session started.
const evBegin = "usher.begin"

// maxKey is how long a key may be, in bytes.
const maxKey = 1 << 10

func keyText(key any) string {
	text := ""
	switch v := key.(type) {
	case string:
		text = v
	case encoding.TextMarshaler:
		b, err := v.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("cluster: Place: key %v: %v", key, err))
		}
		text = string(b)
	case fmt.Stringer:
		text = v.String()
	default:
		switch r := reflect.ValueOf(key); {
		case r.Kind() == reflect.String || r.CanInt() || r.CanUint():
			text = fmt.Sprint(key)
		default:
			panic(fmt.Sprintf("cluster: Place: a key is a %T; want a string, an integer, or a type with MarshalText or String", key))
		}
	}
	return url.QueryEscape(text) // no '@', no '/', nothing that is not UTF-8
}

// keyOf takes "user/42" apart. A key has one path: what reads the same and is written
// otherwise would be a second session for it.
func keyOf(path kernel.Address) (kind, key string, err error) {
	kind, text, ok := strings.Cut(string(path), "/")
	if ok && checkName(kind) == nil && text != "" && len(text) <= 3*maxKey {
		if key, err = url.QueryUnescape(text); err == nil && len(key) <= maxKey && url.QueryEscape(key) == text {
			return kind, key, nil
		}
	}
	return "", "", fmt.Errorf("%w: %.64q; want what Place returns, for a kind with a name and a key of 1 to %d bytes", kernel.ErrArgument, string(path), maxKey)
}

func checkKinds(kinds []Kind) error {
	seen := map[string]bool{}
	for i, k := range kinds {
		field := fmt.Sprintf("Kinds[%d]", i)
		switch {
		case checkName(k.Name) != nil:
			return bad(field, "has the name %q; want 1 to %d letters, digits, '.', '_' and '-'", k.Name, maxNameLength)
		case k.New == nil:
			return bad(field, "(%s) has no New; give it a function that makes the session", k.Name)
		case k.Idle < 0:
			return bad(field, "(%s) has Idle %v; want 0 for ever, or more", k.Name, k.Idle)
		case seen[k.Name]:
			return bad(field, "is a second one of name %q", k.Name)
		}
		seen[k.Name] = true
	}
	return nil
}

// KeyStatus is a session that runs here for its key.
type KeyStatus struct {
	Kind  string         `json:"kind"`
	Key   string         `json:"key"`
	Shard int            `json:"shard"`
	Epoch uint64         `json:"epoch"`
	ID    kernel.Address `json:"id"`
	Since time.Time      `json:"since"`
}

// errNotOwner says that an event or a call was not begun and may be sent again. Outside
// of this package it is ErrNotOwner, so that no handler's error can pass for it.
var errNotOwner = fmt.Errorf("%w of its key", ErrNotOwner)

// elsewhere reports whether an event that a node did not take may be sent again: it was
// not handled. A node's own word is errNotOwner; ErrNoNode must be this node's.
func elsewhere(err error) bool {
	if errors.Is(err, errNotOwner) {
		return true
	}
	var there *NodeError
	return errors.Is(err, kernel.ErrNoNode) && !errors.As(err, &there) && !errors.Is(err, ErrUnknownOutcome)
}
