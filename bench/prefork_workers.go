package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fewWorkers is how many a server has whose workers are looked at.
const fewWorkers = 8

// needProc says why nobody can look at them here.
func needProc() error {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		return fmt.Errorf("%w; this is measured on Linux only", err)
	}
	return nil
}

// childrenOf are the processes that a process has started and that it has not waited
// for.
func childrenOf(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // each thread has its own
	for _, list := range lists {
		text, _ := os.ReadFile(list) // an error: the thread is gone
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// masterOf is the process that has several workers: a shell or the go command may have
// started it.
func masterOf(pid int) int {
	for {
		children := childrenOf(pid)
		if len(children) != 1 {
			return pid
		}
		pid = children[0]
	}
}

// crew waits until the server answers, and has all its workers, which have nothing to
// do any more.
func (s *server) crew() (master int, workers []int, err error) {
	if err := greet(s.addr); err != nil {
		return 0, nil, err
	}
	err = soon("a server with all its workers", func() bool {
		master = masterOf(s.cmd.Process.Pid)
		workers = childrenOf(master)
		return len(workers) == fewWorkers
	})
	if err == nil {
		_, err = shareOf(workers)
	}
	return master, workers, err
}

// soon waits for what can only be seen by looking.
func soon(what string, seen func() bool) error {
	for limit := time.Now().Add(30 * time.Second); !seen(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			return fmt.Errorf("%w: %s was not seen in 30 s; run the server alone with -serve", errSample, what)
		}
	}
	return nil
}

// proportionalMemory is what a process has of memory where each of n processes that
// share a page has one nth of it (PSS): workers share their program's.
func proportionalMemory(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kilobytes int64
		if n, _ := fmt.Sscanf(s.Text(), "Pss: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, nil
		}
	}
	return 0, fmt.Errorf("%w: %s has no Pss; leave the row out", errSample, name)
}

// shareOf is that of several processes together, when it has settled.
func shareOf(pids []int) (int64, error) {
	return settled(func() (sum int64, err error) {
		for _, pid := range pids {
			n, weighed := proportionalMemory(pid)
			sum, err = sum+n, errors.Join(err, weighed)
		}
		return sum, err
	})
}

// idleWorkers weighs as many workers as are asked for, of a server that has answered
// one request.
func idleWorkers(s *server) (Runner, func(), error) {
	_, workers, err := s.crew()
	return func(ops int) (sample Sample, err error) {
		if ops > len(workers) {
			return sample, fmt.Errorf("%w: %d workers are asked for, and there are %d", errSample, ops, len(workers))
		}
		began := time.Now()
		kept, err := shareOf(workers[:ops])
		return Sample{Ops: ops, Elapsed: time.Since(began), TimeOnly: true, Kept: kept}, err
	}, func() {}, err
}

// reloads has the server replace its workers by others, over and over: from the signal
// until none of the old ones is left and all of the new ones are there.
func reloads(s *server) (Runner, func(), error) {
	master, workers, err := s.crew()
	return func(ops int) (sample Sample, err error) {
		sample = Sample{Ops: ops, TimeOnly: true}
		for range ops {
			began := time.Now()
			if err := syscall.Kill(master, reloadSignal(master)); err != nil {
				return sample, fmt.Errorf("reload: %w", err)
			}
			old := workers
			if err := soon("the end of a reload", func() bool {
				workers = childrenOf(master)
				return len(workers) == fewWorkers && disjoint(old, workers)
			}); err != nil {
				return sample, err
			}
			sample.Waits = append(sample.Waits, time.Since(began))
			sample.Elapsed += time.Since(began)
			if err := greet(s.addr); err != nil {
				return sample, err
			}
		}
		return sample, nil
	}, func() {}, err
}

// reloadSignal is HUP but for Apache, whose HUP ends what is being served.
func reloadSignal(master int) syscall.Signal {
	if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", master)); string(name) == "apache2\n" {
		return syscall.SIGUSR1
	}
	return syscall.SIGHUP
}

func disjoint(a, b []int) bool {
	seen := make(map[int]bool, len(a))
	for _, v := range a {
		seen[v] = true
	}
	for _, v := range b {
		if seen[v] {
			return false
		}
	}
	return true
}
