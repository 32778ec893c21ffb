// Package storable reads and writes the format of Perl's Storable, so that Go
// and Perl programs exchange data.
//
//	frozen, err := storable.Marshal(map[string]any{"job": 7, "args": []string{"a", "b"}})
//	// in Perl: my $request = Storable::thaw($frozen); print $request->{args}[1];
//
//	v, err := storable.Unmarshal(answer) // what Storable::nfreeze returned
//
// [Config] has the limits. Nothing is run, loaded or registered on behalf of
// what is read, and input that was made to do harm gives an error.
//
// # What becomes of what
//
//	Perl                           read                written from
//	undef                          nil                 nil, nil pointers
//	integer of up to 32 bits       int64               every int and uint kind
//	greater integer                string, its digits  every int and uint kind
//	other number                   string, its digits  float32, float64
//	string of ASCII characters     string              string
//	string with the UTF-8 flag     string              string with others than ASCII
//	string without it              []byte              []byte, a string that is not
//	                                                   UTF-8
//	constants true, false          bool                -
//	"1", ""                        string              bool
//	reference to an array          []any               slices, arrays
//	reference to a hash            map[string]any      maps with string keys, structs
//	reference to anything else     *any                pointers to anything else
//	object                         Blessed             Blessed
//
// Storable itself makes text of numbers that do not fit 32 bits and, in some
// versions, of those that were used as text. What a scalar is depends in Perl on
// its use; the functions [Text], [Bytes], [Int64], [Float64] and [Truth] give
// that freedom back.
//
// Perl does not know whether a string without flag is text in Latin-1 or bytes.
// If it is ASCII that makes no difference, and it is a string here; with bytes
// from 0x80 on it is a []byte, which Text takes for Latin-1. A []byte of ASCII
// characters comes back as a string: use Bytes. Characters that Unicode does
// not have (surrogates, those above U+10FFFF) are refused.
//
// Keys are text: the key "\xe9" of Perl is "é" here, in UTF-8.
//
// A nil slice is written as an empty array, a nil map as an empty hash. Named
// types are written as what they are made of. Of a struct the exported fields
// are written, promoted ones included, under their names or those in their json
// tags; "-" leaves a field out, other options of the tag are ignored. A struct
// is read as a map. time.Time, functions, channels, complex numbers, uintptr,
// keys that are no strings and structs without exported fields are refused.
//
// # The value itself
//
// Perl freezes references only: \"x", [1], {a => 1}. A scalar at the top that is
// no reference is read as what it holds, not as a pointer, and written from such
// a value: Unmarshal(nfreeze(\"x")) is "x", and thaw(Marshal("x")) is \"x".
//
// # What is referred to twice
//
// Two references to one array, hash or scalar are one slice, map or pointer,
// and the other way round. A pointer to an element of an array points into the
// slice; one to a value in a hash points to a copy. Such elements are written
// as copies. A class is a property of the variable in Perl; here it belongs to
// each reference, as the Blessed around it.
//
// A value that contains itself is refused unless [Config.Cycles] is set; it is
// written in any case. Weak references are read as usual ones. The order of the
// keys is that of their bytes, whatever $Storable::canonical says. Whether a
// hash is restricted, and whether operators are overloaded, is not kept.
//
// # What is refused
//
// Code, regular expressions, tied variables and objects with a STORABLE_freeze
// of their own (DateTime has one) have no form in Go: an error that matches
// [ErrUnsupported] names them and says what to freeze instead. Perl freezes no
// file handles and globs.
//
// # Formats
//
// Written is network order in version 2.11, as by Storable 3. Read is every 2.x
// in network order (nfreeze, and nstore with its "pst0" in front), and what
// freeze and store write on 64-bit little-endian machines; there numbers keep
// their type, integers as int64, others as float64. POE::Filter::Reference uses
// nfreeze.
//
// # Memory
//
// Reading takes at most some 100 times the length of the input in memory, which
// takes an array of nothing but references to undef; usual data takes a few
// times its length.
package storable
