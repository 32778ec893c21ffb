package wheel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The rest of the old file comes first, even what is written after its rename.
func TestW83_RenameAndCreate(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "")
		f := follow(t, k, cfg)
		old := cfg.Filename
		for i := range 5 {
			grow(t, old, fmt.Sprintf("a%d\nb%d\n", i, i))
			to := fmt.Sprint(cfg.Filename, ".", i)
			rename(t, old, to)
			grow(t, to, fmt.Sprintf("c%d\n", i))
			write(t, old, fmt.Sprintf("d%d\n", i))
			f.want(fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i), "reset replaced", fmt.Sprint("d", i))
		}
	})
}

func TestW83_LinkChanges(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		dir := filepath.Dir(cfg.Filename)
		point := func(to string) {
			link(t, to, cfg.Filename+".new")
			rename(t, cfg.Filename+".new", cfg.Filename)
		}
		write(t, dir+"/a", "")
		write(t, dir+"/b", "b1\n")
		point("a")
		f := follow(t, k, cfg)
		grow(t, dir+"/a", "a1\n")
		f.want("a1")
		grow(t, dir+"/a", "a2\n")
		point("b")
		f.want("a2", "reset replaced", "b1")
		grow(t, dir+"/b", "b2\n")
		f.want("b2")
	})
}

func TestW83_Shrinks(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "")
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "one\ntwo\n")
		f.want("one", "two")
		if err := os.Truncate(cfg.Filename, 0); err != nil {
			t.Fatal(err)
		}
		grow(t, cfg.Filename, "x\n")
		f.want("reset truncated", "x")
	})
}

// A file without a name goes on; one that gets the name later is another.
func TestW83_UnlinkedIsNoError(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "")
		f := follow(t, k, cfg)
		file, err := os.OpenFile(cfg.Filename, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := os.Remove(cfg.Filename); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(file, "one")
		f.want("one")
		fmt.Fprintln(file, "two")
		write(t, cfg.Filename, "three\n")
		f.want("two", "reset replaced", "three")
	})
}

// An unfinished line becomes a record of its own.
func TestW84_NothingIsGlued(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "")
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "one\nunfin")
		rename(t, cfg.Filename, cfg.Filename+".1")
		write(t, cfg.Filename, "two\nalso unf")
		f.want("one", "unfin", "reset replaced", "two")
		if err := os.Truncate(cfg.Filename, 0); err != nil {
			t.Fatal(err)
		}
		f.want("also unf", "reset truncated")
		grow(t, cfg.Filename, "three\n")
		f.want("three")
	})
}

// With NextFilter it comes with the reset, and each file has a filter of its own.
func TestW84_NextFilter(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		made := 0
		semicolons := func() wheel.InputFilter[string] {
			made++
			line, err := filter.NewLine(filter.LineConfig{InputLiteral: ";"})
			if err != nil {
				t.Error(err)
			}
			return line
		}
		write(t, cfg.Filename, "")
		cfg.Filter, cfg.NextFilter = semicolons(), semicolons
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "one;unfin")
		rename(t, cfg.Filename, cfg.Filename+".1")
		write(t, cfg.Filename, "two;")
		f.want("one", `reset replaced "unfin"`, "two")
		f.do(func(*kernel.Context) {
			if made != 2 {
				t.Errorf("%d filters were made, want 2", made)
			}
		})
	})
}

// A filter whose records a newline does not end says so, rather than go wrong.
func TestW84_UnfinishedAndNoNextFilter(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		line, err := filter.NewLine(filter.LineConfig{InputLiteral: ";"})
		if err != nil {
			t.Fatal(err)
		}
		write(t, cfg.Filename, "")
		cfg.Filter = line
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "one;unfin")
		rename(t, cfg.Filename, cfg.Filename+".1")
		write(t, cfg.Filename, "two;")
		const why = "6 bytes of an unfinished record at the end of a file, which a newline does not end; set FollowTailConfig.NextFilter"
		f.want("one", "failed filter "+why, "closed "+why)
	})
}

// A line that was refused as too long, and has no end, does not take the next
// file's first line with it.
func TestW84_RefusedAndUnfinished(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		line, err := filter.NewLine(filter.LineConfig{MaxLength: 10})
		if err != nil {
			t.Fatal(err)
		}
		write(t, cfg.Filename, "")
		cfg.Filter = line
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "one\n"+strings.Repeat("long ", 10))
		f.want("one", "failed filter too long")
		rename(t, cfg.Filename, cfg.Filename+".1")
		write(t, cfg.Filename, "two\n")
		f.want("reset replaced", "two")
	})
}

// A file that was cut and has grown past where it was: what is before that point
// gives it away.
func TestW85_GrownPastTheOldPosition(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "")
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, numbered(3))
		f.want("line 0", "line 1", "line 2")
		f.do(func(*kernel.Context) { f.ft.PauseInput() }) // so that no look sees it short
		if err := os.WriteFile(cfg.Filename, []byte("NEW 0\n"+numbered(10)), 0); err != nil {
			t.Fatal(err)
		}
		f.do(func(*kernel.Context) { f.ft.ResumeInput() })
		f.want("reset truncated", "NEW 0", "line 0", "line 1")
	})
}

// A handle is not opened again, whatever becomes of its name.
func TestW86_Handle(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		path := cfg.Filename
		write(t, path, "skipped\n")
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Filename, cfg.Handle = "", file
		f := follow(t, k, cfg)
		grow(t, path, "one\n")
		f.want("one")
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		f.want("reset truncated")
		grow(t, path, "two\n")
		f.want("two")
		rename(t, path, path+".1")
		write(t, path, "another's\n")
		grow(t, path+".1", "three\n")
		f.want("three")
	})
}

// Files that take the name while input is paused are kept for later, and nothing
// comes before that.
func TestFollowTail_RotationsWhilePaused(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "")
		f := follow(t, k, cfg)
		f.do(func(*kernel.Context) { f.ft.PauseInput() })
		var want []string
		for i := range 4 {
			grow(t, cfg.Filename, fmt.Sprintf("line %d\n", i))
			want = append(want, fmt.Sprintf("line %d", i), "reset replaced")
			rename(t, cfg.Filename, fmt.Sprint(cfg.Filename, ".", i))
			write(t, cfg.Filename, "")
			seen(t, cfg.Filename)
		}
		select {
		case got := <-f.said:
			t.Errorf("told %q while paused", got)
		default:
		}
		f.do(func(*kernel.Context) { f.ft.ResumeInput() })
		f.want(want...)
	})
}

// seen waits until this process has the file open.
func seen(t *testing.T, path string) {
	t.Helper()
	waitFor(t, func() bool { return opened(t, path) > 0 }, "the file is not opened")
}
