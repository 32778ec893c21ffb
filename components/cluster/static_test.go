package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var staticThree = Static{"a": "a:7000", "b": "b:7000", "c": "c:7000"}

// staticTrio is three nodes, each of which claims all shards.
func staticTrio(t *testing.T, shards int) (r *staticRig, a, b, c *staticHost) {
	r = newStaticRig(t)
	a, b, c = r.join("a", staticThree), r.join("b", staticThree), r.join("c", staticThree)
	for _, h := range []*staticHost{a, b, c} {
		for shard := range shards {
			h.in.Claim(shard)
			h.in.Claim(shard)
		}
	}
	return r, a, b, c
}

func TestStatic_Members(t *testing.T) {
	list := Static{"b": "127.0.0.1:0", "c": "c.example:7000", "a": "[::1]:7000"}
	self := Member{Name: "b", Address: "127.0.0.1:4711", Epoch: 9}
	h := &staticHost{staticRig: newStaticRig(t), chance: newLeaseWorld(1, 1, 0, leaseFlaws{}).rnd}
	if _, err := list.Join(t.Context(), self, h); err != nil {
		t.Fatal(err)
	}
	want := []Member{{Name: "a", Address: "[::1]:7000"}, self, {Name: "c", Address: "c.example:7000"}}
	if !slices.Equal(h.members, want) {
		t.Errorf("%+v; want %+v", h.members, want)
	}
	for name, empty := range map[string]Static{"empty": {}, "nil": nil} {
		if _, err := empty.Join(t.Context(), self, h); err != nil || !slices.Equal(h.members, []Member{self}) {
			t.Errorf("%s: %+v, %v; want a cluster of one", name, h.members, err)
		}
	}
}

