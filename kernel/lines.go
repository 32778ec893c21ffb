package kernel

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// lineTags are the words that Lines takes, and the tags of their lines.
var lineTags = map[string]string{
	"events":   "ev", // posted, begun, ended, dropped, unhandled
	"calls":    "ca", // begun, ended
	"timers":   "ti", // set, moved, removed
	"refs":     "rc", // what holds each session, as it comes and goes
	"sessions": "ss", // spawned, moved, restarted, stopped and why
	"signals":  "sg", // watched, sent, whom they reach, the verdict; failures; processes
	"files":    "fh", // wheels and watched handles
	"returns":  "rv", // methods that return an error
}

// Lines returns an observer that writes what happens to w, one line and one
// Write each, in the manner of POE's TRACE_ switches:
//
//	=== 4711 === <ss> #2 (guest) stops: nothing holds it
//
// words says what to write, separated by commas: events, calls, timers, refs,
// sessions, signals, files, returns; or all. Words that are not among them are
// an error that matches ErrArgument; the observer does what the others say.
// Make one for each kernel; they may share w, if that can be shared.
//
// With USHER_TRACE in the environment set to such words, every kernel of the
// process has one, on standard error or on the file that USHER_TRACE_FILE names.
func Lines(w io.Writer, words string) (*Observer, error) {
	l := &lines{w: w, pid: os.Getpid(), began: make(map[uint64]time.Time)}
	chosen, err := chooseLines(words)
	o := &Observer{}
	if chosen["events"] || chosen["calls"] {
		l.events(o, chosen)
	}
	if chosen["timers"] {
		o.Timer = l.timer
	}
	if chosen["sessions"] {
		l.sessions(o)
	}
	if chosen["signals"] {
		l.signals(o)
	}
	if chosen["files"] {
		o.Wheel = l.wheel
	}
	if chosen["returns"] {
		o.Refused = func(r RefusalRecord) {
			l.say("returns", "%s gets an error from %s: %v%s", l.who(r.Session, "outside"), r.Method, r.Err, in(r.Cause))
		}
	}
	l.follow(o, chosen["refs"])
	return o, err
}

func chooseLines(words string) (chosen map[string]bool, err error) {
	chosen = make(map[string]bool)
	var unknown []string
	for word := range strings.SplitSeq(words, ",") {
		switch word = strings.ToLower(strings.TrimSpace(word)); {
		case word == "":
		case word == "all":
			for w := range lineTags {
				chosen[w] = true
			}
		case lineTags[word] != "":
			chosen[word] = true
		default:
			unknown = append(unknown, strconv.Quote(word))
		}
	}
	if unknown != nil {
		err = fmt.Errorf("%w: nothing to trace is called %s; want some of %s, or all", ErrArgument,
			strings.Join(unknown, ", "), strings.Join(slices.Sorted(maps.Keys(lineTags)), ", "))
	}
	return chosen, err
}

// lines writes them.
type lines struct {
	w     io.Writer
	pid   int
	names Names

	mu    sync.Mutex
	began map[uint64]time.Time // the handlers that run
}

// say writes a line. What names and errors bring along of control characters
// must not make two of one.
func (l *lines) say(word, format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, fmt.Sprintf(format, args...))
	fmt.Fprintf(l.w, "=== %d === <%s> %s\n", l.pid, lineTags[word], text)
}

// who names a session; nobody is what the empty address stands for.
func (l *lines) who(a Address, nobody string) string {
	if a == "" {
		return nobody
	}
	return l.names.Of(a)
}

// follow keeps the names, and writes holds if that is wanted.
func (l *lines) follow(o *Observer, refs bool) {
	stopping, stopped := o.Stopping, o.Stopped
	o.Held = func(r HoldRecord) {
		l.names.Held(r)
		if refs {
			l.held(r)
		}
	}
	o.Stopping = func(r StopRecord) {
		l.names.Stopping(r)
		if stopping != nil {
			stopping(r)
		}
	}
	o.Stopped = func(s Address) {
		if stopped != nil {
			stopped(s)
		}
		l.names.Stopped(s)
	}
}

func (l *lines) held(r HoldRecord) {
	sign, what := "-", string(r.Kind)
	if r.Up {
		sign = "+"
	}
	if r.Detail != "" {
		what += " " + strconv.Quote(r.Detail)
	}
	l.say("refs", "%s %s %s, now %d", l.names.Of(r.Session), sign, what, r.Left)
}
