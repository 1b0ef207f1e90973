// Package call knows what has to be done when a call of the gateway ends.
package call

var atEnd []func()

// AtEnd adds something to do at the end of every call.
func AtEnd(do func()) {
	atEnd = append(atEnd, do)
}

// End does all of it.
func End() {
	for _, do := range atEnd {
		do()
	}
}
