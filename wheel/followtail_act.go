package wheel

// followView is what one look at a name and at the file that is being read tells.
type followView struct {
	open    bool // a file is being read
	changed bool // it is not any more what it was, up to the position
	end     bool // nothing follows the position
	next    bool // another file is there to be read after it
	quiet   bool // nothing came for the while that it is given once there is a next
}

// followAct is what to do about it.
type followAct uint8

const (
	followWait   followAct = iota
	followRead             // what follows the position
	followRewind           // to the file's start
	followTake             // the next file
)

// act is the table. What is in the file comes before what replaces it (W83).
func (v followView) act() followAct {
	switch {
	case !v.open && v.next:
		return followTake
	case !v.open:
		return followWait
	case v.changed:
		return followRewind
	case !v.end:
		return followRead
	case v.next && v.quiet:
		return followTake
	}
	return followWait
}
