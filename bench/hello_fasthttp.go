package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

func init() {
	hello.serve(goFasthttp, map[string]Server{"hello-http": fasthttpServer(0)})
	hello.serve(fasthttpPrefork, map[string]Server{
		"hello-http": fasthttpServer(runtime.NumCPU()), "idle-worker": fasthttpServer(fewWorkers),
	})
}

// fasthttpServer does the work in so many processes, or with 0 in its only one.
func fasthttpServer(workers int) Server {
	return Server{Program: func() *exec.Cmd {
		dir, _ := fasthttpModule()
		return exec.Command("go", "-C", dir, "run", ".", "-workers", strconv.Itoa(workers))
	}}
}

// fasthttpModule is the folder of its server, beside this program's source.
var fasthttpModule = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/usher-go/usher").Output()
	if err != nil {
		return "", fmt.Errorf("finding Usher's source: %w; run bench in it, with Go installed", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "bench", "fasthttp"), nil
})

// needFasthttp builds it once, so that nobody waits for that later.
func needFasthttp() error {
	dir, err := fasthttpModule()
	if err != nil {
		return err
	}
	if out, err := exec.Command("go", "-C", dir, "vet", ".").CombinedOutput(); err != nil {
		return fmt.Errorf("building bench/fasthttp: %w, %.200q; it needs Go's module proxy once", err, out)
	}
	return nil
}
