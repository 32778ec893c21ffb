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
// program.
//
//	Line         lines of text
//	Stream       bytes as they come
//	Block        blocks of one size, or each with its length before it
//	Event        events between processes, in protobuf
//	RecordBlock  around another filter: lists of so many of its records
//	Map          around another filter: its records turned into others
//	Grep         around another filter: some of its records
//	Stack        a filter over layers that turn bytes into bytes
//	Stackable    such layers, which may change while they are used
//
// Package filtertest checks your own.
//
//	commands := filter.Map(filter.Stack(filter.Line(), decrypt), parse, format)
//
// Each stream needs a filter of its own, used by one goroutine at a time;
// configurations can be shared. What makes filters for many streams, such as a
// server, takes a function that makes one: func() (filter.Filter[In, Out],
// error). That stands for POE's clone (F6). Nothing blocks. A filter without
// pending input holds no buffer.
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
//	                     use: with ErrMalformed or
//	                     ErrTooLong; a gap below the top of
//	                     a stack: with what made it
//	ErrTooLong           a record over its limit, *LimitError goes on
//	ErrMalformed         a frame refused, *FrameError         goes on
//	ErrUnknownType       a frame refused, *FrameError         goes on
//	ErrTooDeep           a frame refused, *FrameError         goes on
//	ErrNotEncodable      Append: *ArgError, or a bad name     goes on
//	ErrConfig            NewLine, NewBlock, NewRecordBlock,   none yet
//	                     NewEvent
//
// Map, Grep, Stack and Stackable panic where they are given a nil, which only a
// programmer can do.
//
// # POE's rules
//
// POE's rules for filters, by their number in its specification:
//
//	F1  no I/O, no events         holds
//	F2  get_one_start, get_one    holds: Feed, Next
//	F3  get                       replaced: Records; may be mixed with Next
//	F4  put                       replaced: Append, one record, to dst
//	F5  get_pending               holds: a copy; nil when empty
//	F6  clone                     replaced: make another from the same
//	                              configuration; no state leaks
//	F7  base class, odd options   without meaning: the compiler refuses them
//	F8  MaxLength, MaxBuffer      differs: 1 MiB and 16 MiB instead of 64 and
//	                              512; also for Event. Stream has none, as there
//	F9  over MaxBuffer            differs: Next raises it, not Feed, after the
//	                              records that did fit; what did not is dropped
//	F10 Line's default            holds
//	F11 CRLF cut in two           differs: no extra empty line
//	F12 Literal                   replaced: set InputLiteral and OutputLiteral;
//	                              the ways to end a line exclude each other
//	F13 autodetection             replaced: Autodetect, not an InputLiteral of ""
//	F14 terminators               differs: patterns must not look around, and give
//	                              the same lines however the input is cut
//	F15 put does not look inside  holds
//	F16 over MaxLength            differs: an unfinished line, too, is dropped as
//	                              soon as it is too long
//	F17 last line                 holds
//	F18 Stream                    holds
//	F19 BlockSize                 holds
//	F20 Block's default           holds
//	F21 garbage before a prefix   differs: it ends the stream
//	F22 LengthCodec               replaced: the functions append and report,
//	                              nothing is changed in place
//	F23 BlockSize alone           differs: 0 is the default, not an error
//	F24 over MaxLength (bug)      differs: it ends the stream, and no part of the
//	                              block is delivered
//	F25 prefix not in pending     differs: it is there
//	F26 RecordBlock               holds
//	F27 CheckPut                  differs: an invalid BlockSize is an error
//	F45 Map's and Grep's code     replaced: Get and Put, fields that can be set
//	F46 several or none           differs: none does not stall
//	F47 Grep skips                holds
//	F48 Stackable's order         holds
//	F49 push, pop, shift          differs: nothing is lost
//	F50 pending, filters, empty   replaced: Pending covers all layers, Filters
//	                              lists them, none hands through (as in the pod)
//
// # Bugs and limits
//
// With the default terminators Line gives out a line at its CR and drops an LF
// that comes later. If another filter takes over just between the two, it sees
// that LF: where streams change hands, set InputLiteral to "\r\n". Nor does it
// learn what Autodetect has adopted.
//
// A peer can make InputRegexp search the same bytes many times if it has a longer
// form that may fail far behind a shorter one, as in \n(\s*END)?: after each
// failure the search goes on behind the shorter one.
//
// Records that RecordBlock has collected, or that Map made of one, are not bytes
// any more when another filter takes over: their method Collected has them.
// Pending of a stack wraps what its upper layers hold again, and is what was read
// only where wrapping is the opposite of unwrapping; see Stackable.
//
// Line.Append does not look for terminators inside a line (F15). A line taken
// from one peer and sent to another can carry a lone CR or LF along.
//
// A frame of many tiny maps takes up to some 60 times its length in memory once
// decoded. Any message type linked into the program is decoded for a peer that
// names it; EventConfig.Types narrows that.
package filter
