//go:build linux

package realtest

import "time"

// Round does everything to the nodes, one after the other, to others in the next round.
// Faults that last take so long.
func (f *Fleet) Round(i int, lasting time.Duration) {
	f.t.Helper()
	name := func(n int) string { return f.names[(i+n)%len(f.names)] }
	f.KillAndRestart(name(1))
	f.StopAndGoOn(name(2), lasting)
	f.CutOff(name(0), lasting)
	f.LeaveAndReturn(name(1))
}

func (f *Fleet) others(name string) (list []string) {
	for _, o := range f.names {
		if o != name {
			list = append(list, o)
		}
	}
	return list
}

// back waits until a node is one of them again.
func (f *Fleet) back(what string, since int64) {
	f.t.Helper()
	f.Probe(what, since, f.names...)
	f.Watched(f.names...)
}

// KillAndRestart is kill -9, and another start when the others have got over it.
func (f *Fleet) KillAndRestart(name string) {
	f.t.Helper()
	at := f.Kill(name)
	f.Probe("kill -9", at, f.others(name)...)
	f.Monitors(name)
	at = now()
	f.Start(name)
	f.back("start after kill -9", at)
}

// StopAndGoOn is SIGSTOP, for longer than a lease, and SIGCONT.
func (f *Fleet) StopAndGoOn(name string, d time.Duration) {
	f.t.Helper()
	begun := f.Freeze(name)
	f.Probe("SIGSTOP", begun, f.others(name)...)
	f.Monitors(name)
	f.Since(begun, d)
	f.back("SIGCONT", f.Thaw(name))
}

// CutOff is a partition, of one from the others.
func (f *Fleet) CutOff(name string, d time.Duration) {
	f.t.Helper()
	begun := f.Cut(name)
	f.Probe("cut off", begun, f.others(name)...)
	f.Monitors(name)
	f.Since(begun, d)
	f.back("healed", f.Heal(name))
}

// LeaveAndReturn is Leave, and another start.
func (f *Fleet) LeaveAndReturn(name string) {
	f.t.Helper()
	at := f.Leave(name)
	f.Probe("Leave", at, f.others(name)...)
	f.Monitors(name)
	at = now()
	f.Start(name)
	f.back("start after Leave", at)
}
