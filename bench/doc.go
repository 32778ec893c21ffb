// Bench measures Usher side by side with raw Proto.Actor and with plain
// goroutines and channels, and judges the figures against fixed budgets.
//
// # Example
//
//	go run ./bench                        every row, about a minute
//	go run ./bench -row call,spawn        two rows
//	go run ./bench -rounds 10 -json       every figure of every round
//	go run ./bench -child channel/flood -ops 5000000 -cpuprofile cpu.out
//
// # Behaviour
//
// A row is one task (post events to oneself, pass a token round a ring); a
// peer is one way to do it. Each sample, one row by one peer, runs in a
// process of its own, because the Go runtime carries state from one measurement
// into the next: the start size of goroutine stacks alone changes a figure
// of Proto.Actor tenfold. Peers take turns, A B C D A B C D, so that a
// disturbance of the machine falls on all of them. Progress goes to standard
// error, one line rewritten in place on a terminal.
//
// The table shows the median of the rounds: nanoseconds per operation and
// allocations per operation. A budget that names another peer is judged by
// the median of the ratios of each round (ours and theirs, taken moments
// apart), because on a shared machine only ratios within one run mean
// anything. ✓ is met, within 5 %; ✗ is missed; · was not measured. Budgets
// marked "stretch" are wishes.
//
// The parts: registry.go says what rows there are, one file per group holds
// their budgets (messaging.go) and one file per group and peer their code
// (messaging_channel.go). README.md says how to add to them.
//
// # Flags
//
//	-rounds n       samples of each row and peer, default 5
//	-time d         length of one sample after its warm-up, default 200ms
//	-group, -row, -peer
//	                only these, separated by commas, default all
//	-json           print JSON instead of tables
//	-child peer/row take one sample in this process and print it as JSON
//	-ops n          with -child: exactly n operations instead of -time
//	-cpuprofile f   with -child: write a CPU profile of the measured part
//
// # Errors
//
// The exit status is 0, or 1 when a budget that is not a stretch was missed,
// or 2 when something could not be measured; standard error says what and why.
//
// # Limits
//
// A figure is worth what the machine's quiet is worth: nothing measured
// beside a build counts. Budgets against a peer that cannot run here (Perl)
// use figures quoted from another run and are rough by nature. Allocations
// are those of the whole process, so a fraction of one per operation may be
// the runtime's own.
package main
