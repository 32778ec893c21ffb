package backend

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

// MessageClass is the class of the objects that Perl's ends send (B22, B34).
const MessageClass = "Apache::Backend::POE::Message"

// The fields of a Perl message that mean something to us. All others are the
// message's own.
const (
	fieldCommand = "cmd"
	fieldEvent   = "event"
	fieldService = "svc_name"
	fieldClient  = "client"
	fieldTime    = "time"
	fieldText    = "text" // of an error
	fieldID      = "id"
	fieldReplyTo = "reply_to"
	fieldArgs    = "args"
	fieldFrom    = "from"
	fieldTo      = "service"
)

// legacyPong is the ReplyTo of a pong that says not which ping it answers: Perl's
// example server never does.
const legacyPong = ^uint64(0)

// perl is the dialect Storable at one end: a client sends commands and gets
// events, a server the other way round.
type perl struct{ client bool }

func newStorable(maxFrame int, client bool) (dialect, error) {
	limits := storable.Config{MaxExpanded: max(16<<20, 4*maxFrame)}
	p := perl{client}
	return newRecords(filter.Storable(limits), maxFrame, p.read, p.write)
}

// errObject refuses what is no message; the connection stays (B34).
var errObject = errors.New("backend: not a hash or an object of class " + MessageClass)

// read understands a Perl message: a hash, blessed or not.
func (p perl) read(rec any) (f filter.Frame, err error) {
	if b, ok := rec.(storable.Blessed); ok && b.Class == MessageClass {
		rec = b.Value
	}
	m, ok := rec.(map[string]any)
	if !ok {
		if b, isObject := rec.(storable.Blessed); isObject {
			return f, fmt.Errorf("%w: an object of class %.64q", errObject, b.Class)
		}
		return f, fmt.Errorf("%w: a %T", errObject, rec)
	}
	f.ReplyTo = wireID(m[fieldReplyTo])
	f.From, f.To = field(m, fieldFrom), field(m, fieldTo)
	if id := wireID(m[fieldID]); !p.client {
		f.ID = id
	} else if f.ReplyTo == 0 {
		f.ReplyTo = id // a server that sends a request back with something added
	}
	command, event, client := field(m, fieldCommand), field(m, fieldEvent), field(m, fieldClient)
	switch {
	case command == cmdRegister:
		f.Name, f.Args = command, []any{field(m, fieldService)}
	case command == cmdPing:
		f.Name, f.Args = command, []any{m[fieldTime]}
	case isTx(command) || command == cmdClient:
		return f, fmt.Errorf("backend: command %.64q is not for Storable; use Protobuf or JSON", command)
	case command != "":
		f.Name, f.Args = command, payload(m)
	case client != "" && !p.client:
		m["s_recv_time"] = time.Now().Unix() // B22
		f.Name, f.Args, f.To = cmdClient, []any{client, event, payload(m)}, ""
	case event == evPong:
		f.Name, f.Args = event, []any{m[fieldTime]}
		if f.ReplyTo == 0 {
			f.ReplyTo = legacyPong
		}
	case event == evError:
		f.Name, f.Args = event, []any{field(m, fieldText)}
	default:
		f.Name, f.Args = event, payload(m)
	}
	return f, nil
}

func field(m map[string]any, key string) string {
	s, _ := storable.Text(m[key])
	return s
}

// payload is a message's list of arguments if it has one, as ours do, and else
// the message itself.
func payload(m map[string]any) []any {
	if l, ok := m[fieldArgs].([]any); ok {
		return l
	}
	return []any{m}
}

func wireID(v any) uint64 {
	n, ok := storable.Int64(v)
	if !ok || n < 0 {
		return 0
	}
	return uint64(n)
}

// write makes a Perl message. A map as the only argument is the message itself;
// everything else is in args.
func (p perl) write(f filter.Frame) (any, error) {
	m := map[string]any{}
	name, now := f.Name, time.Now().Unix()
	switch {
	case name == cmdRegister:
		m[fieldService] = text(f.Args, 0)
	case name == cmdPing || name == evPong:
		m[fieldTime] = now
	case name == evError:
		m[fieldText] = text(f.Args, 0)
	case name == cmdClient:
		m[fieldClient], name = text(f.Args, 0), text(f.Args, 1)
		fill(m, list(f.Args, 2))
	default:
		fill(m, f.Args)
	}
	switch {
	case name == "":
	case p.client && f.Name != cmdClient:
		m[fieldCommand] = name
	default:
		m[fieldEvent] = name
	}
	if f.From != "" {
		m[fieldFrom] = f.From
	}
	if f.To != "" {
		m[fieldTo] = f.To
	}
	if f.ID != 0 {
		m[fieldID] = f.ID
	}
	if f.ReplyTo != 0 && f.ReplyTo != legacyPong {
		m[fieldReplyTo] = f.ReplyTo
	}
	if p.client { // B22
		m["created"], m["send_time"] = now, now
	} else {
		m["sendtime"] = now
	}
	return storable.Blessed{Class: MessageClass, Value: m}, nil
}

func fill(m map[string]any, args []any) {
	if len(args) == 1 {
		if fields, ok := args[0].(map[string]any); ok {
			maps.Copy(m, plain(fields).(map[string]any))
			return
		}
	}
	if len(args) > 0 {
		m[fieldArgs] = plain(args)
	}
}

// plain gives times and durations the form they have in Perl: seconds.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		return float64(v.UnixNano()) / 1e9
	case time.Duration:
		return v.Seconds()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = plain(v[key])
		}
		return out
	}
	return v
}
