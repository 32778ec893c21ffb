package cluster

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// types are what Register was told.
var types struct {
	sync.RWMutex
	byName map[string]reflect.Type
	byType map[reflect.Type]string
}

// Register lets values of type T travel between nodes, as arguments of events, of
// calls, and as what calls return: by their MarshalBinary and UnmarshalBinary methods
// where *T has both, else as JSON. name is what the type is called on the wire; nodes
// that are to understand each other register the same name. What arrives is a T.
// Inside lists and maps such values do not travel. Call it from init; a name or type
// that is registered already, for something else, is a panic.
func Register[T any](name string) {
	t := reflect.TypeFor[T]()
	types.Lock()
	defer types.Unlock()
	if types.byName == nil {
		types.byName, types.byType = map[string]reflect.Type{}, map[reflect.Type]string{}
	}
	if old, ok := types.byName[name]; ok && old != t {
		panic(fmt.Sprintf("cluster: Register[%v](%q): %v has this name; choose another", t, name, old))
	}
	if old, ok := types.byType[t]; ok && old != name {
		panic(fmt.Sprintf("cluster: Register[%v](%q): the type is registered as %q", t, name, old))
	}
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || name == "" {
		panic(fmt.Sprintf("cluster: Register[%v](%q): want a name, and a type that is no pointer and no interface", t, name))
	}
	types.byName[name], types.byType[t] = t, name
}

// pack makes messages of registered values. args is changed only in a copy.
func pack(args []any) ([]any, error) {
	packed := args
	for i, v := range args {
		name, ok := registered(v)
		if !ok {
			continue
		}
		data, err := marshal(v)
		if err != nil {
			return nil, fmt.Errorf("%w: argument %d, a %T: %w", kernel.ErrNotEncodable, i, v, err)
		}
		if &packed[0] == &args[0] {
			packed = append([]any(nil), args...)
		}
		packed[i] = &wire.Registered{Type: name, Data: data}
	}
	return packed, nil
}

func registered(v any) (name string, ok bool) {
	switch v.(type) { // what travels by itself needs no lock
	case nil, bool, int, int64, uint64, float64, string, []byte, []any, map[string]any, proto.Message:
		return "", false
	}
	types.RLock()
	name, ok = types.byType[reflect.TypeOf(v)]
	types.RUnlock()
	return name, ok
}

func marshal(v any) (data []byte, err error) {
	defer recovered(&err)
	if m, ok := pointerTo(v).(interface {
		encoding.BinaryMarshaler
		encoding.BinaryUnmarshaler
	}); ok {
		return m.MarshalBinary()
	}
	return json.Marshal(v)
}

func pointerTo(v any) any {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}

// unpack puts registered values back, in place.
func unpack(args []any) error {
	for i, v := range args {
		r, ok := v.(*wire.Registered)
		if !ok {
			continue
		}
		types.RLock()
		t, ok := types.byName[r.GetType()]
		types.RUnlock()
		if !ok {
			return fmt.Errorf("%w: argument %d: no type is registered here as %.64q", kernel.ErrNotEncodable, i, r.GetType())
		}
		p := reflect.New(t)
		if err := unmarshal(r.GetData(), p.Interface()); err != nil {
			return fmt.Errorf("%w: argument %d, a %v: %w", kernel.ErrNotEncodable, i, t, err)
		}
		args[i] = p.Elem().Interface()
	}
	return nil
}

// recovered is for a type's own method: it may meet bytes from outside, and it runs where
// a panic would end the process.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("it panicked: %v", v)
	}
}

func unmarshal(data []byte, p any) (err error) {
	defer recovered(&err)
	if _, ok := p.(encoding.BinaryMarshaler); ok {
		if m, ok := p.(encoding.BinaryUnmarshaler); ok {
			return m.UnmarshalBinary(data)
		}
	}
	return json.Unmarshal(data, p)
}