func TestStatic_BadLists(t *testing.T) {
	self := Member{Name: "a", Address: "127.0.0.1:7000"}
	many := Static{}
	for i := range leaseNodes + 1 {
		many[fmt.Sprint("n", i)] = fmt.Sprintf("n%d:7000", i)
	}
	for name, c := range map[string]struct {
		list Static
		want string
	}{
		"not in it":      {Static{"b": "b:1"}, `"a" is not in it`},
		"no port":        {Static{"a": "a:1", "b": "b"}, `address "b"`},
		"no host":        {Static{"a": "a:1", "b": ":7"}, `address ":7"`},
		"not a port":     {Static{"a": "a:1", "b": "b:http"}, `address "b:http"`},
		"a large port":   {Static{"a": "a:1", "b": "b:65536"}, `address "b:65536"`},
		"port 0":         {Static{"a": "a:0", "b": "b:0"}, `node b has address "b:0"`},
		"no name":        {Static{"a": "a:1", "": "b:1"}, `node ""`},
		"a name with @":  {Static{"a": "a:1", "x@y": "b:1"}, `node "x@y"`},
		"everyone":       {Static{"a": "a:1", "*": "b:1"}, `node "*"`},
		"address in use": {Static{"a": "a:1", "b": "a:1"}, `a and b have the same address`},
		"many":           {many, "want at most 1024"},
	} {
		_, err := c.list.Join(t.Context(), self, &staticHost{staticRig: newStaticRig(t)})
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "cluster.Static") {
			t.Errorf("%s: %v; want %s", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Static{}).Join(ctx, self, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ctx has ended: %v", err)
	}
}

func TestStatic_ClusterOfOne(t *testing.T) {
	r := newStaticRig(t)
	h := r.join("a", Static{})
	h.in.Claim(7)
	r.run(20 * time.Millisecond)
	first := h.owners[7]
	if first.Node != "a" || first.Epoch == 0 || !first.Deadline.After(r.now.Add(2*time.Second)) {
		t.Fatalf("%+v; want it to be owned at once", first)
	}
	r.run(time.Minute)
	if now := h.owners[7]; now.Epoch != first.Epoch || now.Node != "a" || !now.Deadline.After(r.now) {
		t.Errorf("after a minute %+v; want it renewed under the same epoch", now)
	}
	h.in.Release(7)
	if o := h.owners[7]; o.Node != "" || o.Epoch != first.Epoch {
		t.Errorf("%+v after Release", o)
	}
	h.in.Claim(7)
	r.run(200 * time.Millisecond)
	if o := h.owners[7]; o.Node != "a" || o.Epoch <= first.Epoch {
		t.Errorf("%+v; want it under a higher epoch", o)
	}
	h.leave()
	r.run(time.Minute)
	if len(r.queue) != 0 {
		t.Error("a timer is left")
	}
}

// All nodes come to the same owners, in few messages, and stay with them in few.
func TestStatic_FewMessages(t *testing.T) {
	const shards = 64
	r, a, b, c := staticTrio(t, shards)
	r.run(6 * time.Second)
	for pair, n := range r.sent {
		if n > 12 {
			t.Errorf("%v: %d messages until all is owned", pair, n)
		}
	}
	before := r.owned(shards)
	t.Log(before, r.sent, r.most, "bytes at most")
	if before[""] != 0 {
		t.Fatal("not all shards are owned")
	}
	clear(r.sent)
	r.run(20 * time.Second)
	for pair, n := range r.sent { // what is owned is asked for by nobody
		if n > 20+1 || before[pair[0]]+before[pair[1]] == 0 {
			t.Errorf("%v: %d messages in 20 s", pair, n)
		}
	}
	for shard := range shards { // everyone's share, as a placement makes it
		for i, h := range []*staticHost{a, b, c} {
			if shard%3 != i {
				h.in.Release(shard)
			}
		}
	}
	r.run(2 * time.Second)
	for name, n := range r.owned(shards) {
		if n < 21 {
			t.Errorf("%s owns %d", name, n)
		}
	}
	clear(r.sent)
	a.log = nil
	r.run(20 * time.Second)
	r.owned(shards)
	for pair, n := range r.sent {
		if n > 2*20+2 {
			t.Errorf("%v: %d messages in 20 s", pair, n)
		}
	}
	for _, o := range a.log {
		if o.Node != "a" {
			t.Fatalf("%+v was told again", o)
		}
	}
	if n := len(a.log); n > 22*21 {
		t.Errorf("%d deadlines told in 20 s", n)
	}
}

func TestStatic_LeaveFreesAtOnce(t *testing.T) {
	r, a, b, c := staticTrio(t, 8)
	r.run(6 * time.Second)
	r.owned(8)
	a.leave()
	b.leave() // and with two gone there is no majority
	r.run(leaseTime + time.Second)
	for shard, o := range c.owners {
		if o.Node != "" {
			t.Errorf("shard %d: %+v without a majority", shard, o)
		}
	}
	a = r.join("a", staticThree)
	r.run(leaseTime + time.Second)
	if r.owned(8)["c"] != 8 {
		t.Error("c does not own everything that it claims")
	}
	a.in.Claim(3)
	r.run(time.Second)
	c.leave()
	b = r.join("b", staticThree)
	r.run(2 * time.Second)
	if o := a.owners[3]; o.Node != "" {
		t.Errorf("%+v: b cannot know yet what it granted", o)
	}
	r.run(leaseTime)
	if o := b.owners[3]; o.Node != "a" {
		t.Errorf("%+v", o)
	}
}

// A node that is cut off knows by its own clock that it owns nothing any more, before
// another does, and learns who does when it is back.
func TestStatic_CutOff(t *testing.T) {
	r, a, _, _ := staticTrio(t, 8)
	r.run(6 * time.Second)
	r.owned(8)
	for _, h := range r.hosts {
		if h.name != "a" {
			for shard := range 8 {
				h.in.Release(shard)
			}
		}
	}
	r.run(2 * time.Second)
	if r.owned(8)["a"] != 8 {
		t.Fatal("a does not own everything")
	}
	a.cut = true
	for _, h := range r.hosts {
		for shard := range 8 {
			h.in.Claim(shard)
		}
	}
	ends := a.owners[0].Deadline
	r.run(ends.Sub(r.now))
	for _, o := range a.owners {
		if o.Node == "a" && o.Deadline.After(r.now) {
			t.Errorf("%+v with nobody to grant it", o)
		}
	}
	r.run(leaseTime + time.Second - 2*time.Second)
	if n := r.owned(8); n["a"]+n[""] != 0 {
		t.Errorf("%v after %v", n, leaseTime+time.Second)
	}
	a.cut = false
	r.run(2 * leaseTime)
	if n := r.owned(8); n["a"]+n[""] != 0 {
		t.Errorf("%v; want owners to stay", n)
	}
}

// A node with another list is told about, once, and takes no part.
func TestStatic_OtherList(t *testing.T) {
	r := newStaticRig(t)
	a := r.join("a", Static{"a": "a:7000", "b": "b:7000"})
	b := r.join("b", Static{"a": "a:7000", "b": "b:7000", "c": "c:7000"})
	a.in.Claim(0)
	b.in.Claim(0)
	r.run(20 * time.Second)
	for _, h := range r.hosts {
		if len(h.log) != 0 || len(h.failed) != 1 || !errors.Is(h.failed[0], errLeaseCluster) {
			t.Errorf("%s: owners %v, failures %v", h.name, h.log, h.failed)
		}
	}
	a.in.Receive("c", []byte("hello"))
	a.in.Receive("a", nil)
	for i := range 1000 {
		a.in.Receive("b", []byte(strings.Repeat("x", i)))
		a.in.Receive(fmt.Sprint("stranger", i), nil)
		a.in.Claim(-1 - i)
		a.in.Claim(leaseShards + i)
	}
	if n := len(a.failed); n < 10 || n > 100 {
		t.Errorf("%d failures reported", n)
	}
}

// A host may call back from its methods.
func TestStatic_HostCallsBack(t *testing.T) {
	r := newStaticRig(t)
	h := r.join("a", Static{})
	h.heard = func(o Ownership) {
		switch {
		case o.Node == "a" && o.Shard < 100:
			h.in.Release(o.Shard)
		case o.Node == "" && o.Shard < 100:
			h.in.Claim(o.Shard + 1)
		}
	}
	h.in.Claim(0)
	r.run(20 * time.Second)
	if o := h.owners[100]; o.Node != "a" || h.owners[99].Node != "" {
		t.Errorf("%+v, %+v", h.owners[99], o)
	}
}
