package main

// Peers that read lines with package bufio.
const (
	scannerText  = "scanner-text"  // each line a string, as ours are
	scannerBytes = "scanner-bytes" // each line seen in the buffer, and not kept
)

// filters is how fast a filter takes records out of what it is fed, in pieces of
// 32 KiB, as a wheel does that finds as much to read.
var filters = &Group{
	Name:  "filters",
	About: "records taken out of pieces of 32 KiB",
	Peers: []string{usher, scannerText, scannerBytes, perl},
	Needs: map[string]func() error{perl: needPerl, perl + "/filter-httpd": needPerlHTTP},
	Shows: "records per second, allocations of each in parentheses",
	Rows: []*Row{
		// Lines of 63 characters and a newline, which anything ends that ends lines,
		recordRow("filter-line", "a line of 64 bytes, anything usual ends it",
			Budget{Peer: usher, Limit: 2, Against: scannerText}, // half its lines per second
			Budget{Peer: usher, Limit: 2, Against: scannerBytes, Stretch: true},
		),
		// only "\n",
		recordRow("filter-line-literal", "a newline ends it"),
		// what matches \r?\n,
		recordRow("filter-line-regexp", "what matches \\r?\\n ends it"),
		// or what ended the first.
		recordRow("filter-line-autodetect", "what ended the first ends it"),
		// The pieces as they come, 32 KiB each.
		recordRow("filter-stream", "32 KiB as they came"),
		// Blocks of 64 bytes, without anything that says so,
		recordRow("filter-block-fixed", "64 bytes"),
		// or each behind its length in decimal digits.
		recordRow("filter-block", "64 bytes behind their length"),
		// The lines again, 16 of them in a record; each passed through a function
		// that changes nothing; each passed by a test; and each in a block.
		recordRow("filter-recordblock", "a list of 16 lines"),
		recordRow("filter-map", "a line through a function"),
		recordRow("filter-grep", "a line that passes a test"),
		recordRow("filter-stack", "a line inside a block"),
		// A map with a number, a list of two strings and a map of two. Perl's JSON is
		// the module that comes with it, in Perl itself.
		recordRow("filter-reference-json", "a small map, as JSON"),
		recordRow("filter-reference-storable", "the same, as Perl's Storable"),
		// An event with a string and a number. POE has no such filter.
		recordRow("filter-event", "an event between processes, in protobuf"),
		// GET with two lines of header.
		recordRow("filter-httpd", "a GET request"),
	},
}

func recordRow(name, about string, budgets ...Budget) *Row {
	return &Row{Name: name, About: about, Unit: "record", OneRun: true, Figures: []Figure{Rate}, Budgets: budgets}
}

// listSize is how many lines filter-recordblock makes a record of.
const listSize = 16

// httpRequest is what filter-httpd reads.
const httpRequest = "GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n"
