package main

import (
	"bufio"
	"cmp"
	"fmt"
)

func init() {
	filters.register(scannerText, map[string]Runner{"filter-line": scan((*bufio.Scanner).Text)})
	filters.register(scannerBytes, map[string]Runner{"filter-line": scan((*bufio.Scanner).Bytes)})
}

// scan takes each of the lines.
func scan[T string | []byte](take func(*bufio.Scanner) T) Runner {
	wire := repeated(echoLine)
	return func(ops int) (Sample, error) {
		stream, err := wire()
		if err != nil {
			return Sample{}, err
		}
		s := bufio.NewScanner(&feed{wire: stream})
		s.Buffer(make([]byte, 2*feedSize), 2*feedSize)
		var last T
		sample := measure(ops, func() {
			for range ops {
				s.Scan()
				last = take(s)
			}
		})
		if string(last)+"\n" != string(echoLine) {
			err = fmt.Errorf("%w: the last line is %q", errSample, last)
		}
		return sample, cmp.Or(s.Err(), err)
	}
}
