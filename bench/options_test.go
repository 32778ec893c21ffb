package main

import (
	"errors"
	"flag"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	got, err := parse(strings.Fields("-rounds 7 -time 1s -row a,b -row c -many 9 -conns 8 -json"), io.Discard)
	want := options{Rounds: 7, Time: time.Second, Rows: []string{"a", "b", "c"}, Many: 9, Conns: 8, JSON: true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	got, err = parse(nil, io.Discard)
	if want := (options{Rounds: 5, Time: 200 * time.Millisecond, Many: 1_000_000, Conns: 20_000}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("defaults are %+v, %v; want %+v", got, err, want)
	}
}

func TestOptionsRefuseNonsense(t *testing.T) {
	for args, want := range map[string]string{
		"-rounds 0":         "-rounds is 0; want 1 or more",
		"-time -1s":         "-time is -1s; want more than 0",
		"-child a/b -ops=-": "invalid value",
		"-many 0":           "-many is 0; want 1 or more",
		"-conns 0":          "-conns is 0; want 1 or more",
		"-child a -serve a": "leave one of them out",
		"-ops -3":           "-ops is -3; want",
		"-ops 3":            "need -child",
		"-cpuprofile f":     "need -child",
		"flood":             `argument "flood"; want flags only`,
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", args, err, want)
		}
	}
}

func TestHelpExplainsFlagsAndRows(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: %v, want flag.ErrHelp", err)
	}
	for _, flag := range []string{"-conns int", "-serve peer/row"} {
		if !strings.Contains(help.String(), flag) {
			t.Errorf("no word on %s in\n%s", flag, help.String())
		}
	}
	for _, g := range groups {
		if g.About == "" || !strings.Contains(help.String(), "\n"+g.Name+": "+g.About) {
			t.Errorf("group %s is %q, which is not in -help", g.Name, g.About)
		}
		for _, r := range g.Rows {
			if !strings.Contains(help.String(), "  "+r.Name) || !strings.Contains(help.String(), r.About) {
				t.Errorf("row %s, %q, is not in -help", r.Name, r.About)
			}
		}
	}
}
