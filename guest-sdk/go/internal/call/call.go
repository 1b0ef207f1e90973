// Package call knows what has to be done when a call of the gateway ends.
package call

import "strings"

var atEnd []func()

// AtEnd adds something to do at the end of every call.
func AtEnd(do func()) {
	atEnd = append(atEnd, do)
}

// Text is what the gateway is told of an error.
func Text(err error) string {
	return strings.ToValidUTF8(err.Error(), "\uFFFD")
}

// End does all of it.
func End() {
	for _, do := range atEnd {
		do()
	}
}
