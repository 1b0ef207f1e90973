// Package keyvalue keeps values in the buckets that `[keyvalue]` of the module's sidecar grants. What
// is written is there at once, for all instances of the module, and stays if the call fails.
package keyvalue

import "errors"

var (
	// ErrNoSuchStore: there is no such bucket.
	ErrNoSuchStore = errors.New("no such bucket")
	// ErrAccessDenied: the sidecar does not grant the bucket.
	ErrAccessDenied = errors.New("the bucket is not granted")
	// ErrNotText: a key is not UTF-8.
	ErrNotText = errors.New("the key is not UTF-8")
)
