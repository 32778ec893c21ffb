// Package prefork keeps a set of worker processes on shared listeners.
//
// Go cannot fork, so a worker is the same program executed again. It inherits
// three kinds of descriptors from the process that started it, the master:
// the listeners, a scoreboard in shared memory, and one end of a control
// socket. Everything that stands in main before [New] runs in every process;
// [IsChild] tells the two kinds apart. In a worker New does not return.
//
// # Example
//
//	k := kernel.New(kernel.Config{})
//	pool, err := prefork.New(k, prefork.Config{
//		Name:   "web",
//		Listen: []string{"tcp://127.0.0.1:8080", "unix:///run/web.sock?mode=0660"},
//		Server: func(c *kernel.Context, w *prefork.Worker) error { // in each worker
//			at, err := c.Spawn(session.New(session.On(GotConn, serveConn)))
//			w.Serve(at, GotConn)
//			return err
//		},
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Println(pool.Addrs()) // the master alone gets here
//	err = k.Run(context.Background())
//
// The example of New is a whole server.
//
// # When to use it
//
// Worker processes isolate a crash, a leak or a blocking C library to the few
// connections of one process, and each has a garbage collector of its own. A
// server that needs none of this is simpler and faster as one process.
//
// # Lifetime
//
// The master's session, whose alias is Config.Name, holds its kernel until the
// pool has ended: by [Pool.Shutdown], by INT or TERM, or because no worker would
// start. Whatever ends that session or its kernel ends the workers: they get a
// second to finish, then SIGKILL, and the kernel waits for that. A worker's
// kernel runs until the worker leaves; nothing in it needs to be told.
//
// # Events
//
// Every connection comes as the event that Config.Server gave to [Worker.Serve],
// posted to the session it named, with a net.Conn as its argument (or from Accept of
// [Worker.Listener], for servers that are no sessions). It belongs to
// that session, and closing it makes room for the next one. A handler that fails
// ends its worker's kernel, unless it is handled as any other exception is, and
// another worker takes the place.
//
// Between master and worker go event frames of wheel/filter, without arguments:
//
//	frame    from    means
//	ready    worker  it has called Config.Server and the fork handlers, and accepts
//	retire   master  accept no more, finish what you have, leave
//	drain    worker  it accepts no more and will leave by itself
//	slow     worker  it has handled no event for SoftTimeout
//	reopen   master  call Config.Reopen
//
// Another name is ignored. What is not a frame ends the control socket, which
// makes the worker leave. Busy and idle are not told but read off the scoreboard.
//
// # Signals
//
// To the master, while the pool runs:
//
//	INT TERM   finish and end, see Pool.Shutdown; a second one ends at once
//	HUP        Pool.Reload: the workers are replaced by those of the program on disk;
//	           a terminal that closes sends it, too
//	USR2       Pool.Upgrade: so is the master
//	USR1       Config.Reopen is called in the master and in every worker
//	TTIN TTOU  one idle worker more or less: MinSpareServers and MaxSpareServers
//	           change by one, between 1 and MaxClients; a worker is started or
//	           asked to retire at once, if that leaves enough idle ones
//
// A call of Pool.Shutdown beside a signal, or the end of the context that Run was given,
// is no second one: what signal.NotifyContext does to a program ends its pool in order.
// QUIT is Go's: it prints stacks and exits, and the workers see their master go.
// To a worker INT and TERM are a request to finish and leave, and the rest are Go's:
// signals are for the master.
//
// # Reload and upgrade
//
// A reload starts a new generation of workers beside the old one, from the path by
// which the program was started; when enough of them are ready, the old ones are
// asked to finish. A new one that does not start fails the reload and nothing else.
// Listeners stay open and shared all the time, so no connection is lost. All workers
// of a generation run the same program, whatever replaces the file meanwhile; a
// script in its place is read anew for every worker. The master's own numbers do not
// change: they need an upgrade, which starts a new master, hands the listeners over
// and ends this one. After either, the old program's processes stay until their last
// connection has ended or DrainTimeout (for an upgrade: Grace) has passed. The next
// reload needs room for its workers beside them.
//
// Master and workers must agree on how they talk. Where a new version of this
// package does not, its workers end with [ErrInheritance] or [ErrScoreboard], the
// reload fails, and an upgrade is the way.
//
// # Supervision
//
// "systemd://name" in Config.Listen takes a socket that the service manager has
// opened; Config.Notify tells it when the pool is ready, reloads and stops, and keeps
// its watchdog quiet; Config.PIDFile is for those that want a file. In a unit of Type
// notify-reload with ExecReload unset, systemctl reload is HUP, and waits.
//
// Pool.Status is everything in one struct, with JSON names; the kernel offers it
// under the pool's name (Kernel.Describe). Its letters are those of Apache's
// scoreboard where both mean the same: '.' no process, 'S' starting, '_' idle, 'W'
// busy, 'G' finishing; 'X' is ours, for a worker that was sent a signal to end.
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
//     Those that a reload has replaced keep nobody away of StartServers new ones.
//   - More than MaxSpareServers idle workers are asked to retire, oldest first
//     (P76), by a message and never by a signal (P78); only the intervals judge
//     that, so a short lull costs no worker.
//   - A worker that has accepted MaxRequests connections finishes what it has
//     and leaves; its replacement does not wait for the growth limit (P66). A
//     worker that leaves, for this or any other reason but its master's death,
//     serves what it has accepted: no connection is lost.
//   - Worker.ServeRequests is for protocols with requests: it is they that make a worker
//     busy and count for MaxRequests (P14, P16, P20), and it says when to end connections
//     that are kept between them. With Serve alone a client that goes on asking keeps a
//     worker that drains, until Config.DrainTimeout, or the end of an upgrade, cuts it off.
//   - A worker accepts while it serves fewer than ConnsPerServer; then clients
//     wait in the system's backlog for whoever is free first (P65).
//   - A worker that dies before it served anybody and within two seconds of
//     being ready is a failed start. After one, a single worker is tried at a
//     time, after a delay that doubles from 250 ms to 30 s, less up to half of it
//     at random. Ten failed starts in a row end the pool with [ErrGaveUp],
//     also when others still serve: those would run out one by one (P57). A
//     worker that is not ready after StartTimeout is ended, as one that is silent.
//     The error has the worker's status and what it wrote to standard error.
//   - With KeepOnError a process that cannot be created, for want of processes, memory
//     or descriptors, is a failed start, too, but gives the pool up only when nobody
//     serves (P43, P88).
//   - Workers past MaxAge or MaxRSS are asked to retire, the oldest first, at most
//     MaxRecycling at once and never below MinSpareServers idle ones. Where there
//     are none to spare, a successor is started first, beyond MaxClients if need be.
//   - With a SoftTimeout, a worker silent for longer prints its stacks and goes on.
//     With a Timeout, it gets SIGABRT, on which a Go program prints its stacks and
//     exits, and SIGKILL after Grace (P80, P82). Worker.Extend asks for patience.
//   - No time limit follows the wall clock. A stretch of time in which the master did
//     not run, as when a container is paused, counts as two CheckSpares, and as a
//     second at least.
//   - Shutdown closes the listeners, asks every worker to finish, sends SIGTERM
//     to those that are not yet listening for messages, SIGKILL after Grace, and
//     waits until each was reaped (P82, P85). A second shutdown sends SIGKILL at
//     once. TERM or INT to a worker makes it finish and leave (P69–P71).
//   - Workers are in process groups of their own, so that a terminal's interrupt
//     reaches the master alone, which passes it on as a message. A worker sees
//     its master's death as the end of the control socket: starting or idle, it
//     leaves at once, busy after two seconds at the latest, blocked in a handler
//     after four (P86).
//   - A stale socket file is removed only if it is a socket and nobody answers on
//     it; the master removes its own when it closes (P72).
//
// # Errors
//
// [*ConfigError] names a field, its value and what to write instead.
// [*ListenError] names an address that could not be opened. Both come from New.
// [ErrGaveUp] and [ErrSpawn] end the pool and come from the kernel's Run; unless
// KeepOnError is set, one process that cannot be created is enough (P43).
// [ErrReload] and [ErrUpgrade] come from Pool.Reload and Pool.Upgrade, and to the
// kernel's observer; the pool goes on. [ErrPIDFile] comes from New, or ends the pool.
// [ErrInheritance] and [ErrScoreboard] are a worker's, on its standard error. A
// worker that cannot go on writes why to standard error, with the stack of a panic, and
// exits with status 1.
// The kernel's observer hears of every worker that is lost (Kernel.Report).
//
// # Limits
//
// Linux and other Unix systems; on Linux the scoreboard is a sealed memfd, which
// no process can shrink under the others, elsewhere an unlinked file. Elsewhere
// MaxRSS is refused, and the workers of a generation are started from whatever lies
// on the path then. On Windows there is no New.
//
// Without a Timeout nobody ends a worker that hangs while it works; without a
// DrainTimeout, one that hangs while it drains.
// With one, only a worker is ended that handles no events at all: in a parallel
// kernel a handler that blocks holds up its own session only, and its connection.
// With ConnsPerServer 1 that worker serves nobody until the handler returns.
//
// Clients in the backlog that no worker has accepted are reset when the pool
// ends. Two masters that find the same stale socket file, or the same stale PID
// file, at the same moment may both replace it. A worker is started in the master's
// current directory with the master's arguments. Programs that a worker starts before
// it is ready, and that outlive it, should not write to standard error: it is a pipe
// to the master until then.
package prefork
