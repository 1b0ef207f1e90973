//go:build !wasip1

package http

import "errors"

func send(*Request, target) (*Response, error) {
	return nil, errors.New("there is no gateway on this system")
}
