package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// task is one row and the peers to measure in it.
type task struct {
	Group *Group
	Row   *Row
	Peers []string
}

// pick chooses from gs by name; nil lists choose everything. A name that
// nothing has is an error: a silently empty comparison would look like success.
// So is a choice that leaves nothing, such as a row of another group.
func pick(gs []*Group, groups, rows, peers []string) ([]task, error) {
	var knownGroups, knownRows, knownPeers []string
	var plan []task
	for _, g := range gs {
		knownGroups = append(knownGroups, g.Name)
		for _, p := range g.Peers {
			if !slices.Contains(knownPeers, p) {
				knownPeers = append(knownPeers, p)
			}
		}
		for _, r := range g.Rows {
			knownRows = append(knownRows, r.Name)
			t := task{Group: g, Row: r}
			for _, p := range g.Peers {
				if r.has(p) && wanted(peers, p) {
					t.Peers = append(t.Peers, p)
				}
			}
			if len(t.Peers) > 0 && wanted(groups, g.Name) && wanted(rows, r.Name) {
				plan = append(plan, t)
			}
		}
	}
	for _, c := range []struct {
		flag         string
		asked, known []string
	}{{"group", groups, knownGroups}, {"row", rows, knownRows}, {"peer", peers, knownPeers}} {
		for _, name := range c.asked {
			if !slices.Contains(c.known, name) {
				return nil, fmt.Errorf("%w: -%s is %q; want one of %s", errUsage, c.flag, name, strings.Join(c.known, ", "))
			}
		}
	}
	if len(plan) == 0 {
		return nil, fmt.Errorf("%w: no row fits all of -group, -row and -peer; leave one of them out", errUsage)
	}
	return plan, nil
}

func wanted(list []string, name string) bool {
	return list == nil || slices.Contains(list, name)
}

// runnable leaves out the peers that this machine cannot run, and says so to w,
// once for each. When nothing is left it is an error.
func runnable(plan []task, w io.Writer) ([]task, error) {
	why := make(map[string]error)
	var left []task
	var missing []error
	for _, t := range plan {
		t.Peers = slices.DeleteFunc(slices.Clone(t.Peers), func(p string) bool {
			for _, name := range []string{p, p + "/" + t.Row.Name} {
				need := t.Group.Needs[name]
				if need == nil {
					continue
				}
				err, asked := why[name]
				if !asked {
					if err = need(); err != nil {
						fmt.Fprintf(w, "bench: %s is not measured: %v\n", name, err)
						missing = append(missing, err)
					}
					why[name] = err
				}
				if err != nil {
					return true
				}
			}
			return false
		})
		if len(t.Peers) > 0 {
			left = append(left, t)
		}
	}
	if len(left) == 0 {
		return nil, errors.Join(missing...)
	}
	return left, nil
}
