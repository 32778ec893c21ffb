package filter

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/usher-go/usher/wheel/filter/wire"
)

func TestTagsMatchTheProtoFile(t *testing.T) {
	tags := map[string]tag{
		"Frame.name": frameName, "Frame.args": frameArgs, "Frame.id": frameID,
		"Frame.reply_to": frameReplyTo, "Frame.cause": frameCause, "Frame.to": frameTo, "Frame.from": frameFrom,

		"Value.nil_value": valueNil, "Value.bool_value": valueBool, "Value.int_value": valueInt,
		"Value.int64_value": valueInt64, "Value.uint64_value": valueUint64, "Value.float64_value": valueFloat64,
		"Value.string_value": valueString, "Value.bytes_value": valueBytes, "Value.list_value": valueList,
		"Value.map_value": valueMap, "Value.time_value": valueTime, "Value.duration_value": valueDuration,
		"Value.message_value": valueMessage, "Value.strings_value": valueStrings, "Value.uint_value": valueUint,
		"Value.int8_value": valueInt8, "Value.int16_value": valueInt16, "Value.int32_value": valueInt32,
		"Value.uint8_value": valueUint8, "Value.uint16_value": valueUint16, "Value.uint32_value": valueUint32,
		"Value.float32_value": valueFloat32,

		"List.items": listItems, "Map.entries": mapEntries, "Entry.key": entryKey, "Entry.value": entryValue,
		"Strings.items": stringsItems, "Time.seconds": timeSeconds, "Time.nanos": timeNanos, "Time.zone": timeZone,
		"Message.type": messageType, "Message.data": messageData,
	}
	file := wire.File_wheel_filter_wire_usherwire_proto
	for i := range file.Messages().Len() {
		fields := file.Messages().Get(i).Fields()
		for j := range fields.Len() {
			f := fields.Get(j)
			name := strings.TrimPrefix(string(f.FullName()), string(file.Package())+".")
			want := tag(protowire.EncodeTag(f.Number(), wireType(f.Kind())))
			if got, ok := tags[name]; !ok || got != want {
				t.Errorf("%s: tag %d, want %d", name, got, want)
			}
			delete(tags, name)
		}
	}
	for name := range tags {
		t.Errorf("%s: no such field", name)
	}
}

func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.FloatKind:
		return protowire.Fixed32Type
	}
	return protowire.VarintType
}
