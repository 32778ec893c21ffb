package wheel_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// What POE dies of is an error that says which field, and what to do.
func TestW78_WhatIsRequired(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	good := tailConfig{Filename: "log", Filter: filter.Line(), InputEvent: gotLine}
	for _, test := range []struct {
		spoil func(*tailConfig)
		want  string
	}{
		{func(c *tailConfig) { c.Filename = "" }, "FollowTailConfig.Filename is empty; set it, or Handle"},
		{func(c *tailConfig) { c.Handle = file }, "FollowTailConfig.Handle is set beside Filename \"log\"; set one"},
		{func(c *tailConfig) { c.Filter = nil }, "FollowTailConfig.Filter is nil; set one"},
		{func(c *tailConfig) { c.InputEvent = "" }, "FollowTailConfig.InputEvent is empty; set it"},
		{func(c *tailConfig) { c.Seek, c.SeekBack = new(int64(1)), new(int64(0)) }, "FollowTailConfig.SeekBack is set beside Seek"},
		{func(c *tailConfig) { c.PollInterval = -1 }, "FollowTailConfig.PollInterval is -1ns"},
		{func(c *tailConfig) { c.Credit = -1 }, "FollowTailConfig.Credit is -1"},
		{func(c *tailConfig) { c.Filename = t.TempDir() }, "a directory; name a file in it"},
	} {
		cfg := good
		test.spoil(&cfg)
		k := kernel.New(kernel.Config{Mode: kernel.Serial})
		_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
			_, err := wheel.NewFollowTail(c, cfg)
			return err
		})))
		if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// A file that is there and may not be read is the constructor's error.
func TestFollowTail_UnreadableFile(t *testing.T) {
	loop := filepath.Join(t.TempDir(), "loop")
	link(t, loop, loop)
	k := kernel.New(kernel.Config{Mode: kernel.Serial})
	_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
		_, err := wheel.NewFollowTail(c, tailConfig{Filename: loop, Filter: filter.Line(), InputEvent: gotLine})
		return err
	})))
	var e *wheel.Error
	if !errors.As(err, &e) || e.Op != "open" {
		t.Errorf("got %v, want an *Error of open", err)
	}
}

// The last 4096 bytes give no whole record, but the beginning of one.
func TestW79_DefaultStart(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, numbered(2000)+"par")
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "tial\nwhole\n")
		f.want("partial", "whole")
	})
}

func TestW79_ShortFile(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "old\nnew")
		f := follow(t, k, cfg)
		grow(t, cfg.Filename, "er\n")
		f.want("newer")
	})
}

func TestW80_SeekAndSeekBack(t *testing.T) {
	for _, test := range []struct {
		seek, back *int64
		want       string
	}{
		{seek: new(int64(0)), want: "one two six"},
		{seek: new(int64(4)), want: "two six"},
		{seek: new(int64(-4)), want: "six"},
		{seek: new(int64(-400)), want: "one two six"},
		{seek: new(int64(400)), want: ""},
		{back: new(int64(0)), want: ""},
		{back: new(int64(6)), want: "o six"},
		{back: new(int64(400)), want: "one two six"},
		{back: new(int64(-8)), want: "six"},
		{back: new(int64(-400)), want: ""},
	} {
		tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
			write(t, cfg.Filename, "one\ntwo\nsix\n")
			cfg.Seek, cfg.SeekBack = test.seek, test.back
			f := follow(t, k, cfg)
			grow(t, cfg.Filename, "end\n")
			f.want(append(strings.Fields(test.want), "end")...)
		})
	}
}

// While data is there, nobody waits for a PollInterval.
func TestW81_ReadsOnWithoutWaiting(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		const lines = 20000
		write(t, cfg.Filename, numbered(lines))
		cfg.Seek, cfg.PollInterval = new(int64(0)), never
		f := follow(t, k, cfg)
		for i := range lines {
			f.want(fmt.Sprintf("line %d", i))
		}
	})
}

// PollInterval is what finds new data when the system does not tell.
func TestW81_PollInterval(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		path := filepath.Join(t.TempDir(), "log")
		write(t, path, "")
		f := newFollower(t, tailConfig{Filename: path, Poll: true, PollInterval: 10 * time.Millisecond})
		f.cfg.IdleEvent = idle
		f.start(k)
		f.want("idle") // so this is at the end, and waits
		grow(t, path, "late\n")
		for {
			switch got := <-f.said; got {
			case "idle":
				continue
			case "late":
			default:
				t.Errorf("told %q", got)
			}
			return
		}
	})
}

// The system tells of everything that matters: nobody polls here.
func TestFollowTail_ToldNotPolled(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		path := filepath.Join(t.TempDir(), "log")
		f := follow(t, k, tailConfig{Filename: path, PollInterval: never})
		write(t, path, "one\n")
		f.want("reset appeared", "one")
		grow(t, path, "two\n")
		f.want("two")
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		f.want("reset truncated")
		grow(t, path, "three\n")
		f.want("three")
	})
}

// The target of a link is watched where it is.
func TestFollowTail_ToldOfALinksTarget(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		target, at := filepath.Join(t.TempDir(), "target"), filepath.Join(t.TempDir(), "link")
		write(t, target, "")
		link(t, target, at)
		f := follow(t, k, tailConfig{Filename: at, PollInterval: never})
		for i := range 20 {
			line := fmt.Sprint("line ", i)
			grow(t, target, line+"\n")
			f.want(line)
		}
	})
}

func TestW82_WaitsForTheFile(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		f := follow(t, k, cfg)
		write(t, cfg.Filename, "one\ntwo\n")
		f.want("reset appeared", "one", "two")
	})
}

func TestW82_WaitsForTheDirectory(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		dir := filepath.Dir(cfg.Filename) + "/later/still"
		cfg.Filename = dir + "/log"
		f := follow(t, k, cfg)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, cfg.Filename, "one\n")
		f.want("reset appeared", "one")
		rename(t, dir, dir+".old")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		grow(t, dir+".old/log", "two\n")
		write(t, cfg.Filename, "three\n")
		f.want("two", "reset replaced", "three")
	})
}

func TestW82_NoResetForAPresentFile(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "one\n")
		cfg.Seek = new(int64(0))
		f := follow(t, k, cfg)
		f.want("one")
		grow(t, cfg.Filename, "two\n")
		f.want("two")
	})
}
