// Package filter turns bytes into records and records into bytes, apart from
// any I/O.
//
//	f := filter.Line()
//	f.Feed([]byte("one\r\ntwo\r\nthr"))
//	for line, err := range filter.Records(f) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(line) // one, two; "thr" waits for its end
//	}
//	out, err := f.Append(nil, "hello") // hello\r\n
//
// # Behaviour
//
// A wheel feeds a filter what it reads, takes one record at a time, and sends
// what Append made. Filters need no kernel: the loop above works in any
// program. [Line] reads text lines, [Stream] passes bytes through, [Event]
// carries events between processes. Package filtertest checks your own.
//
// Each stream needs a filter of its own, used by one goroutine at a time;
// configurations can be shared. Nothing blocks. A filter without pending input
// holds no buffer.
//
// One filter takes over from another with next.Feed(old.Pending()). Bytes that
// belong to records taken earlier are not repeated, and none are lost.
//
// # Event frames
//
// [Event] writes protobuf, as wire/usherwire.proto describes it. Arguments keep
// their Go type:
//
//	bool, int, int8 … int64, uint, uint8 … uint64, float32, float64
//	string             any bytes, not only UTF-8
//	[]byte             nil comes out empty, as it does for the next three
//	[]string
//	[]any              of all kinds here; nested up to 64 deep
//	map[string]any     of all kinds here; nested up to 64 deep
//	nil
//	time.Time          instant and offset from UTC. Offset 0 comes out as
//	                   time.UTC, others as an unnamed zone, never time.Local;
//	                   the monotonic reading is dropped. Compare with Equal
//	time.Duration
//	proto.Message      by its full name; both programs link its package in
//
// Named types (type Celsius float64), other slices and maps, structs and
// pointers are refused: convert them. [CheckArgs] finds them early.
//
// # Errors
//
//	errors.Is            what happened                        the stream
//	ErrUnusable          length prefix or buffer is beyond    lost: close it
//	                     use; always with ErrMalformed or
//	                     ErrTooLong
//	ErrTooLong           a record over its limit, *LimitError goes on
//	ErrMalformed         a frame refused, *FrameError         goes on
//	ErrUnknownType       a frame refused, *FrameError         goes on
//	ErrTooDeep           a frame refused, *FrameError         goes on
//	ErrNotEncodable      Append: *ArgError, or a bad name     goes on
//	ErrConfig            NewLine, NewEvent                    none yet
//
// # POE's rules
//
// POE's rules for filters, by their number in its specification:
//
//	F1  no I/O, no events         holds
//	F2  get_one_start, get_one    holds: Feed, Next
//	F3  get                       holds: Records; may be mixed with Next
//	F4  put                       holds: Append, to dst instead of a list
//	F5  get_pending               holds: a copy; nil when empty
//	F6  clone                     replaced: make another from the same
//	                              configuration; no state leaks
//	F7  base class, odd options   without meaning: the compiler refuses them
//	F8  MaxLength, MaxBuffer      holds, with 1 MiB and 16 MiB instead of 64 and
//	                              512; also for Event. Stream has none, as there
//	F9  over MaxBuffer            holds; Next raises it, not Feed, after the
//	                              records that did fit; what did not is dropped
//	F10 Line's default            holds
//	F11 CRLF cut in two           differs: no extra empty line
//	F12 Literal                   replaced: set InputLiteral and OutputLiteral
//	F13 autodetection             replaced: "" is the default of F10, which
//	                              adopts nothing
//	F14 terminators               holds for literals; patterns are not built
//	F15 put does not look inside  holds
//	F16 over MaxLength            holds; an unfinished line is dropped as soon as
//	                              it is too long, not when MaxBuffer is full
//	F17 last line                 holds
//	F18 Stream                    holds
//
// # Bugs and limits
//
// With the default terminators Line gives out a line at its CR and drops an LF
// that comes later. If another filter takes over just between the two, it sees
// that LF: where streams change hands, set InputLiteral to "\r\n".
//
// Line.Append does not look for terminators inside a line (F15). A line taken
// from one peer and sent to another can carry a lone CR or LF along.
//
// A frame of many tiny maps takes up to some 60 times its length in memory once
// decoded. Any message type linked into the program is decoded for a peer that
// names it; EventConfig.Types narrows that.
package filter
