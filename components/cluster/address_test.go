package cluster

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

func FuzzAddress(f *testing.F) {
	f.Add("#42", "node-1", uint64(7))
	f.Add("logger", "b", uint64(0))
	f.Add("#0x/", "b", ^uint64(0))
	f.Fuzz(func(t *testing.T, a, node string, epoch uint64) {
		if checkName(node) != nil || strings.ContainsAny(a, "@/") {
			return
		}
		local, there := split(abroad(kernel.Address(a), node, epoch))
		if there != node {
			t.Fatalf("%q went to %q", a, there)
		}
		back, ok := home(local, epoch)
		if !ok || back != kernel.Address(a) {
			t.Fatalf("%q came back as %q, %v", a, back, ok)
		}
		if back, ok := home(local, epoch+1); ok && strings.HasPrefix(a, "#") {
			t.Fatalf("%q is good in another epoch, as %q", a, back)
		}
	})
}

func TestConfigsThatCannotWork(t *testing.T) {
	k := kernel.New(kernel.Config{})
	for field, c := range map[string]Config{
		"Name":                {},
		"Name ":               {Name: "owner"},
		"Name  ":              {Name: "a@b"},
		"Shards":              {Name: "a", Shards: maxShards + 1},
		"MaxEvent":            {Name: "a", MaxEvent: -1},
		"MaxOutstandingBytes": {Name: "a", MaxOutstandingBytes: 1},
		"LostAfter":           {Name: "a", Heartbeat: time.Second, LostAfter: time.Second},
		"Heartbeat":           {Name: "a", Heartbeat: -1},
		"Heartbeat ":          {Name: "a", Heartbeat: 5}, // of which unit?
		"MaxEvent ":           {Name: "a", MaxEvent: longestEvent + 1},
		"MaxEvent  ":          {Name: "a", MaxEvent: math.MaxInt},
		"MaxEvent   ":         {Name: "a", MaxEvent: minEvent - 1},
	} {
		_, err := Join(k, c)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "Config."+strings.TrimSpace(field)+" ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if n := len(k.Sessions()); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	if _, err := Join(nil, Config{Name: "a", Directory: Static{"a": "127.0.0.1:1"}}); !errors.Is(err, ErrConfig) {
		t.Errorf("without a kernel: %v", err)
	}
}

type point struct{ X, Y int }

type stamp struct{ text string }

func (s stamp) MarshalBinary() ([]byte, error)  { return []byte(s.text), nil }
func (s *stamp) UnmarshalBinary(b []byte) error { s.text = string(b); return nil }

type broken struct{ N int }

func (broken) MarshalBinary() ([]byte, error) { return []byte("x"), nil }
func (*broken) UnmarshalBinary([]byte) error  { panic("it cannot") }

func init() {
	Register[point]("test.point")
	Register[stamp]("test.stamp")
	Register[broken]("test.broken")
}

func TestRegisteredTypes(t *testing.T) {
	args := []any{1, point{2, 3}, "four", stamp{"five"}}
	packed, err := pack(args)
	if err != nil {
		t.Fatal(err)
	}
	if args[1] != (point{2, 3}) {
		t.Error("the caller's arguments were changed")
	}
	if err := unpack(packed); err != nil {
		t.Fatal(err)
	}
	for i, want := range args {
		if packed[i] != want {
			t.Errorf("%d: %#v came out as %#v", i, want, packed[i])
		}
	}
	packed, err = pack([]any{broken{1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := unpack(packed); !errors.Is(err, kernel.ErrNotEncodable) {
		t.Errorf("a type that panics: %v", err)
	}
	Register[point]("test.point") // the same once more
	for name, f := range map[string]func(){
		"a name for two types": func() { Register[stamp]("test.point") },
		"a type by two names":  func() { Register[point]("test.other") },
		"a pointer":            func() { Register[*point]("test.pointer") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is accepted", name)
				}
			}()
			f()
		}()
	}
}

func TestCallTimeoutIsTheKernels(t *testing.T) {
	for kernels, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Second: time.Second} {
		k := kernel.New(kernel.Config{CallTimeout: kernels})
		n, err := Join(k, Config{Name: "a", Transport: new(pipes).pipe("a:1"), Directory: Static{"a": "a:1"}})
		if err != nil {
			t.Fatal(err)
		}
		if n.cfg.CallTimeout != want {
			t.Errorf("with the kernel's %v it is %v", kernels, n.cfg.CallTimeout)
		}
		n.abandon()
	}
}
