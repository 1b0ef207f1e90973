// Package config reads `[config]` of the module's sidecar.
package config

import "fmt"

// Required is the value of a key; an error if there is none.
func Required(key string) (string, error) {
	value, ok, err := Get(key)
	if err == nil && !ok {
		err = fmt.Errorf("config.%s is not set in the module's sidecar", key)
	}
	return value, err
}
