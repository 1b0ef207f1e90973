// Package http makes HTTP requests to the hosts that `[http]` of the module's sidecar grants. A
// response is read as it comes; between two pieces a listener can call sporegate.Flush.
//
//	response, err := http.Get("https://api.example.com/items/7")
//	if err != nil {
//		return err
//	}
//	defer response.Body.Close()
//	lines := bufio.NewScanner(response.Body)
//
// It is much smaller than net/http, which does not know the gateway.
package http

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Header has the values of each header, by its name in lower case.
type Header map[string][]string

// Get is the first value of a header, whatever the case of the name; empty if there is none.
func (h Header) Get(name string) string {
	if values := h[strings.ToLower(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Add adds a value.
func (h Header) Add(name, value string) {
	name = strings.ToLower(name)
	h[name] = append(h[name], value)
}

// Request is a request to be.
type Request struct {
	// Method is GET if it is empty.
	Method string
	// URL begins with http:// or https://.
	URL    string
	Header Header
	Body   []byte
	// Timeout is the longest wait for the connection, for the response, and between two pieces of it;
	// none if it is zero. The limits of the sidecar and the time of the call hold all the same.
	Timeout time.Duration
}

// Response is a response whose head has come.
type Response struct {
	Status int
	Header Header
	// Body is read as it comes. It ends with the call that it began in.
	Body io.ReadCloser
}

// Error is why there is no response, or not all of it.
type Error struct {
	// Code is the name that the standard (wasi:http, error-code) has for it: HTTP-request-denied.
	Code   string
	Detail string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Code
	}
	return e.Code + ": " + e.Detail
}

// Get requests a URL.
func Get(url string) (*Response, error) {
	return (&Request{URL: url}).Send()
}

// Send makes the request and waits for the head of the response. No redirect is followed. What the
// gateway or the other side says is an *Error.
func (r *Request) Send() (*Response, error) {
	target, err := targetOf(r.URL)
	if err != nil {
		return nil, err
	}
	return send(r, target)
}

// target is what a request has of a URL.
type target struct {
	secure                   bool
	authority, pathWithQuery string
}

func targetOf(text string) (target, error) {
	if !utf8.ValidString(text) {
		return target{}, errors.New("the URL is not UTF-8")
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return target{}, err
	}
	if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
		return target{}, errors.New("a URL begins with http:// or https:// and has a host")
	}
	if parsed.User != nil {
		return target{}, errors.New("a URL has no user and password; set the header authorization")
	}
	path := parsed.RequestURI()
	return target{parsed.Scheme == "https", parsed.Host, path}, nil
}
