// Package fault holds the errors that a person may read.
//
// An error made here carries a kind, which clients test, and a French sentence,
// which they show. Every other error is the server's own business: the edge logs
// it and answers INTERNAL. Business refusals ("only two left") are data, not
// faults: they belong to the payloads of the features.
package fault

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Kind tells a client what sort of thing went wrong; it is `extensions.code`.
type Kind string

// The kinds. A client may switch on them: they are part of the public API.
const (
	NotFound        Kind = "NOT_FOUND"       // nothing there, or nothing that this viewer may see
	Forbidden       Kind = "FORBIDDEN"       // the viewer's kind may never do this
	Invalid         Kind = "INVALID"         // the input breaks a rule that it could have known
	Conflict        Kind = "CONFLICT"        // the key or the version was used for something else
	Unauthenticated Kind = "UNAUTHENTICATED" // no credential, or one that no longer holds
	Limited         Kind = "LIMITED"         // too much asked at once or too often
	CursorExpired   Kind = "CURSOR_EXPIRED"  // read the present state again, then follow from there
	Unavailable     Kind = "UNAVAILABLE"     // try again later; nothing was changed
	Internal        Kind = "INTERNAL"        // the server's own fault; the log has the request id
)

// Kinds lists them, for whoever documents the API.
func Kinds() []Kind {
	return []Kind{NotFound, Forbidden, Invalid, Conflict, Unauthenticated, Limited, CursorExpired, Unavailable, Internal}
}

// Error makes every kind usable as the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// Error is a kind with its sentence and, where an argument is at fault, the
// argument's path from the field ("filter", "near", "latitude").
type Error struct {
	Kind    Kind
	Message string
	Path    []string
	Wait    time.Duration // of LIMITED by the clock: after that long it may be asked again; else zero
}

// WaitSeconds is Wait in whole seconds, rounded up: `extensions.retryAfterSeconds`, and HTTP's
// Retry-After.
func (e *Error) WaitSeconds() int { return int(math.Ceil(e.Wait.Seconds())) }

func (e *Error) Error() string { return e.Message }

// Is lets errors.Is(err, fault.NotFound) see through the sentence.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

// Errorf makes an error that a person may read: format it in French, say what to do.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// At makes an INVALID error for the argument at path, outermost name first.
func At(path []string, format string, args ...any) error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf(format, args...), Path: path}
}

// maxShown bounds what a sentence repeats of a request, in characters.
const maxShown = 60

// Shown quotes a text of the request for a sentence: printable, and cut short.
func Shown(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return strconv.Quote(text)
}

// Wrap puts the call and its arguments in front of an error, once, where they are
// known. Use it deferred: defer fault.Wrap(&err, "Place(%s)", in.ShopID).
// A fault stays readable by KindOf; only the log sees the prefix.
func Wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}

// Of returns the fault inside err, or nil when err is not for people.
func Of(err error) *Error {
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	return nil
}
