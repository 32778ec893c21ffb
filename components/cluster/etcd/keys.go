package etcd

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/usher-go/usher/components/cluster"
)

// keys is where things are in etcd:
//
//	PREFIX/nodes/NAME     {"address": "host:port", "epoch": 7}
//	PREFIX/shards/NUMBER  {"node": "NAME"}
//
// each under its node's lease.
type keys struct{ root, nodes, shards string }

func newKeys(prefix string) keys {
	root := strings.TrimRight(prefix, "/") + "/"
	return keys{root: root, nodes: root + "nodes/", shards: root + "shards/"}
}

func (k keys) node(name string) string { return k.nodes + name }
func (k keys) shard(n int) string      { return k.shards + strconv.Itoa(n) }

type nodeValue struct {
	Address string `json:"address"`
	Epoch   uint64 `json:"epoch,omitempty"` // absent: the revision at which the key was made
}

type shardValue struct {
	Node string `json:"node"`
}

// encode is for the two values, which cannot fail.
func encode(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// news is what etcd has said: everything there was at a revision, or changes.
type news struct {
	whole  bool
	rev    int64 // of the whole
	nodes  []nodeFact
	shards []shardFact
}

type nodeFact struct {
	member cluster.Member
	gone   bool
	lease  int64
	rev    int64
}

type shardFact struct {
	shard int
	node  string // empty: the key is gone
	lease int64
	epoch int64 // the revision at which the key was made, or at which it was seen gone
	rev   int64 // at which this was so
}

// add takes a key's present state. Keys of other meaning are skipped: a cluster whose
// prefix begins with this one's has such, and so has a person with etcdctl.
func (w *news) add(k keys, kv *mvccpb.KeyValue, rev int64) {
	key := string(kv.Key)
	if name, ok := strings.CutPrefix(key, k.nodes); ok && validName(name) {
		var v nodeValue
		if json.Unmarshal(kv.Value, &v) != nil || v.Address == "" {
			return
		}
		if v.Epoch == 0 {
			v.Epoch = uint64(kv.CreateRevision)
		}
		w.nodes = append(w.nodes, nodeFact{
			member: cluster.Member{Name: name, Address: v.Address, Epoch: v.Epoch}, lease: kv.Lease, rev: rev})
	}
	if n, ok := k.shardNumber(key); ok {
		var v shardValue
		if json.Unmarshal(kv.Value, &v) != nil || v.Node == "" {
			v.Node = "?" // somebody has it, and it cannot be claimed
		}
		w.shards = append(w.shards, shardFact{shard: n, node: v.Node, lease: kv.Lease, epoch: kv.CreateRevision, rev: rev})
	}
}

// remove takes a key's end, at a revision.
func (w *news) remove(k keys, key string, rev int64) {
	if name, ok := strings.CutPrefix(key, k.nodes); ok && validName(name) {
		w.nodes = append(w.nodes, nodeFact{member: cluster.Member{Name: name}, gone: true, rev: rev})
	}
	if n, ok := k.shardNumber(key); ok {
		w.shards = append(w.shards, shardFact{shard: n, epoch: rev, rev: rev})
	}
}

func (k keys) shardNumber(key string) (int, bool) {
	text, ok := strings.CutPrefix(key, k.shards)
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n >= 0 && strconv.Itoa(n) == text
}

// validName keeps out what lies deeper, such as PREFIX/nodes/nodes/x, which is node x
// of a cluster with the prefix PREFIX/nodes.
func validName(name string) bool { return name != "" && !strings.Contains(name, "/") }
