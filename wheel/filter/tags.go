package filter

import "google.golang.org/protobuf/encoding/protowire"

// A tag is a field number and how its payload is framed, as in
// wire/usherwire.proto, which a test compares.
type tag uint64

const (
	varint  = tag(protowire.VarintType)
	fixed64 = tag(protowire.Fixed64Type)
	fixed32 = tag(protowire.Fixed32Type)
	length  = tag(protowire.BytesType)
)

// Frame
const (
	frameName    = 1<<3 | length
	frameArgs    = 2<<3 | length
	frameID      = 3<<3 | varint
	frameReplyTo = 4<<3 | varint
	frameCause   = 5<<3 | varint
	frameTo      = 6<<3 | length
	frameFrom    = 7<<3 | length
)

// Value
const (
	valueNil      = 1<<3 | varint
	valueBool     = 2<<3 | varint
	valueInt      = 3<<3 | varint
	valueInt64    = 4<<3 | varint
	valueUint64   = 5<<3 | varint
	valueFloat64  = 6<<3 | fixed64
	valueString   = 7<<3 | length
	valueBytes    = 8<<3 | length
	valueList     = 9<<3 | length
	valueMap      = 10<<3 | length
	valueTime     = 11<<3 | length
	valueDuration = 12<<3 | varint
	valueMessage  = 13<<3 | length
	valueStrings  = 14<<3 | length
	valueUint     = 15<<3 | varint
	valueInt8     = 16<<3 | varint
	valueInt16    = 17<<3 | varint
	valueInt32    = 18<<3 | varint
	valueUint8    = 19<<3 | varint
	valueUint16   = 20<<3 | varint
	valueUint32   = 21<<3 | varint
	valueFloat32  = 22<<3 | fixed32
)

// List, Map, Entry, Strings, Time and Message
const (
	listItems    = 1<<3 | length
	mapEntries   = 1<<3 | length
	entryKey     = 1<<3 | length
	entryValue   = 2<<3 | length
	stringsItems = 1<<3 | length
	timeSeconds  = 1<<3 | varint
	timeNanos    = 2<<3 | varint
	timeZone     = 3<<3 | varint
	messageType  = 1<<3 | length
	messageData  = 2<<3 | length
)
