package prefork

import (
	"syscall"
	"time"
)

// message is something that happened, told to the table.
type message struct {
	kind messageKind
	at   time.Time // now; never earlier than the message before

	// Which worker, for all kinds but msgTick and msgShutdown. A message of an
	// earlier generation comes too late and is ignored.
	slot       int
	generation uint64

	pid    int       // msgStarted
	state  State     // msgReport: StateIdle, StateBusy or StateDraining
	served bool      // msgReport: the worker has taken a connection since its start
	beat   time.Time // msgReport: when the worker last showed life; zero: at
	cause  error     // msgSpawnFailed, msgExited; nil for an exit with status 0
	force  bool      // msgShutdown: do not wait for anybody
}

type messageKind uint8

const (
	msgTick        messageKind = iota // CheckSpares has passed; the first one starts the pool
	msgStarted                        // the process exists
	msgSpawnFailed                    // it could not be created
	msgReport                         // by a control message or read off the scoreboard
	msgExited                         // the process was reaped
	msgShutdown                       // a second one forces
)

// action is something the table wants done, in the order given.
type action struct {
	kind       actionKind
	slot       int
	generation uint64
	pid        int            // actSignal; for the record: signal through the process's handle
	signal     syscall.Signal // actSignal
	err        error          // actDone: why the pool ended; nil when it was asked to
}

type actionKind uint8

const (
	actSpawn  actionKind = iota // answered by msgStarted or msgSpawnFailed; ask wants first
	actRetire                   // ask the worker to finish, by a control message (P78)
	actSignal
	actDone // the last action of a table
)
