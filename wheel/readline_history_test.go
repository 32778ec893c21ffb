package wheel_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/wheel"
)

func history(t *testing.T, h *wheel.History, want ...string) {
	t.Helper()
	if got := h.Lines(); !slices.Equal(got, want) {
		t.Errorf("history %.200q, want %.200q", got, want)
	}
}

func TestW93_HistoryIsBounded(t *testing.T) {
	h := &wheel.History{Limit: 3}
	h.Add("a", "a", "", " ", "b\x1b[2J", "b\nc", "\xff", strings.Repeat("ä", 4097), "b")
	history(t, h, "a", "b")
	h.Add(strings.Repeat("ä", 4096))
	h.Add("c", "d")
	history(t, h, strings.Repeat("ä", 4096), "c", "d")
	h.Truncate(5)
	h.Truncate(1)
	history(t, h, "d")
	h.Truncate(-1)
	history(t, h)

	h = &wheel.History{}
	for i := range 3 * wheel.DefaultHistory {
		h.Add(fmt.Sprint(i))
	}
	if lines := h.Lines(); len(lines) != wheel.DefaultHistory || lines[0] != "2000" {
		t.Errorf("%d lines from %s on", len(lines), lines[0])
	}
}

// What is written is read again, by its owner only; a file may hold anything.
func TestW93_HistoryFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history")
	h := &wheel.History{}
	if err := h.ReadFile(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.Add("eins", "zwei Wörter")
	if err := h.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	info, statErr := os.Stat(name)
	if err := errors.Join(err, statErr); err != nil || string(text) != "eins\nzwei Wörter\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v", text, info.Mode(), err)
	}

	junk := "\r\n\x00\n" + strings.Repeat("x", 1<<20) + "\nthree\r\n\xff\xfe\nlast"
	if err := os.WriteFile(name, append(text, junk...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := &wheel.History{}
	if err := again.ReadFile(name); err != nil {
		t.Error(err)
	}
	history(t, again, "eins", "zwei Wörter", "three", "last")

	if err := h.WriteFile(filepath.Join(name, "below")); err == nil {
		t.Error("a file below a file was written")
	}
	if err := h.ReadFile(filepath.Dir(name)); err == nil {
		t.Error("a folder was read")
	}
	if left, err := os.ReadDir(filepath.Dir(name)); len(left) != 1 || err != nil {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestW93_HistoryIsForAnyGoroutine(t *testing.T) {
	h := &wheel.History{Limit: 10}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 100 {
				h.Add(fmt.Sprint(i, j))
				_ = h.Lines()
				h.Truncate(5)
			}
		})
	}
	all.Wait()
	if n := len(h.Lines()); n > 5 {
		t.Errorf("%d lines", n)
	}
}
