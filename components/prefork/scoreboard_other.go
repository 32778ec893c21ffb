//go:build unix && !linux

package prefork

import "os"

// sharedFile returns an unlinked file of the given size.
func sharedFile(size int64) (*os.File, error) {
	f, err := os.CreateTemp("", "usher-scoreboard-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
