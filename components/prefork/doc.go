// Package prefork keeps a set of worker processes on shared listeners.
//
// Go cannot fork, so a worker is the same program executed again. It inherits
// three kinds of descriptors from the process that started it, the master:
// the listeners, a scoreboard in shared memory, and one end of a control
// socket. Everything that stands in main before the pool is made runs in every
// process; [IsChild] tells the two kinds apart.
//
// # Example
//
//	cfg := prefork.Config{
//		Name:            "web",
//		Listen:          []string{"tcp://127.0.0.1:8080", "unix:///run/web.sock?mode=0660"},
//		MinSpareServers: 5,
//		MaxClients:      100,
//	}
//	if !prefork.IsChild() {
//		log.Println("master is", os.Getpid())
//	}
//
// # When to use it
//
// Worker processes isolate a crash, a leak or a blocking C library to the few
// connections of one process, and each has a garbage collector of its own. A
// server that needs none of this is simpler and faster as one process.
//
// # Behaviour
//
// Numbers are those of the list of behaviours that the package follows.
//
//   - The master opens the listeners before it starts anybody, and never
//     accepts on them (P10, P57).
//   - StartServers workers are started at first, and again whenever none is left
//     (P75). Growth towards MinSpareServers is judged at every event and every
//     CheckSpares; it is doubled from 1 to 32 workers an interval while the last
//     interval's were not enough (P79). Workers still starting count as spare,
//     and all living ones count against MaxClients, draining ones too (P48, P78).
//   - More than MaxSpareServers idle workers are asked to retire, oldest first
//     (P76), by a message and never by a signal (P78); only the intervals judge
//     that, so a short lull costs no worker.
//   - A worker that has accepted MaxRequests connections finishes what it has
//     and leaves; its replacement does not wait for the growth limit (P66).
//   - A worker that dies before it served anybody and within two seconds of
//     being ready is a failed start. After one, a single worker is tried at a
//     time, after a delay that doubles from 250 ms to 30 s, less up to half of it
//     at random. Ten failed starts in a row end the pool with [ErrGaveUp],
//     also when others still serve: those would run out one by one (P57).
//   - With a Timeout, a worker silent for longer gets SIGABRT, on which a Go
//     program prints its stacks and exits, and SIGKILL after Grace (P80, P82).
//   - Shutdown asks every worker to finish, sends SIGTERM to those that are not
//     yet listening for messages, SIGKILL after Grace, and waits until each was
//     reaped (P82, P85). A second shutdown sends SIGKILL at once.
//   - Workers are in process groups of their own, so that a terminal's interrupt
//     reaches the master alone, which passes it on as a message. A worker sees
//     its master's death as the end of the control socket (P86).
//   - A stale socket file is removed only if it is a socket and nobody answers on
//     it; the master removes its own when it closes (P72).
//
// # Errors
//
// [*ConfigError] names a field, its value and what to write instead.
// [*ListenError] names an address that could not be opened. [ErrGaveUp],
// [ErrSpawn], [ErrInheritance] and [ErrScoreboard] are matched with errors.Is.
//
// # Limits
//
// Linux and other Unix systems; on Linux the scoreboard is a sealed memfd, which
// no process can shrink under the others, elsewhere an unlinked file. Without a
// Timeout nobody ends a worker that hangs, be it while it starts, works or
// drains. Two masters that find the same stale socket file at the same moment
// may both remove it. A worker is started in the master's current directory
// with the master's arguments.
package prefork
