package backend

import (
	"fmt"
	"testing"

	"github.com/usher-go/usher/kernel"
)

func TestB30_Registry(t *testing.T) {
	r := newRegistry()
	for _, a := range []string{"#1", "#2", "#3"} {
		r.add(kernel.Address(a))
	}
	r.register("#1", "web")
	r.register("#2", "web")
	r.register("#3", "db")
	if got := fmt.Sprint(r.route("WEB")); got != "[#1 #2]" {
		t.Fatalf("several connections of a name, whatever its case: %v", got)
	}
	if got := fmt.Sprint(r.route(Everyone)); got != "[#1 #2 #3]" {
		t.Fatalf("everyone (B33): %v", got)
	}
	r.register("#1", "db") // a new name replaces the old
	r.remove("#3")
	if got := fmt.Sprint(r.route("web"), r.route("db"), r.route("none"), r.services()); got != "[#2] [#1] [] map[db:1 web:1]" {
		t.Fatalf("both indexes: %v", got)
	}
	r.register("#9", "ghost") // its end overtook its message
	if len(r.route("ghost")) != 0 {
		t.Fatal("a connection that ended was registered")
	}
}
