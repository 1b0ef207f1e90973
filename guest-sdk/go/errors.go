package sporegate

import (
	"strconv"
	"unicode/utf8"
)

// Error is what the gateway refuses. errors.Is compares it with the values below.
type Error struct {
	kind   errorKind
	detail string
}

type errorKind uint8

const (
	notFound errorKind = iota
	closed
	queueFull
	tooLarge
	denied
	invalidArgument
	limitExceeded
	other
)

var (
	// ErrNotFound: no such client or listener, or not on a path granted to this module.
	ErrNotFound = &Error{kind: notFound}
	// ErrClosed: the client is closing, or its session has ended.
	ErrClosed = &Error{kind: closed}
	// ErrQueueFull: the client reads too slowly. Slow down, drop the message, or close it.
	ErrQueueFull = &Error{kind: queueFull}
	// ErrTooLarge: the message is larger than the gateway takes.
	ErrTooLarge = &Error{kind: tooLarge}
	// ErrDenied: the module lacks a grant.
	ErrDenied = &Error{kind: denied}
	// ErrInvalidArgument: an argument is malformed.
	ErrInvalidArgument = &Error{kind: invalidArgument}
	// ErrLimitExceeded: a quota is used up.
	ErrLimitExceeded = &Error{kind: limitExceeded}
)

func tooLargeFor(bytes uint64) *Error {
	return &Error{tooLarge, strconv.FormatUint(bytes, 10) + " bytes are the most"}
}

// checkText keeps from the gateway what is no text to it: it would end the instance.
func checkText(what, text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	return &Error{invalidArgument, what + " is not UTF-8"}
}

// Error says what it is, and what the gateway says about it.
func (e *Error) Error() string {
	name := [...]string{
		"no such client or listener",
		"the client is closed",
		"the queue of the client is full",
		"too large",
		"not granted",
		"invalid argument",
		"limit exceeded",
		"the gateway says",
	}[e.kind]
	if e.detail == "" {
		return name
	}
	return name + ": " + e.detail
}

// Is says whether it is of the same kind, whatever its details.
func (e *Error) Is(target error) bool {
	it, ok := target.(*Error)
	return ok && it.kind == e.kind && (it.detail == "" || it.detail == e.detail)
}
