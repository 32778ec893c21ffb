package prefork

import (
	"errors"
	"fmt"
)

var (
	// ErrGaveUp ends a pool whose workers fail to start, over and over (P57).
	ErrGaveUp = errors.New("prefork: gave up starting workers")

	errExitedEarly = errors.New("exited with status 0 before it was ready")

	// ErrSpawn says that a worker's process could not be created (P88).
	ErrSpawn = errors.New("prefork: cannot start a worker process")

	// ErrInheritance says that what a worker inherited is not what it expects.
	ErrInheritance = errors.New("prefork: unusable inheritance")

	// ErrScoreboard says that a file is not a scoreboard of this version.
	ErrScoreboard = errors.New("prefork: unusable scoreboard")
)

// ConfigError is a Config that cannot be used.
type ConfigError struct {
	Field string // of Config, such as "StartServers" or "Listen[1]"
	Value any    // what it held
	Want  string // what to write instead
}

var _ error = (*ConfigError)(nil)

func (e *ConfigError) Error() string {
	return fmt.Sprintf("prefork: Config.%s is %v; want %s", e.Field, e.Value, e.Want)
}

// ListenError is an address that could not be opened. It wraps its cause.
type ListenError struct {
	Addr   string // as written in Config.Listen
	Err    error
	Remedy string
}

var _ error = (*ListenError)(nil)

func (e *ListenError) Error() string {
	return fmt.Sprintf("prefork: cannot listen on %s: %v; %s", e.Addr, e.Err, e.Remedy)
}

func (e *ListenError) Unwrap() error { return e.Err }
