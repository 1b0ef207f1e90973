package config

import (
	"errors"

	"sporegate/internal/bindings/listener/imports/wasi_config_store"
)

// Get is the value of a key; false if there is none.
func Get(key string) (string, bool, error) {
	result := wasi_config_store.Get(key)
	if result.IsErr() {
		return "", false, errorOf(result.Err())
	}
	return result.Ok().SomeOr(""), result.Ok().IsSome(), nil
}

// All is every key with its value.
func All() (map[string]string, error) {
	result := wasi_config_store.GetAll()
	if result.IsErr() {
		return nil, errorOf(result.Err())
	}
	all := make(map[string]string, len(result.Ok()))
	for _, pair := range result.Ok() {
		all[pair.F0] = pair.F1
	}
	return all, nil
}

func errorOf(err wasi_config_store.Error) error {
	if err.Tag() == wasi_config_store.Error_Upstream {
		return errors.New(err.Upstream())
	}
	return errors.New(err.Io())
}
