// Package wire holds the protobuf form of events, for peers that want to read
// or write Usher's frames with a generated library.
//
// The format is usherwire.proto, in this folder. Package filter writes the
// same bytes without these types ([github.com/usher-go/usher/wheel/filter.Event]);
// its tests hold the two against each other. Use filter in Go programs, and
// usherwire.proto everywhere else.
//
// Field numbers are never reused. A new kind of value is a new number, and old
// receivers refuse frames that carry it.
package wire

//go:generate protoc -I ../../.. --go_out=../../.. --go_opt=module=github.com/usher-go/usher wheel/filter/wire/usherwire.proto
