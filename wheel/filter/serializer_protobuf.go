package filter

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Protobuf reads and writes messages of one type, that of message, which may be
// nil: Protobuf((*pb.Request)(nil)). What is read is a new message of that
// type; other types are refused in Append, unknown fields are kept.
func Protobuf(message proto.Message) Serializer {
	if message == nil {
		return protobufSerializer{}
	}
	return protobufSerializer{message.ProtoReflect().Type()}
}

type protobufSerializer struct{ typ protoreflect.MessageType }

var _ Serializer = protobufSerializer{}

func (protobufSerializer) Name() string { return "protobuf" }

// Check is called by NewReference.
func (s protobufSerializer) Check() error {
	if s.typ == nil {
		return fmt.Errorf("filter: %w: Protobuf(nil) names no message; give it a nil pointer to one", ErrConfig)
	}
	return nil
}

func (s protobufSerializer) Append(dst []byte, v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return dst, fmt.Errorf("it is a %T, no message; send a %s", v, s.typ.Descriptor().FullName())
	}
	switch r := m.ProtoReflect(); {
	case !r.IsValid():
		return dst, errors.New("it is a nil pointer; send an empty message")
	case r.Descriptor().FullName() != s.typ.Descriptor().FullName():
		return dst, fmt.Errorf("it is a %s; send a %s", r.Descriptor().FullName(), s.typ.Descriptor().FullName())
	}
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, m)
}

func (s protobufSerializer) Unmarshal(p []byte) (any, error) {
	m := s.typ.New().Interface()
	if err := proto.Unmarshal(p, m); err != nil {
		return nil, err
	}
	return m, nil
}
