//go:build unix

package prefork

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newBoard(t *testing.T, slots int) *scoreboard {
	t.Helper()
	b, err := createScoreboard(slots)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.close() })
	return b
}

// again maps b a second time, as a worker does.
func again(t *testing.T, b *scoreboard) *scoreboard {
	t.Helper()
	fd, err := unix.FcntlInt(b.file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	other, err := mapScoreboard(os.NewFile(uintptr(fd), "again"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.close() })
	return other
}

func TestP12_WorkerWritesAreSeenByTheMaster(t *testing.T) {
	master := newBoard(t, 3)
	worker := again(t, master)
	start := time.Now()
	master.assign(1, 7, 3, start)
	s, err := worker.seat(1, 7, 4242)
	if err != nil {
		t.Fatal(err)
	}
	s.set(StateBusy, start.Add(time.Second))
	s.show(start.Add(2 * time.Second))
	s.connection()
	if n := s.connection(); n != 2 {
		t.Errorf("the second connection counts as %d", n)
	}
	if n := s.request(); n != 1 {
		t.Errorf("the first request counts as %d", n)
	}
	got := master.snapshot(nil)
	if len(got) != 3 {
		t.Fatalf("%d lines, want 3", len(got))
	}
	w := got[1]
	if w.Slot != 1 || w.State != StateBusy || w.PID != 4242 || w.Life != 7 || w.Generation != 3 || w.Letter != "W" || w.Connections != 2 || w.Requests != 1 {
		t.Errorf("the line reads %+v", w)
	}
	// Each mapping has its own reading of the clock, a moment apart.
	for _, d := range []struct {
		name string
		got  time.Time
		want time.Duration
	}{{"started", w.Started, 0}, {"changed", w.Changed, time.Second}, {"beat", w.Beat, 2 * time.Second}} {
		if off := d.got.Sub(start) - d.want; off.Abs() > 100*time.Millisecond {
			t.Errorf("%s is off by %v", d.name, off)
		}
	}
	for _, i := range []int{0, 2} {
		if got[i] != (WorkerStatus{Slot: i, Letter: "."}) {
			t.Errorf("line %d was written to: %+v", i, got[i])
		}
	}
}

func TestP13_OnlyTheMasterEmptiesALine(t *testing.T) {
	b := newBoard(t, 1)
	b.assign(0, 1, 1, someday)
	s, err := b.seat(0, 1, 99)
	if err != nil {
		t.Fatal(err)
	}
	s.connection()
	s.request()
	s.set(StateDraining, someday)
	b.vacate(0, 1, someday)
	got := b.snapshot(nil)[0]
	if got.State != StateDead || got.PID != 0 || got.Connections != 0 || got.Requests != 0 || got.Life != 1 {
		t.Fatalf("an emptied line reads %+v", got)
	}
}

func TestP80_BeatsDoNotDependOnTheWallClock(t *testing.T) {
	now := time.Now()
	a := clock{base: now, count: 1_000}
	b := clock{base: now.Add(-time.Hour).Round(0), count: 1_000} // its wall clock is an hour behind
	beat := a.encode(now.Add(3 * time.Second))
	if got := b.decode(beat).Sub(b.base); got != 3*time.Second {
		t.Fatalf("a beat after 3 s reads as one after %v", got)
	}
	if n := a.encode(time.Time{}); n != 0 || !a.decode(n).IsZero() {
		t.Fatal("never does not stay never")
	}
}

func TestP21_SeatOfAnotherWorkerIsRefused(t *testing.T) {
	b := newBoard(t, 2)
	b.assign(1, 5, 1, someday)
	for _, c := range []struct {
		slot int
		life uint64
		want string
	}{
		{1, 4, "slot 1 is for worker 5, not 4"},
		{2, 5, "slot 2 of 2"},
		{-1, 5, "slot -1 of 2"},
	} {
		_, err := b.seat(c.slot, c.life, 1)
		if !errors.Is(err, ErrScoreboard) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("slot %d for worker %d: %v, want %s", c.slot, c.life, err, c.want)
		}
	}
}

