//go:build !wasip1

package config

import "errors"

var errNoGateway = errors.New("there is no gateway on this system")

// Get is the value of a key; false if there is none.
func Get(key string) (string, bool, error) {
	return "", false, errNoGateway
}

// All is every key with its value.
func All() (map[string]string, error) {
	return nil, errNoGateway
}
