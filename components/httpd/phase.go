package httpd

// phase is how far a response is. Everything that may happen to one is in the table
// below; who acts on it is the exchange.
type phase uint8

const (
	waiting phase = iota // for an answer
	flowing              // a stream has begun
	ended                // it is decided how it ends
	lost                 // its client is gone
	phases
)

// verb is what happens to a response.
type verb uint8

const (
	vDone    verb = iota // the program has answered
	vClose               // the program wants no answer
	vStream              // the program has a piece
	vGone                // the client left
	vDropped             // nobody has the response any more
	vExpired             // Config.AnswerTimeout
	vFailed              // the handler failed, or could not be called
	verbs
)

// verdict is what is to be made of it.
type verdict uint8

const (
	pass   verdict = iota // nothing
	take                  // it counts
	again                 // the program has answered before (H45)
	absent                // there is nobody to answer (H44, H57)
	retire                // the connection is wanted no more (H49)
)

type move struct {
	to phase
	verdict
}

var moves = [phases][verbs]move{
	waiting: {
		vDone: {ended, take}, vClose: {ended, take}, vStream: {flowing, take}, vGone: {lost, take},
		vDropped: {ended, take}, vExpired: {ended, take}, vFailed: {ended, take},
	},
	flowing: {
		vDone: {ended, take}, vClose: {ended, take}, vStream: {flowing, take}, vGone: {lost, take},
		vDropped: {ended, take}, vExpired: {flowing, pass}, vFailed: {ended, take},
	},
	ended: {
		vDone: {ended, again}, vClose: {ended, retire}, vStream: {ended, again}, vGone: {lost, take},
		vDropped: {ended, pass}, vExpired: {ended, pass}, vFailed: {ended, pass},
	},
	lost: {
		vDone: {lost, absent}, vClose: {lost, pass}, vStream: {lost, absent}, vGone: {lost, pass},
		vDropped: {lost, pass}, vExpired: {lost, pass}, vFailed: {lost, pass},
	},
}
