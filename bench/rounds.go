package main

import (
	"context"
	"fmt"
)

// Result is what was measured in one row: each peer's rounds in order.
type Result struct {
	Group  *Group
	Row    *Row
	Rounds map[string][]Figures
}

// sampler takes one sample of "peer/row".
type sampler func(ctx context.Context, spec string) (Figures, error)

// measureAll takes rounds samples of every peer of every task, peers taking
// turns. The first failure ends it: ratios with holes prove nothing.
func measureAll(ctx context.Context, plan []task, rounds int, take sampler, p *progress) ([]Result, error) {
	defer p.done()
	for _, t := range plan {
		p.total += rounds * len(t.Peers)
	}
	var results []Result
	for _, t := range plan {
		res := Result{Group: t.Group, Row: t.Row, Rounds: make(map[string][]Figures)}
		for round := range rounds {
			for i, peer := range t.Peers {
				p.sample(t.Row.Name, peer, round+1, rounds, i == 0)
				f, err := take(ctx, peer+"/"+t.Row.Name)
				if err != nil {
					return nil, fmt.Errorf("%s/%s, round %d: %w", peer, t.Row.Name, round+1, err)
				}
				res.Rounds[peer] = append(res.Rounds[peer], f)
			}
		}
		results = append(results, res)
	}
	return results, nil
}
