// Looks a name up at an HTTP service, and streams the answer line by line, as it comes in.
package main

import (
	"bufio"
	"io"
	"regexp"
	"strings"

	"sporegate"
	"sporegate/config"
	"sporegate/http"
)

var isName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

type enrich struct {
	service string
}

type begun struct {
	Status int `json:"status"`
}

type line struct {
	Line string `json:"line"`
}

type done struct {
	Done  bool   `json:"done"`
	Lines uint64 `json:"lines"`
}

type failed struct {
	Error string `json:"error"`
}

func (e *enrich) Start() error {
	service, err := config.Required("service")
	if err != nil {
		return err
	}
	e.service = strings.TrimRight(service, "/")
	return sporegate.Match("").Listen("enrich")
}

func (e *enrich) OnMessage(event *sporegate.MessageEvent) (sporegate.Outcome, error) {
	name, _ := event.Message.Text()
	if !isName.MatchString(name) {
		return sporegate.Stop, event.ReplyJSON(failed{"a name is 1-64 of a-z, 0-9 and -"})
	}
	response, err := http.Get(e.service + "/items/" + name)
	if err != nil {
		return sporegate.Stop, event.ReplyJSON(failed{err.Error()})
	}
	defer response.Body.Close()
	return sporegate.Stop, pass(event, response)
}

// pass gives every line to the client when it has come, and not when the last one has.
func pass(event *sporegate.MessageEvent, response *http.Response) error {
	err := sendNow(event, begun{response.Status})
	body := bufio.NewReader(response.Body)
	for lines := uint64(0); err == nil; lines++ {
		text, broken := body.ReadString('\n')
		if broken != nil && broken != io.EOF {
			return event.ReplyJSON(failed{broken.Error()})
		}
		if text == "" {
			return event.ReplyJSON(done{true, lines})
		}
		err = sendNow(event, line{strings.TrimSuffix(text, "\n")})
	}
	return err
}

func sendNow(event *sporegate.MessageEvent, answer any) error {
	if err := event.ReplyJSON(answer); err != nil {
		return err
	}
	return sporegate.Flush()
}

func init() { sporegate.Export(&enrich{}) }

func main() {}
