package storable

// A frozen value begins with one of these. The names are Storable's, without
// their SX_; what each means was found with nfreeze and with the published
// list of codes.
type mark byte

const (
	markObject       mark = 0  // tag (4 bytes): a value met before
	markLScalar      mark = 1  // length (4), bytes
	markArray        mark = 2  // count (4), values
	markHash         mark = 3  // count (4), and for each: value, length (4), key
	markRef          mark = 4  // the value referred to
	markUndef        mark = 5  // a variable that holds undef
	markInteger      mark = 6  // 8 bytes, native order only
	markDouble       mark = 7  // 8 bytes, native order only
	markByte         mark = 8  // number + 128
	markNetint       mark = 9  // 4 bytes, big-endian
	markScalar       mark = 10 // length (1), bytes
	markTiedArray    mark = 11
	markTiedHash     mark = 12
	markTiedScalar   mark = 13
	markSVUndef      mark = 14 // the constant undef
	markSVYes        mark = 15 // the constant true
	markSVNo         mark = 16 // the constant false
	markBless        mark = 17 // length (1, or 0x80 and 4), class, value
	markIxBless      mark = 18 // index of a class met before (1, or 0x80 and 4), value
	markHook         mark = 19
	markOverload     mark = 20 // as markRef, to an object with overloaded operators
	markTiedKey      mark = 21
	markTiedIdx      mark = 22
	markUTF8Str      mark = 23 // length (1), UTF-8
	markLUTF8Str     mark = 24 // length (4), UTF-8
	markFlagHash     mark = 25 // flags (1), count (4), and for each: value, flags (1), length (4), key
	markCode         mark = 26
	markWeakRef      mark = 27 // as markRef
	markWeakOverload mark = 28 // as markRef
	markVString      mark = 29 // length (1), the literal's text, then the string that it stands for
	markLVString     mark = 30 // length (4), the same
	markSVUndefElem  mark = 31 // the constant undef as an element
	markRegexp       mark = 32
	markLObject      mark = 33 // more than 2 GiB
	markTrue         mark = 34 // from Perl 5.38 on
	markFalse        mark = 35
)

// Flags of a key in a markFlagHash.
const (
	keyUTF8        = 0x01 // the bytes are UTF-8; without it they are Latin-1
	keyIsScalar    = 0x08
	keyPlaceholder = 0x10 // a restricted hash would allow it; it is not there
)

// longLength, in the length of a class: 4 more bytes hold it.
const longLength = 0x80

// unsupported is what Perl can freeze and Go cannot have, and what to do.
var unsupported = map[mark]string{
	markTiedArray:  "a tied array; freeze a copy, [@tied]",
	markTiedHash:   "a tied hash; freeze a copy, {%tied}",
	markTiedScalar: "a tied scalar; freeze a copy of its value",
	markTiedKey:    "an element of a tied hash; freeze a copy of its value",
	markTiedIdx:    "an element of a tied array; freeze a copy of its value",
	markCode:       "code; send the name of what to do",
	markRegexp:     `a regular expression; send its text, "$regexp"`,
	markLObject:    "a value of more than 2 GiB; send it in parts",
}
