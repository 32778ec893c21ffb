//go:build unix

package prefork

import "os"

// toldVariable carries what Config.Tell has said.
const toldVariable = "USHER_PREFORK_TOLD"

// told is what this worker was told. Like birth it is read while packages are
// initialised, and gone before anybody can start a process.
var told = readTold()

func readTold() string {
	defer os.Unsetenv(toldVariable)
	return os.Getenv(toldVariable)
}

// Told is what Config.Tell said in the master when it started this worker, if it is
// one of the pool of that name.
func Told(name string) string {
	if !birth.child || birth.told.name != name {
		return ""
	}
	return told
}

// Done is closed when the pool has ended and its session is gone.
func (p *Pool) Done() <-chan struct{} { return p.over }
