//go:build unix

package prefork

import (
	"fmt"
	"os"
)

// Main is for programs whose main does not lead to New, above all for test
// binaries. Call it first in TestMain: a worker is the test binary once more, and
// shall not run the tests again.
//
//	func TestMain(m *testing.M) {
//		prefork.Main(map[string]func(){"web": runWeb}) // calls New with Config.Name "web"
//		os.Exit(m.Run())
//	}
//
// In a worker it calls the function of its pool's name, in which New does not
// return, and exits. One that has no function or does not reach New says so on
// standard error and exits with status 1. In any other process Main returns at
// once.
func Main(pools map[string]func()) {
	if !IsChild() {
		return
	}
	err := birth.err
	if run := pools[birth.told.name]; err == nil && run != nil {
		run()
		err = fmt.Errorf("%w: the function for pool %q has returned; let it call New with that name", ErrInheritance, birth.told.name)
	} else if err == nil {
		err = fmt.Errorf("%w: there is no function for pool %q; give it to Main", ErrInheritance, birth.told.name)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
