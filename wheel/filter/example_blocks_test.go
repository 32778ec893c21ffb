package filter_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/usher-go/usher/wheel/filter"
)

// A protocol of numbers, one list of them a line.
func ExampleMap() {
	f := filter.Map(filter.Line(),
		func(line string) (nums []int, err error) {
			for _, word := range strings.Fields(line) {
				n, err := strconv.Atoi(word)
				if err != nil {
					return nil, fmt.Errorf("%q came; want numbers", line)
				}
				nums = append(nums, n)
			}
			return nums, nil
		},
		filter.Each(strconv.Itoa))
	f.Feed([]byte("1 2\n\nthree\n4\n"))
	for n, err := range filter.Records(f) {
		fmt.Println(n, err)
	}
	out, _ := f.Append(nil, 5)
	fmt.Printf("%q\n", out)
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 0 "three" came; want numbers
	// 4 <nil>
	// "5\r\n"
}

// Lines that travel in blocks, until one of them says that no more blocks follow.
func ExampleStack() {
	below := filter.NewStackable(filter.Block())
	f := filter.Stack(filter.Line(), below)
	f.Feed([]byte("4\x00a\nb\n6\x00plain\nc\nd\n"))
	for line := range filter.Records(f) {
		fmt.Println(line)
		if line == "plain" {
			below.Pop()
		}
	}
	// Output:
	// a
	// b
	// plain
	// c
	// d
}
