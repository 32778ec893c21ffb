package filter_test

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/wheel/filter"
)

func Example() {
	f := filter.Line()
	f.Feed([]byte("one\r\ntwo\r\nthr"))
	for line, err := range filter.Records(f) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(line)
	}
	fmt.Printf("pending: %s\n", f.Pending())
	out, _ := f.Append(nil, "hello")
	fmt.Printf("%q\n", out)
	// Output:
	// one
	// two
	// pending: thr
	// "hello\r\n"
}

func ExampleEvent() {
	f := filter.Event()
	wire, err := f.Append(nil, filter.Frame{Name: "query", Args: []any{"select", int8(7)}, ID: 1, To: "db"})
	if err != nil {
		fmt.Println(err)
		return
	}
	f.Feed(wire)
	frame, _, _ := f.Next()
	fmt.Printf("%d bytes: %s %#v for %s\n", len(wire), frame.Name, frame.Args, frame.To)

	_, err = f.Append(nil, filter.Frame{Name: "query", Args: []any{1, make(chan int)}})
	fmt.Println(err)
	fmt.Println(errors.Is(err, filter.ErrNotEncodable))
	// Output:
	// 29 bytes: query []interface {}{"select", 7} for db
	// filter: argument 1, a chan int, cannot be sent: send a basic type, a list, a map or a protobuf message instead
	// true
}
