package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fenced is a code block of README.md. A Go block is a whole program: it follows
// a line that names its file in backquotes, and is that file. A text block that
// follows a Go block is what the program prints.
type fenced struct {
	lang, file, text string
}

var (
	fence    = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")
	fileName = regexp.MustCompile("`([a-z0-9_/]+\\.go)`")
)

func blocks(t *testing.T) []fenced {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return blocksOf(string(readme))
}

func blocksOf(text string) (all []fenced) {
	at := 0
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		before := text[at:m[0]]
		b := fenced{lang: text[m[2]:m[3]], text: text[m[4]:m[5]]}
		if names := fileName.FindAllStringSubmatch(before, -1); len(names) > 0 {
			b.file = names[len(names)-1][1]
		}
		all, at = append(all, b), m[1]
	}
	return all
}

// TestReadmePrograms compares every program that README.md shows with its file,
// and what it shows as its output with what the program prints.
func TestReadmePrograms(t *testing.T) {
	programs := 0
	for i, b := range blocks(t) {
		if b.lang != "go" {
			continue
		}
		programs++
		if b.file == "" {
			t.Errorf("Go block %d names no file; every program shown is a file that is compiled", i)
			continue
		}
		t.Run(b.file, func(t *testing.T) {
			file, err := os.ReadFile("../" + b.file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(file), b.text) {
				t.Errorf("README.md does not show %s as it is", b.file)
			}
			rest := blocks(t)[i+1:]
			if len(rest) == 0 || rest[0].lang != "text" {
				return
			}
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, "go", "run", "./"+filepath.Dir("../"+b.file)).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if string(out) != rest[0].text {
				t.Errorf("it prints\n%s\nbut README.md says\n%s", out, rest[0].text)
			}
		})
	}
	if programs == 0 {
		t.Error("README.md shows no program")
	}
}

// TestReadmeCommands runs the commands of README.md, but for those that the
// tests of their own package run (the tour) or that would run this test.
func TestReadmeCommands(t *testing.T) {
	known := map[string]bool{
		"go run ./examples/tour": true, // examples/tour
		"go test ./...":          true,
		"go run ./bench":         true, // bench
	}
	commands := 0
	for _, b := range blocks(t) {
		if b.lang != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			commands++
			if !known[line] {
				t.Errorf("nobody tests the command %q", line)
			}
		}
	}
	if commands < 2 {
		t.Errorf("README.md has %d commands; want the one for the main job and the one for the tests", commands)
	}
}
