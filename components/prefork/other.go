//go:build !unix

package prefork

// Worker is a worker process as Config.Server sees it. This system has none:
// the package offers its configuration and its decisions, but no New.
type Worker struct{}
