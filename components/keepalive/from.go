package keepalive

// From says where the connection of an answer came from (A38).
type From int

const (
	// Fresh was opened for this request. POE leaves from_cache out.
	Fresh From = iota

	// Immediate was idle when it was asked for.
	Immediate

	// Deferred came into the pool while the request waited.
	Deferred
)

// String gives POE's word, or "fresh".
func (f From) String() string {
	switch f {
	case Immediate:
		return "immediate"
	case Deferred:
		return "deferred"
	}
	return "fresh"
}
