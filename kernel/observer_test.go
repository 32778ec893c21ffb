package kernel_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// also adds an observer to the fixture's own.
func also(o *kernel.Observer) func(*kernel.Config) {
	return func(c *kernel.Config) { c.Observer = kernel.Observers(c.Observer, o) }
}

// journal gathers what an observer tells, as text.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) want(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.lines, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(j.lines, "\n"), strings.Join(want, "\n"))
	}
}

// Timers are told as they are set, moved and removed, by whatever method, with
// the time they are due and the event whose handler did it.
func TestObserver_Timers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var j journal
		var start time.Time
		events := map[uint64]string{}
		k := boot(t, m, also(&kernel.Observer{
			Began: func(r kernel.Record) { j.mu.Lock(); events[r.Seq] = r.Event; j.mu.Unlock() },
			Timer: func(r kernel.TimerRecord) {
				j.mu.Lock()
				in := events[r.Cause]
				j.mu.Unlock()
				j.add("%s %s %s, due in %v h, in %s", r.Session, r.Event, r.Op, int(r.Due.Sub(start).Round(time.Hour).Hours()), in)
			},
		}))
		start = k.Now()
		var id kernel.TimerID
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Delay("a", time.Hour)
				c.Delay("a", 2*time.Hour)
				id = c.AlarmSet("b", start.Add(3*time.Hour))
				return c.Yield("next")
			},
			"next": func(c *kernel.Context) error {
				_, err := c.AlarmAdjust(id, time.Hour)
				must(err)
				_, err = c.AlarmRemove(id)
				must(err)
				c.DelayAdd("c", 5*time.Hour)
				c.AlarmRemoveAll()
				c.Delay("fires", time.Millisecond)
				c.Delay("left", 9*time.Hour)
				return nil
			},
			"fires": func(c *kernel.Context) error { c.Stop(); return nil },
		})
		k.run()
		if n := len(j.lines); n > 2 { // the two of AlarmRemoveAll, in any order
			slices.Sort(j.lines[7:9])
		}
		j.want(t,
			"#1 a set, due in 1 h, in _start", "#1 a removed, due in 1 h, in _start", "#1 a set, due in 2 h, in _start",
			"#1 b set, due in 3 h, in _start",
			"#1 b moved, due in 4 h, in next", "#1 b removed, due in 4 h, in next",
			"#1 c set, due in 5 h, in next",
			"#1 a removed, due in 2 h, in next", "#1 c removed, due in 5 h, in next",
			"#1 fires set, due in 0 h, in next", "#1 left set, due in 9 h, in next",
			"#1 left removed, due in 9 h, in _stop")
	})
}

// Observers tells each of every field: what a field is told of reaches both, the
// first one first. A field that is forgotten fails here.
func TestObservers_TellsAllOfEverything(t *testing.T) {
	var told []string
	made := func(name string) *kernel.Observer {
		o := &kernel.Observer{}
		v := reflect.ValueOf(o).Elem()
		for i := range v.NumField() {
			field := v.Type().Field(i)
			v.Field(i).Set(reflect.MakeFunc(field.Type, func([]reflect.Value) []reflect.Value {
				told = append(told, name+" "+field.Name)
				if field.Type.NumOut() == 0 {
					return nil
				}
				return []reflect.Value{reflect.ValueOf(&nested{add: func(s string) { told = append(told, name+" "+s) }}).Convert(field.Type.Out(0))}
			}))
		}
		return o
	}
	all := kernel.Observers(nil, made("a"), nil, made("b"), &kernel.Observer{})
	v := reflect.ValueOf(all).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if f.IsNil() {
			t.Errorf("%s is lost", name)
			continue
		}
		args := make([]reflect.Value, f.Type().NumIn())
		for n := range args {
			args[n] = reflect.Zero(f.Type().In(n))
		}
		told = nil
		out := f.Call(args)
		if want := []string{"a " + name, "b " + name}; !slices.Equal(told, want) {
			t.Errorf("%s: told %v, want %v", name, told, want)
		}
		if len(out) == 1 {
			told = nil
			j := out[0].Interface().(kernel.Journal)
			j.Began(&kernel.Record{}, 0)
			j.Ended(1, 0, nil)
			j.Rest()
			if want := []string{"a began", "b began", "a ended", "b ended", "a rest", "b rest"}; !slices.Equal(told, want) {
				t.Errorf("journals: told %v, want %v", told, want)
			}
		}
	}
	if kernel.Observers() != nil || kernel.Observers(nil, nil) != nil {
		t.Error("of nobody there is an observer")
	}
	one := &kernel.Observer{}
	expect(t, "of one", kernel.Observers(nil, one), one)
}

// nested is a journal that names its calls.
type nested struct{ add func(string) }

func (n *nested) Began(*kernel.Record, time.Duration)        { n.add("began") }
func (n *nested) Ended(_ uint64, _ time.Duration, err error) { n.add("ended") }
func (n *nested) Rest()                                      { n.add("rest") }