func TestP12_OtherFilesAreRefused(t *testing.T) {
	valid := func(change func(h *header)) func(*os.File) {
		return func(f *os.File) {
			if err := f.Truncate(3 * lineSize); err != nil {
				t.Fatal(err)
			}
			data, err := mapShared(f, 3*lineSize)
			if err != nil {
				t.Fatal(err)
			}
			h := headerOf(data)
			h.magic.Store(boardMagic)
			h.version.Store(boardVersion)
			h.slots.Store(2)
			change(h)
			if err := unix.Munmap(data); err != nil {
				t.Fatal(err)
			}
		}
	}
	sized := func(n int64) func(*os.File) {
		return func(f *os.File) {
			if err := f.Truncate(n); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, want string
		fill       func(*os.File)
	}{
		{"valid", "", valid(func(*header) {})},
		{"empty", "a file of 0 bytes", sized(0)},
		{"header only", "a file of 128 bytes", sized(lineSize)},
		{"cut short", "a file of 383 bytes", sized(3*lineSize - 1)},
		{"too long", "a file of 1048832 bytes", sized(lineSize * (2 + maxSlots))},
		{"zeros", "it begins with 0x0", sized(3 * lineSize)},
		{"magic", "it begins with 0xbad", valid(func(h *header) { h.magic.Store(0xbad) })},
		{"version", "version 9, want 2", valid(func(h *header) { h.version.Store(9) })},
		{"more slots than lines", "3 slots in 384 bytes", valid(func(h *header) { h.slots.Store(3) })},
		{"absurd slots", "18446744073709551615 slots in 384 bytes", valid(func(h *header) { h.slots.Store(1<<64 - 1) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "board"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			c.fill(f)
			_, err = mapScoreboard(f)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (!errors.Is(err, ErrScoreboard) || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestP12_SlotsAreBounded(t *testing.T) {
	for _, n := range []int{-1, 0, maxSlots + 1, 1 << 60} {
		if _, err := createScoreboard(n); !errors.Is(err, ErrScoreboard) {
			t.Errorf("%d slots: %v, want ErrScoreboard", n, err)
		}
	}
	if got := len(newBoard(t, maxSlots).snapshot(nil)); got != maxSlots {
		t.Errorf("%d lines, want %d", got, maxSlots)
	}
}

func TestP12_UnknownStateIsOnlyData(t *testing.T) {
	b := newBoard(t, 1)
	b.lines[0].state.Store(1<<32 + uint64(StateIdle)) // would be idle if cut to a byte
	if got := b.snapshot(nil)[0].State; got.Letter() != '?' {
		t.Fatalf("reads as %v", got)
	}
}

func TestP38_ScoreboardLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	b := newBoard(t, 4)
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) != 0 {
		t.Fatalf("files in the temporary directory: %v, %v", left, err)
	}
	if runtime.GOOS == "linux" {
		if err := b.file.Truncate(0); !errors.Is(err, unix.EPERM) {
			t.Fatalf("a worker could shrink the scoreboard under the master: %v", err)
		}
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if got := len(b.snapshot(nil)); got != 4 {
		t.Fatalf("%d lines after close, want 4", got)
	}
}

func TestP12_ReadersAndWritersNeedNoLock(t *testing.T) {
	master := newBoard(t, 2)
	var all sync.WaitGroup
	for slot := range 2 {
		master.assign(slot, 1, 1, someday)
		s, err := again(t, master).seat(slot, 1, 10+slot)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for range 500 {
				s.set(StateBusy, someday)
				s.connection()
				s.set(StateIdle, someday)
				s.show(someday)
			}
		})
	}
	var last [2]uint64
	for range 200 {
		for i, w := range master.snapshot(nil) {
			if w.Connections < last[i] || w.PID != 10+i {
				t.Errorf("line %d went back: %+v", i, w)
			}
			last[i] = w.Connections
		}
	}
	all.Wait()
	for i, w := range master.snapshot(nil) {
		if w.Connections != 500 || w.State != StateIdle {
			t.Errorf("line %d ends as %+v", i, w)
		}
	}
}
