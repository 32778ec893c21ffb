package trace_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// diagram is what the tests' parser finds in a sequence diagram.
type diagram struct {
	labels   map[string]string // participants
	messages []string          // "from arrow to: text"
	notes    []string
}

// The part of Mermaid's grammar that is used here. Text ends at a line's end or
// a ';', and '#' begins an entity code.
var (
	mermaidText        = `((?:[^#;\n]|#\d+;)+)`
	mermaidParticipant = regexp.MustCompile(`^    participant ([a-z]+\d*) as ` + mermaidText + `$`)
	mermaidMessage     = regexp.MustCompile(`^    ([a-z]+\d*)(->>|-\)|-x)([a-z]+\d*): ` + mermaidText + `$`)
	mermaidNote        = regexp.MustCompile(`^    Note over ([a-z]+\d*): ` + mermaidText + `$`)
	entity             = regexp.MustCompile(`#(\d+);`)
)

func parseMermaid(t *testing.T, text string) diagram {
	t.Helper()
	d := diagram{labels: make(map[string]string)}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != "sequenceDiagram" {
		t.Fatalf("it begins with %q", lines[0])
	}
	known := func(id string) {
		if d.labels[id] == "" {
			t.Errorf("nobody introduced %q", id)
		}
	}
	for _, line := range lines[1:] {
		if m := mermaidParticipant.FindStringSubmatch(line); m != nil {
			if d.labels[m[1]] != "" || len(d.messages)+len(d.notes) > 0 {
				t.Errorf("%q comes twice, or too late", m[1])
			}
			d.labels[m[1]] = unescape(t, m[2])
		} else if m := mermaidMessage.FindStringSubmatch(line); m != nil {
			known(m[1])
			known(m[3])
			d.messages = append(d.messages, m[1]+m[2]+m[3]+": "+unescape(t, m[4]))
		} else if m := mermaidNote.FindStringSubmatch(line); m != nil {
			known(m[1])
			d.notes = append(d.notes, unescape(t, m[2]))
		} else {
			t.Errorf("no such line in the grammar: %q", line)
		}
	}
	return d
}

func unescape(t *testing.T, text string) string {
	if strings.HasPrefix(text, "wrap:") || strings.HasPrefix(text, "nowrap:") || strings.TrimSpace(text) == "" {
		t.Errorf("text with a meaning of its own: %q", text)
	}
	return entity.ReplaceAllStringFunc(text, func(code string) string {
		n, err := strconv.Atoi(code[1 : len(code)-1])
		if err != nil || n > 0x10ffff {
			t.Errorf("%q is no character", code)
		}
		return string(rune(n))
	})
}

// Whatever events, aliases and errors are called, the diagram keeps to the grammar
// and says what they are called.
func TestMermaid_NamesAreEscaped(t *testing.T) {
	names := []string{
		"end", "a;b", "#59;", "x#y", "-->>", "A->>B: x", "%% comment", "wrap: it", "participant", "a\nb", "\"<br/>", "über 日本", "☃;", "\x00", " ", "{}[]()",
		strings.Repeat("long ", 100),
	}
	k, rec := recorded(t, kernel.Simulated, 0)
	for _, name := range names {
		alias := strings.NewReplacer("#", "♯", "@", "").Replace(name) // which an alias cannot begin with, or have
		_, err := k.Spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield(name) },
			name:     func(*kernel.Context) error { return fmt.Errorf("error %s", name) },
			"die":    func(c *kernel.Context) error { c.SigHandled(); return nil },
		}, kernel.Alias(alias))
		must(err)
	}
	run(t, k)
	s := rec.Snapshot()
	d := parseMermaid(t, written(t, func(b *strings.Builder) error { return s.WriteMermaid(b) }))
	for i, name := range names {
		shown := strings.NewReplacer("\n", " ", "\x00", " ").Replace(name)
		if len(shown) > 60 {
			shown = shown[:60] + "…"
		}
		if strings.TrimSpace(shown) == "" {
			shown = "?"
		}
		id := fmt.Sprint("s", i+1)
		if want := fmt.Sprintf("%s-)%s: %s", id, id, shown); !slices.Contains(d.messages, want) {
			t.Errorf("no message %q", want)
		}
		if label := d.labels[id]; !strings.HasPrefix(label, fmt.Sprintf("#%d (", i+1)) {
			t.Errorf("session %d is called %q", i+1, label)
		}
	}
}

// A long run, between many sessions, gives a chart that can still be read, and
// that says what it leaves out.
func TestMermaid_IsBounded(t *testing.T) {
	k, rec := recorded(t, kernel.Simulated, 0)
	const sessions, rounds = 100, 10
	for range sessions {
		_, err := k.Spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("x", 0) },
			"x": func(c *kernel.Context) error {
				if n := c.Arg(0).(int); n < rounds {
					return c.Yield("x", n+1)
				}
				return nil
			},
		})
		must(err)
	}
	run(t, k)
	s := rec.Snapshot()
	d := parseMermaid(t, written(t, func(b *strings.Builder) error { return s.WriteMermaid(b) }))
	shown := len(d.messages)
	for _, note := range d.notes {
		if strings.HasPrefix(note, "stops: ") {
			shown++
		}
	}
	if shown != 200 {
		t.Errorf("%d messages and stops, want 200", shown)
	}
	if len(d.labels) != 20 {
		t.Errorf("%d participants, want 20", len(d.labels))
	}
	if others := d.labels["others"]; !regexp.MustCompile(`^\d+ others$`).MatchString(others) {
		t.Errorf("the others are called %q", others)
	}
	if len(d.notes) == 0 || !regexp.MustCompile(`^\d+ earlier events are left out$`).MatchString(d.notes[0]) {
		t.Fatalf("the first note does not say what is left out: %q", d.notes)
	}
	var left int
	fmt.Sscan(d.notes[0], &left)
	if want := int(s.Forgotten) + charted(s.Records) - 200; left != want {
		t.Errorf("%d are said to be left out, want %d", left, want)
	}
}

// Nothing recorded is a diagram, too.
func TestMermaid_Empty(t *testing.T) {
	_, rec := recorded(t, kernel.Simulated, 0)
	s := rec.Snapshot()
	d := parseMermaid(t, written(t, func(b *strings.Builder) error { return s.WriteMermaid(b) }))
	if len(d.messages)+len(d.notes) > 0 || len(d.labels) != 1 {
		t.Errorf("of nothing: %+v", d)
	}
}
