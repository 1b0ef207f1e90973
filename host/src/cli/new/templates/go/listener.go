// Everybody who is connected to a path hears what is said there.
package main

import "sporegate"

type room struct{}

type say struct {
	Text string `json:"text"`
}

type said struct {
	Type string `json:"type"`
	Who  string `json:"who"`
	Text string `json:"text"`
}

func (room) Start() error {
	// Evaluated by the gateway: other messages never enter this module.
	return sporegate.Match("").JSONEquals("/type", "say").Listen("say")
}

func (room) OnMessage(event *sporegate.MessageEvent) (sporegate.Outcome, error) {
	var say say
	if err := event.Message.Decode(&say); err != nil {
		return sporegate.Stop, err
	}
	who := event.Client.Username
	if event.Client.Anonymous {
		who = "somebody"
	}
	everybody := sporegate.OnPath(event.Client.ConnectPath)
	_, err := everybody.SendJSON(said{Type: "said", Who: who, Text: say.Text})
	return sporegate.Stop, err
}

func init() { sporegate.Export(room{}) }

// Never called: the gateway calls what is exported.
func main() {}
