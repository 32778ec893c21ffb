package storable_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/filter/storable"
)

type base struct {
	ID   int `json:"id,omitempty"`
	Kind string
}

type job struct {
	base
	*extra
	Name   string   `json:"name"`
	Secret string   `json:"-"`
	Next   *job     `json:",omitempty"`
	done   chan int // not exported, and nothing that Perl could take
}

type extra struct{ Note string }

func TestStructsAreWrittenAsHashes(t *testing.T) {
	frozen, err := storable.Marshal(&job{base: base{1, "k"}, done: make(chan int), Name: "n", Secret: "s", Next: &job{extra: &extra{"x"}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := storable.Unmarshal(frozen)
	want := map[string]any{
		"id": int64(1), "Kind": "k", "name": "n",
		"Next": map[string]any{"id": int64(0), "Kind": "", "name": "", "Next": nil, "Note": "x"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read back %#v, %v; want %#v", got, err, want)
	}
}

// A time.Time inside must not get lost in silence.
func TestEmbeddedTimeIsRefused(t *testing.T) {
	if b, err := storable.Marshal(struct {
		time.Time
		N int
	}{}); err == nil {
		t.Errorf("Marshal = %x", b)
	}
}
