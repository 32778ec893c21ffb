// Bench measures Usher side by side with raw Proto.Actor, with plain goroutines,
// channels and package net, and with Perl's POE, and judges the figures against
// fixed budgets.
//
// # Example
//
//	go run ./bench                        every row, some minutes
//	go run ./bench -many 10000            fewer sessions and timers, 30 MB instead of 3 GB
//	go run ./bench -conns 100000          more idle connections, where ulimit -Hn allows it
//	go run ./bench -group messaging       one group
//	go run ./bench -group connections,streams,datagrams,children,filters,http-client,backend,cluster
//	                                      all input and output, six minutes
//	go run ./bench -row call,spawn        two rows
//	go run ./bench -rounds 10 -json       every figure of every round
//	go run ./bench -child channel/flood -ops 5000000 -cpuprofile cpu.out
//	go run ./bench -child usher/echo-64 -time 5s -cpuprofile server.out
//
// # Behaviour
//
// A row is one task (post events to oneself, pass a token round a ring); a
// peer is one way to do it: another library, or a variant of ours, such as a
// kernel with an observer. Each sample, one row by one peer, runs in a
// process of its own, because the Go runtime carries state from one measurement
// into the next: the start size of goroutine stacks alone changes a figure
// of Proto.Actor tenfold. Peers take turns, A B C D A B C D, so that a
// disturbance of the machine falls on all of them. Progress goes to standard
// error, one line rewritten in place on a terminal.
//
// In rows about servers the peer is a third process: the second one is the load, the
// same for all peers, which starts the server, warms it up and asks the system what
// processor time and memory it has. Nothing of the load is counted as the server's.
// In rows about clients it is the other way round: the third process is a server, the
// same for all peers, and of no account. In rows about both ends each is a process, and
// both are the peer's.
//
// The table shows the median of the rounds: nanoseconds and allocations per
// operation, or operations or megabytes per second; in rows about memory also the
// bytes that the process keeps for each result; in rows about waiting the
// microseconds that 50, 99 and 99.9 % of the waits of a sample do not exceed, and the
// worst; in rows about workers the memory of one, and how long it takes to have it or
// another; in rows about servers and clients the microseconds of processors that each
// request costs them (on Linux). A budget that names another
// peer is judged by the median of the ratios of each round (ours and theirs,
// taken moments apart), or of the differences ("25 ns over yield"), because on a
// shared machine only what is taken together means anything. ✓ is met, within
// 5 %; ✗ is missed; · was not measured. Budgets marked "stretch" are wishes.
//
// Memory of idle connections is weighed when it has settled: the server is asked to
// tidy up (a Go program collects garbage and gives memory back), again and again,
// until five looks in a row differ by less than 64 KiB, at most for a minute.
//
// Perl's POE is measured like any peer where "perl -MPOE" works, by programs of
// ours that are part of the binary. Elsewhere standard error says that it is
// missing, and its budgets take figures quoted from another machine.
//
// The parts: registry.go says what rows there are, one file per group holds
// their budgets (messaging.go) and one file per group and peer their code
// (messaging_channel.go). README.md says how to add to them.
//
// # Flags
//
//	-rounds n       samples of each row and peer, default 5
//	-time d         length of one sample after its warm-up, default 200ms
//	-many n         sessions or timers in rows about many, default 1000000
//	-conns n        idle connections, default 20000; fewer, with a word on standard
//	                error, where a process may not have as many descriptors
//	-group, -row, -peer
//	                only these, separated by commas, default all
//	-json           print JSON instead of tables
//	-child peer/row take one sample in this process and print it as JSON
//	-ops n          with -child: exactly n operations instead of -time, -many or -conns
//	-cpuprofile f   with -child: write a CPU profile of the measured part, or of the
//	                whole life of the server, where that is measured; where both ends are,
//	                the server's is in f.server
//	-serve peer/row be the server of a row, or that its clients ask: print where it listens, answer each line
//	                of standard input when memory is tidied up, end with standard input
//
// # Errors
//
// The exit status is 0, or 1 when a budget that is not a stretch was missed,
// or 2 when something could not be measured; standard error says what and why.
//
// # Limits
//
// A figure is worth what the machine's quiet is worth: nothing measured
// beside a build counts. Quoted figures are rough by nature. Allocations are
// those of the whole process, so a fraction of one per operation may be the
// runtime's own; nobody counts those of Perl and of servers. A row about many is one
// run without warm-up. Load and server share the machine's processors, so requests per
// second are those of both together: compare processor time, too.
package main
