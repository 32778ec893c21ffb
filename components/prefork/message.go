package prefork

import (
	"syscall"
	"time"
)

// message is something that happened, told to the table.
type message struct {
	kind messageKind
	at   time.Time // now

	// Which worker, for the kinds that speak of one. A message of an earlier
	// life of the slot comes too late and is ignored.
	slot int
	life uint64

	pid        int       // msgStarted
	state      State     // msgReport: StateIdle, StateBusy or StateDraining
	served     bool      // msgReport: the worker has taken a connection since its start
	beat       time.Time // msgReport: when the worker last showed life; zero: at
	rss        int64     // msgReport: bytes of memory in use; 0: not measured
	generation int       // msgLoadFailed
	cause      error     // msgSpawnFailed, msgLoadFailed, msgUpgraded, msgExited; nil for an exit with status 0
	force      bool      // msgShutdown: do not wait for anybody
}

type messageKind uint8

const (
	msgTick       messageKind = iota // CheckSpares has passed; the first one starts the pool
	msgShutdown                      // a second one forces
	msgReload                        // replace all workers by those of a new program
	msgLoadFailed                    // that program cannot be read
	msgUpgrade                       // replace this master by a new program
	msgUpgraded                      // that one serves, or the cause says why not
	msgMore                          // one worker more
	msgLess                          // one worker less

	// Of one worker.
	msgStarted     // the process exists
	msgSpawnFailed // it could not be created
	msgReport      // by a control message or read off the scoreboard
	msgExited      // the process was reaped
)

// action is something the table wants done, in the order given.
type action struct {
	kind       actionKind
	slot       int
	life       uint64
	generation int            // actSpawn, actLoad, actReloaded: of the program
	pid        int            // actSignal; for the record: signal through the process's handle
	signal     syscall.Signal // actSignal
	err        error          // actDone: why the pool ended; nil when it was asked to. actReloaded: why it failed
}

type actionKind uint8

const (
	actSpawn  actionKind = iota // answered by msgStarted or msgSpawnFailed; ask wants first
	actRetire                   // ask the worker to finish, by a control message (P78)
	actSignal
	actLoad     // read the program of a generation; answered by msgLoadFailed, or not at all
	actReloaded // a reload has ended; with an error, slot and life say whose fault it was
	actSucceed  // start the next master; answered by msgUpgraded
	actUpgraded // an upgrade has ended; without an error the table stops now
	actDone     // the last action of a table
)
