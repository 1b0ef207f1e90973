// Answers every message with itself: text as text, binary as binary.
package main

import "sporegate"

type echo struct{}

func (echo) Start() error {
	return sporegate.Match("").Listen("echo")
}

func (echo) OnMessage(event *sporegate.MessageEvent) (sporegate.Outcome, error) {
	return sporegate.Stop, event.Reply(event.Message)
}

func init() { sporegate.Export(echo{}) }

func main() {}
