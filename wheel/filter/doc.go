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
//	Reference    any data between processes: Perl's Storable, JSON, protobuf
//	HTTPD        a server's side of HTTP, by net/http's reader and writer
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
//	                     *HTTPError: it carries the answer    lost: answer, close it
//	ErrMalformed         a frame refused, *FrameError;        goes on
//	                     a reference, *RecordError
//	ErrUnknownType       a frame refused, *FrameError         goes on
//	ErrTooDeep           a frame refused, *FrameError         goes on
//	ErrNotEncodable      Append: *ArgError, or a bad name     goes on
//	ErrConfig            the constructors with a config       none yet
//
// Map, Grep, Stack and Stackable panic where they are given a nil, which only a
// programmer can do.
//
// # POE's rules
//
// They carry the numbers F1 to F50 in tests and comments; docs/porting.md says of
// each whether it holds or what stands in its place.
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
