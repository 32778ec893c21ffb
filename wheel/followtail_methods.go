package wheel

import "github.com/usher-go/usher/kernel"

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (f *FollowTail[In]) ID() kernel.WheelID { return f.tail.src.ID() }

// Tell returns the position in the file behind the last record delivered (unlike
// W89, which is how far was read ahead). Given to Seek, it has a later wheel go on
// there. In a handler of ResetEvent it is that of the new file.
func (f *FollowTail[In]) Tell() int64 {
	pending := 0
	if !f.completed {
		pending = len(f.filter.Pending())
	}
	return f.start + f.fed - int64(pending)
}

// PauseInput stops input: no further record is delivered, nor a ResetEvent or
// IdleEvent. Files that take the name meanwhile are opened and read later. The
// wheel still holds its session.
func (f *FollowTail[In]) PauseInput() { f.tail.pause(true) }

// ResumeInput ends PauseInput.
func (f *FollowTail[In]) ResumeInput() { f.tail.pause(false) }

// Close ends the wheel and closes its files, after a look that is under way; no
// further event comes (W2).
func (f *FollowTail[In]) Close() { f.tail.src.Close() }
