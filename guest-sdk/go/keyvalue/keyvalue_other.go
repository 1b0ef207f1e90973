//go:build !wasip1

package keyvalue

import (
	"errors"
	"iter"
)

var errNoGateway = errors.New("there is no gateway on this system")

// Bucket is a bucket of values. It may be kept between calls.
type Bucket struct{}

// Open opens a bucket by its name in the sidecar.
func Open(name string) (*Bucket, error) { return nil, errNoGateway }

// Get is the value of a key; false if there is none.
func (b *Bucket) Get(key string) ([]byte, bool, error) { return nil, false, errNoGateway }

// Set gives a key a value.
func (b *Bucket) Set(key string, value []byte) error { return errNoGateway }

// Delete removes a key, if it is there.
func (b *Bucket) Delete(key string) error { return errNoGateway }

// Exists says whether a key is there.
func (b *Bucket) Exists(key string) (bool, error) { return false, errNoGateway }

// Keys are all keys. They are fetched page by page; an error is the last that comes.
func (b *Bucket) Keys() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errNoGateway) }
}
