package filter

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (d decoder) list(b []byte, depth int) (any, error) {
	if depth == 0 {
		return nil, ErrTooDeep
	}
	l := []any{}
	err := fields(b, func(f field) error {
		if f.tag != listItems {
			return nil
		}
		v, err := d.value(f.raw, depth-1)
		l = append(l, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (d decoder) mapping(b []byte, depth int) (any, error) {
	if depth == 0 {
		return nil, ErrTooDeep
	}
	m := map[string]any{}
	err := fields(b, func(f field) error {
		if f.tag != mapEntries {
			return nil
		}
		var key string
		var v any
		err := fields(f.raw, func(f field) (err error) {
			switch f.tag {
			case entryKey:
				key = string(f.raw)
			case entryValue:
				v, err = d.value(f.raw, depth-1)
			}
			return err
		})
		m[key] = v
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func readStrings(b []byte) (any, error) {
	l := []string{}
	err := fields(b, func(f field) error {
		if f.tag == stringsItems {
			l = append(l, string(f.raw))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func readTime(b []byte) (any, error) {
	var seconds, zone int64
	var nanos uint64
	err := fields(b, func(f field) error {
		switch f.tag {
		case timeSeconds:
			seconds = protowire.DecodeZigZag(f.num)
		case timeNanos:
			nanos = f.num
		case timeZone:
			zone = protowire.DecodeZigZag(f.num)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if nanos >= uint64(time.Second) || zone < -maxZone || zone > maxZone {
		return nil, malformed(fmt.Errorf("a time with %d nanoseconds, %d seconds from UTC", nanos, zone))
	}
	t := time.Unix(seconds, int64(nanos))
	if zone == 0 {
		return t.UTC(), nil
	}
	return t.In(time.FixedZone("", int(zone))), nil
}

func (d decoder) message(b []byte) (any, error) {
	var name string
	var data []byte
	err := fields(b, func(f field) error {
		switch f.tag {
		case messageType:
			name = string(f.raw)
		case messageData:
			data = f.raw
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t, err := d.types.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, fmt.Errorf("%w %.100q; import the package that registers it", ErrUnknownType, name)
	}
	m := t.New().Interface()
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, malformed(fmt.Errorf("message %s: %w", t.Descriptor().FullName(), err))
	}
	return m, nil
}
