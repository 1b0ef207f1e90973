package keyvalue

import (
	"errors"
	"iter"
	"unicode/utf8"

	"sporegate/internal/bindings/listener/imports/wasi_keyvalue_store"
	witTypes "sporegate/internal/wit/types"
)

// Bucket is a bucket of values. It may be kept between calls.
type Bucket struct {
	bucket *wasi_keyvalue_store.Bucket
}

// Open opens a bucket by its name in the sidecar.
func Open(name string) (*Bucket, error) {
	result := wasi_keyvalue_store.Open(name)
	if result.IsErr() {
		return nil, errorOf(result.Err())
	}
	return &Bucket{result.Ok()}, nil
}

// Get is the value of a key; false if there is none.
func (b *Bucket) Get(key string) ([]byte, bool, error) {
	if !utf8.ValidString(key) {
		return nil, false, ErrNotText
	}
	result := b.bucket.Get(key)
	if result.IsErr() {
		return nil, false, errorOf(result.Err())
	}
	return result.Ok().SomeOr(nil), result.Ok().IsSome(), nil
}

// Set gives a key a value.
func (b *Bucket) Set(key string, value []byte) error {
	if !utf8.ValidString(key) {
		return ErrNotText
	}
	return done(b.bucket.Set(key, value))
}

// Delete removes a key, if it is there.
func (b *Bucket) Delete(key string) error {
	if !utf8.ValidString(key) {
		return ErrNotText
	}
	return done(b.bucket.Delete(key))
}

// Exists says whether a key is there.
func (b *Bucket) Exists(key string) (bool, error) {
	if !utf8.ValidString(key) {
		return false, ErrNotText
	}
	result := b.bucket.Exists(key)
	if result.IsErr() {
		return false, errorOf(result.Err())
	}
	return result.Ok(), nil
}

// Keys are all keys. They are fetched page by page; an error is the last that comes.
func (b *Bucket) Keys() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		cursor := witTypes.None[uint64]()
		for {
			result := b.bucket.ListKeys(cursor)
			if result.IsErr() {
				yield("", errorOf(result.Err()))
				return
			}
			for _, key := range result.Ok().Keys {
				if !yield(key, nil) {
					return
				}
			}
			if cursor = result.Ok().Cursor; cursor.IsNone() {
				return
			}
		}
	}
}

func done(result witTypes.Result[witTypes.Unit, wasi_keyvalue_store.Error]) error {
	if result.IsErr() {
		return errorOf(result.Err())
	}
	return nil
}

func errorOf(err wasi_keyvalue_store.Error) error {
	switch err.Tag() {
	case wasi_keyvalue_store.Error_NoSuchStore:
		return ErrNoSuchStore
	case wasi_keyvalue_store.Error_AccessDenied:
		return ErrAccessDenied
	default:
		return errors.New(err.Other())
	}
}
