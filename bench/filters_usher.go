package main

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/usher-go/usher/wheel/filter"
)

// Filters by what they take and give.
type (
	lineFilter  = filter.Filter[string, string]
	blockFilter = filter.Filter[[]byte, []byte]
	listFilter  = filter.Filter[[]string, []string]
	anyFilter   = filter.Filter[any, any]
)

func init() {
	text := repeated(echoLine)
	line := string(echoLine[:len(echoLine)-1])
	newLines := func(c filter.LineConfig) func() lineFilter {
		return func() lineFilter { return must(filter.NewLine(c)) }
	}
	newMap := func() lineFilter { return filter.Map(filter.Line(), filter.Each(same), filter.Each(same)) }
	newGrep := func() lineFilter { return filter.Grep(filter.Line(), notEmpty, notEmpty) }
	newStack := func() lineFilter { return filter.Stack(filter.Line(), filter.Block()) }
	newLists := func() listFilter {
		return must(filter.NewRecordBlock(filter.Line(), filter.RecordBlockConfig{BlockSize: listSize}))
	}
	newFixed := func() blockFilter { return must(filter.NewBlock(filter.BlockConfig{BlockSize: len(echoLine)})) }
	newJSON := func() anyFilter { return must(filter.NewReference(filter.ReferenceConfig{Serializer: filter.JSON()})) }
	job := any(map[string]any{"job": 7, "args": []any{"select", "from"}, "user": map[string]any{"name": "joe", "id": 70000}})
	query := filter.Frame{Name: "query", Args: []any{"select 1", 42}}

	filters.register(usher, map[string]Runner{
		"filter-line":               reading(filter.Line, text),
		"filter-line-literal":       reading(newLines(filter.LineConfig{InputLiteral: "\n"}), text),
		"filter-line-regexp":        reading(newLines(filter.LineConfig{InputRegexp: regexp.MustCompile(`\r?\n`)}), text),
		"filter-line-autodetect":    reading(newLines(filter.LineConfig{Autodetect: true}), text),
		"filter-stream":             reading(filter.Stream, text),
		"filter-block-fixed":        reading(newFixed, text),
		"filter-block":              reading(filter.Block, written(filter.Block, echoLine)),
		"filter-recordblock":        reading(newLists, text),
		"filter-map":                reading(newMap, text),
		"filter-grep":               reading(newGrep, text),
		"filter-stack":              reading(newStack, written(newStack, line)),
		"filter-reference-json":     reading(newJSON, written(newJSON, job)),
		"filter-reference-storable": reading(filter.Reference, written(filter.Reference, job)),
		"filter-event":              reading(filter.Event, written(filter.Event, query)),
		"filter-httpd":              reading(filter.HTTPD, repeated([]byte(httpRequest))),
	})
}

func same(line string) string   { return line }
func notEmpty(line string) bool { return line != "" }

// must is for configurations that stand in this file.
func must[F any](f F, err error) F {
	if err != nil {
		panic(err)
	}
	return f
}

// reading takes records out of a new filter that is fed a stream.
func reading[In, Out any](newFilter func() filter.Filter[In, Out], wire func() ([]byte, error)) Runner {
	return func(ops int) (Sample, error) {
		stream, err := wire()
		if err != nil {
			return Sample{}, err
		}
		f, input := newFilter(), &feed{wire: stream}
		s := measure(ops, func() {
			for left := ops; left > 0; {
				f.Feed(input.next())
				for left > 0 {
					_, ok, nextErr := f.Next()
					if nextErr != nil {
						err = fmt.Errorf("record %d: %w", ops-left+1, nextErr)
						return
					}
					if !ok {
						break
					}
					left--
				}
			}
		})
		return s, err
	}
}

// written makes a stream of one record, as the filter writes it.
func written[In, Out any](newFilter func() filter.Filter[In, Out], record Out) func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
		wire, err := newFilter().Append(nil, record)
		if err != nil {
			return nil, err
		}
		return repeated(wire)()
	})
}
