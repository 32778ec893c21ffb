// Package filtertest checks that a filter gives the same records however its
// input is cut.
//
//	func TestCommaFilter(t *testing.T) {
//		filtertest.Run(t, filtertest.Case[string, string]{
//			New:     func() filter.Filter[string, string] { return NewComma() },
//			Wire:    []byte("one,,two,"),
//			Records: []string{"one", "", "two"},
//			Tail:    []byte("thr"),
//		})
//	}
//
// # What is checked
//
//	whole     fed at once, the records come out one by one, then none
//	bytewise  fed byte by byte, a call of Next after each, and Append between
//	split     fed in two parts, at every place, with and without Next between
//	copies    Feed keeps no part of its argument, records and Pending share no
//	          memory with what comes later
//	pending   Pending shows Tail when the records are out, nil without one, and
//	          keeps it
//	handover  at every place, Pending of one filter fed to a fresh one loses and
//	          repeats nothing
//	append    what Append writes reads back as the same records; it keeps what
//	          dst held, and writes a record the same way each time
//
// # Limits
//
// Malformed input, limits and memory are the filter's own affair: test them
// with cases of their own, and a fuzz target. The checks at every place feed
// the wire once per byte of it, so a Wire of some hundred bytes is enough.
package filtertest
