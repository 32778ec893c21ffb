package filter

import "fmt"

// POE allows 64 MiB per record and 512 MiB unparsed (F8), per connection. A Go
// server holds many more connections, and its peers are not always friends.
const (
	defaultMaxLength = 1 << 20
	defaultMaxBuffer = 16 << 20
)

// fillLimit sets *v to its default when it is 0.
func fillLimit(field string, v *int, def int) error {
	if *v < 0 {
		return fmt.Errorf("filter: %w: %s is %d; want 0 for the default of %d, or more", ErrConfig, field, *v, def)
	}
	if *v == 0 {
		*v = def
	}
	return nil
}

// checkBuffer makes sure that a whole record of the greatest length fits into
// the buffer (F8). extra is what surrounds a record: its terminator or prefix.
func checkBuffer(bufferField string, buffer int, recordField string, record, extra int) error {
	if buffer-extra < record {
		return fmt.Errorf("filter: %w: %s is %d, less than %s (%d) and %d bytes around it; raise the one or lower the other",
			ErrConfig, bufferField, buffer, recordField, record, extra)
	}
	return nil
}
