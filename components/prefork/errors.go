package prefork

import (
	"errors"
	"fmt"
)

var (
	// ErrGaveUp ends a pool whose workers fail to start, over and over (P57).
	ErrGaveUp = errors.New("prefork: gave up starting workers")

	errExitedEarly  = errors.New("exited with status 0 before it was ready")
	errServedTwice  = errors.New("Config.Server has called both Worker.Serve and Worker.Listener; call one of them")
	errNotReady     = errors.New("not ready in time; raise Config.StartTimeout if it needs longer")
	errNoRoom       = errors.New("no room for enough new workers; set Config.DrainTimeout, or wait for the old ones' last connections")
	errSilent       = errors.New("fell silent and was ended by the watchdog")
	errReloading    = errors.New("a reload is under way; try again when it has ended")
	errUpgrading    = errors.New("an upgrade is under way; wait for its end")
	errSeveral      = errors.New("several pools share this process; start the new program yourself and end this one")
	errShuttingDown = errors.New("the pool is shutting down")

	// ErrReload says that a reload failed and the workers from before it stay.
	// It wraps the reason: the status of a new worker and what it wrote.
	ErrReload = errors.New("prefork: reload failed, the old workers go on")

	// ErrSpawn says that a worker's process could not be created (P88).
	ErrSpawn = errors.New("prefork: cannot start a worker process")

	// ErrUpgrade says that an upgrade failed and this master goes on. It wraps the
	// reason.
	ErrUpgrade = errors.New("prefork: upgrade failed, the old master goes on")

	// ErrPIDFile says that Config.PIDFile cannot be written, or is that of another
	// master that lives.
	ErrPIDFile = errors.New("prefork: unusable PID file")

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
