package wheel

import "fmt"

// priorityError says that a niceness could not be set.
type priorityError struct{ err error }

func (e *priorityError) Error() string { return fmt.Sprintf("setpriority: %v", e.err) }

func (e *priorityError) Unwrap() error { return e.err }
