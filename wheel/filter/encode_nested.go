package filter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
)

// maxZone bounds a time's distance from UTC, in seconds. No zone comes near a
// day; a greater number is a mistake or an attack.
const maxZone = 24 * 60 * 60

var (
	errZone       = errors.New("its zone is more than a day from UTC; use In(time.UTC)")
	errNilMessage = errors.New("it is a nil pointer; send nil or an empty message instead")
)

func (e *encoder) list(l []any, depth int) error {
	if depth == 0 {
		return notEncodable(l, fmt.Errorf("%w; flatten it", ErrTooDeep))
	}
	at := e.open(valueList)
	for i, v := range l {
		if err := e.value(listItems, v, depth-1); err != nil {
			return inside(err, fmt.Sprintf("[%d]", i))
		}
	}
	e.close(at)
	return nil
}

// mapping writes the keys sorted, so that equal maps have equal bytes.
func (e *encoder) mapping(m map[string]any, depth int) error {
	if depth == 0 {
		return notEncodable(m, fmt.Errorf("%w; flatten it", ErrTooDeep))
	}
	at := e.open(valueMap)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		entry := e.open(mapEntries)
		optional(e, entryKey, k)
		if err := e.value(entryValue, m[k], depth-1); err != nil {
			return inside(err, fmt.Sprintf("[%.40q]", k))
		}
		e.close(entry)
	}
	e.close(at)
	return nil
}

func (e *encoder) strings(l []string) {
	at := e.open(valueStrings)
	for _, s := range l {
		chunk(e, stringsItems, s)
	}
	e.close(at)
}

func (e *encoder) time(t time.Time) error {
	_, zone := t.Zone()
	if zone < -maxZone || zone > maxZone {
		return notEncodable(t, errZone)
	}
	at := e.open(valueTime)
	e.number(timeSeconds, zigzag(t.Unix()))
	e.number(timeNanos, uint64(t.Nanosecond()))
	e.number(timeZone, zigzag(int64(zone)))
	e.close(at)
	return nil
}

func (e *encoder) message(m proto.Message) error {
	r := m.ProtoReflect()
	if !r.IsValid() {
		return notEncodable(m, errNilMessage)
	}
	if proto.Size(m) > e.room() {
		e.over = true
		return nil
	}
	at := e.open(valueMessage)
	chunk(e, messageType, string(r.Descriptor().FullName()))
	data := e.open(messageData)
	dst, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(e.dst, m)
	if err != nil {
		return notEncodable(m, err)
	}
	e.dst = dst
	e.close(data)
	e.close(at)
	return nil
}
