package wheel

import "github.com/fsnotify/fsnotify"

// FailNotifications has the system refuse notifications about files, as it does
// when a user has too many.
func FailNotifications(err error) (restore func()) {
	was := everyone.make
	everyone.make = func() (*fsnotify.Watcher, error) { return nil, err }
	return func() { everyone.make = was }
}

// Watching returns how many directories the process's watcher watches, for how
// many names.
func Watching() (dirs, names int) {
	everyone.change.Lock()
	defer everyone.change.Unlock()
	everyone.mu.Lock()
	defer everyone.mu.Unlock()
	return len(everyone.dirs), len(everyone.names)
}
