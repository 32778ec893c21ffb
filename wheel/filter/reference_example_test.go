package filter_test

import (
	"fmt"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

// A record for a Perl program, and one that came from it.
func ExampleReference() {
	f := filter.Reference()
	wire, err := f.Append(nil, map[string]any{"job": 7, "args": []string{"a", "b"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	f.Feed(wire)
	rec, _, _ := f.Next()
	answer := rec.(map[string]any)
	job, _ := storable.Int64(answer["job"]) // a number or its digits, as Perl likes
	fmt.Println(job, answer["args"])
	// Output: 7 [a b]
}

func ExampleNewReferenceOf() {
	type request struct {
		Job  int      `json:"job"`
		Args []string `json:"args"`
	}
	f, err := filter.NewReferenceOf[request](filter.ReferenceConfig{Serializer: filter.JSONOf[request]()})
	if err != nil {
		fmt.Println(err)
		return
	}
	wire, _ := f.Append(nil, request{7, []string{"a", "b"}})
	fmt.Printf("%q\n", wire)
	f.Feed(wire)
	rec, _, _ := f.Next()
	fmt.Println(rec.Job, rec.Args)
	// Output:
	// "26\x00{\"job\":7,\"args\":[\"a\",\"b\"]}"
	// 7 [a b]
}
