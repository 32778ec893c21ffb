package kernel

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
)

// Goroutines lists what still runs of the goroutines that handlers of this kernel
// started, and of those that these started: for which session, the function it
// began with and where that is now, and where it was started. It tells them by
// profiler labels, which goroutines inherit, so it knows them with Config.Debug
// only. A handler that runs is listed, too; what package os/signal keeps for the
// whole process is not. It stops the program for a moment to look.
func (k *Kernel) Goroutines() []string {
	if k.debug == nil {
		return nil
	}
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1)
	label := fmt.Sprintf("%q:%q", kernelLabel, k.debug.label)
	if !strings.Contains(profile.String(), label) {
		return nil
	}
	_, blocks, _ := strings.Cut(profile.String(), "\n") // the first line is a total
	begun := origins(allStacks())
	var list []string
	for block := range strings.SplitSeq(blocks, "\n\n") {
		if strings.Contains(block, label) && !strings.Contains(block, "\tos/signal.") {
			list = append(list, describeGoroutines(block, begun))
		}
	}
	slices.Sort(list)
	return list
}

// describeGoroutines makes a line of a block of the goroutine profile: how many
// goroutines, their labels, and the stack that they have in common, outermost
// function last, each with its address and its position.
func describeGoroutines(block string, begun map[string][]string) string {
	_, session, _ := strings.Cut(block, `"`+sessionLabel+`":"`)
	session, _, _ = strings.Cut(session, `"`)
	line := "goroutine of session " + session
	if n, _, _ := strings.Cut(block, " "); n != "1" {
		line = n + " times " + line
	}
	last := strings.Fields(block[strings.LastIndexByte(strings.TrimRight(block, "\n"), '\n')+1:])
	if len(last) != 4 || !strings.HasPrefix(last[1], "0x") {
		return line + ", which has just been started"
	}
	fn, _, _ := strings.Cut(last[2], "+0x")
	line += fmt.Sprintf(": %s, now at %s", fn, short(last[3]))
	if at := begun[fn]; len(at) > 0 {
		line += ", started at " + strings.Join(at, " or ")
	}
	return line
}

// origins says of each function that a goroutine began with where that was.
// Profiles do not know it, and stacks know no labels.
func origins(stacks string) map[string][]string {
	found := make(map[string][]string)
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		before, _, ok := strings.Cut(stack, "\ncreated by ")
		if !ok {
			continue
		}
		lines := strings.Split(before, "\n")
		fn := lines[max(0, len(lines)-2)] // the last pair of function and file
		if open := strings.LastIndexByte(fn, '('); open > 0 {
			fn = fn[:open]
		}
		if at := startedAt(stack); !slices.Contains(found[fn], at) {
			found[fn] = append(found[fn], at)
		}
	}
	for _, at := range found {
		slices.Sort(at)
	}
	return found
}
