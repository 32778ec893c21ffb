// Package realtest runs nodes of a cluster as processes of their own, does to them what
// happens to machines (kill -9, SIGSTOP, partitions), and checks what came of it. The
// test binary is the program of every process: its TestMain calls [Main] first.
//
// The property that [Check] looks for, in the notes that all processes have written. They
// are of one machine, and so their CLOCK_MONOTONIC can be compared:
//
//   - of the owners of a key at most one acts: no event is begun under an epoch after one
//     was begun under a later epoch, and each epoch of a key is one process's;
//   - no event is handled twice, and events of one sender to one receiver, or to one key,
//     are handled in their order;
//   - every post that was accepted is handled, or reported as lost; what is reported as
//     not delivered was not handled. Excepted are posts of a process that was killed, and
//     those that may have stood in the queues of one, at the moment when it was;
//   - a monitor tells once.
//
// [Fleet.Probe] measures the rest: every key answers again within ten seconds.
package realtest
